"""Who is compared, from when, on what."""
