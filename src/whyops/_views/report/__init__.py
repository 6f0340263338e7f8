"""Traces → one HTML file that needs nothing else: no network, no other file, no server."""

from .page import render_report

__all__ = ["render_report"]
