"""What may leave the room, and the one place that writes."""
