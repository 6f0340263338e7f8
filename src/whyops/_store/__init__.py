"""The local store: event lines in one SQLite file, written by any number of processes."""
