"""The one way to a server: for sending, for reading, for a check-up."""
