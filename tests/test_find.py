"""A trace is found wherever its events are while it is looked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests._cli.test_commands import store
from tests._delivery.parts import HERE, NONCE, HandClock
from tests._render.recordings import Run
from whyops import _find
from whyops._outbox.file_outbox import FileOutbox
from whyops.errors import TraceNotFoundError


def run_of(name: str) -> Run:
    run = Run(name)
    run.user("Hi")
    return run


def test_a_trace_that_goes_while_it_is_looked_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it is delivered to the store it is found there; once it is gone to a service, the last one is the last that is still here."""
    store(home, run_of("stored"))
    outbox = FileOutbox(home / "outbox" / "x", HERE, "", nonce=lambda: NONCE, max_bytes=10**9, clock=HandClock().clock())
    waiting = run_of("waiting")
    waiting.events[0]["timestamp"] = "2199-01-01T00:00:00.000Z"
    assert outbox.append(json.dumps(waiting.events[0]).encode() + b"\n")
    assert _find.find_trace("last", home, None).trace_id == "waiting"
    looked = []
    trace_of = _find.trace_of

    def after_delivery(*given: object) -> object:
        if not looked:
            for path in outbox.folder.glob("*.lines"):
                path.unlink()
        looked.append(given[0])
        return trace_of(*given)

    monkeypatch.setattr(_find, "trace_of", after_delivery)
    assert _find.find_trace("last", home, None).trace_id == "stored"
    assert looked == ["waiting", "stored"]
    with pytest.raises(TraceNotFoundError, match="No trace"):
        _find.find_trace("waiting", home, None)
