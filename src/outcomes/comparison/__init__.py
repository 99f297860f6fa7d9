"""Contrasts between arms and the doubt about them."""
