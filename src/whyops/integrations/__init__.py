"""Handlers for agent frameworks. Each is imported by its own name and needs its own extra; importing one changes nothing."""
