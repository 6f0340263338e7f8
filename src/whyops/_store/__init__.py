"""The local store: event lines in one SQLite file, written by any number of processes."""

STORE_NAME = "traces.db"
"""What the file is called in its home; who only asks for its name need not load SQLite."""
