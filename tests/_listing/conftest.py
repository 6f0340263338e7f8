"""The outbox of these tests."""

from __future__ import annotations

from .waiting import outbox  # noqa: F401  (a fixture)
