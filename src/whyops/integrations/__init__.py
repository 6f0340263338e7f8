"""Handlers for agent frameworks, each with an extra of its own, and helpers for web servers; importing one changes nothing."""
