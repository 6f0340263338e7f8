"""Any value → bounded JSON without secrets. Knows no trace and no event."""

Encoded = tuple[str, int, int]
"""A value as JSON, how many places of it were cut, and how many redacted."""
