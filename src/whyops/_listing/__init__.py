"""The list of traces: newest first, of the local store and of what waits, filtered and searched."""
