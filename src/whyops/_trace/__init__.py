"""A recorded trace as objects."""
