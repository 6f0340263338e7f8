"""The outbox of these tests."""

from __future__ import annotations

from tests._listing.waiting import outbox  # noqa: F401  (a fixture)
