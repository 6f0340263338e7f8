"""How long a brief for a model may be."""

from __future__ import annotations

USUAL_BUDGET = 4000
"""Tokens, estimated."""
