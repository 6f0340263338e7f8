"""An outbox that nobody empties."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests._delivery.parts import HERE, NONCE, HandClock
from tests._render.recordings import Run
from whyops._outbox.file_outbox import FileOutbox


@pytest.fixture
def outbox(home: Path) -> FileOutbox:
    """Give an outbox whose events wait, as in an outage."""
    return FileOutbox(home / "outbox" / "x", HERE, "", nonce=lambda: NONCE, max_bytes=10**9, clock=HandClock().clock())


def wait_in(outbox: FileOutbox, run: Run) -> None:
    """Have a run's events wait."""
    for event in run.events:
        assert outbox.append(json.dumps(event).encode() + b"\n")
