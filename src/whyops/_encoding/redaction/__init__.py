"""Texts → texts without secrets."""
