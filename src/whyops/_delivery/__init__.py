"""Delivery: a recorded line gets somewhere safe, and from there to its sink."""
