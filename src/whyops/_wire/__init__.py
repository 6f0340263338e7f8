"""The form of an event: how one is written, and how one is read. Nothing else knows it."""
