"""The local store: event lines in one SQLite file, written by any number of processes."""

STORE_NAME = "traces.db"
"""The file's name. It is here so that reading it does not load SQLite."""
