"""What stands in for the world outside, so that the examples run anywhere."""
