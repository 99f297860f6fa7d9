"""What comes in: the schema, the readers, the checks."""
