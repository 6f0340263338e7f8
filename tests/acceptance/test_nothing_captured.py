"""`capture_content=False`: no byte of content anywhere, whatever way it is recorded and wherever it ends up."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

import pytest

import whyops
from tests.planted import WORD, decorated_calls, explicit_ways, spans
from tests.server import StrictServer


def record_everything(sdk: whyops.WhyOps) -> int:
    """Plant the word in each place of each way to record something; return how many ways there were."""
    ways = [way for _, way in explicit_ways()]
    trace = sdk.trace("explicit", metadata={"note": WORD})
    for way in ways:
        way(trace)
    with sdk.trace("blocks") as trace:
        spans(trace)
        decorated_calls()
    with contextlib.suppress(ValueError), sdk.trace("left by an exception"):
        raise ValueError(WORD)
    return len(ways)


def check_no_word_in(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Check the files below `home`, and the log."""
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert WORD.encode() not in path.read_bytes(), path
    assert WORD not in caplog.text


def test_the_local_store(home, caplog):
    """Without a key: neither the file that waits nor the store holds content, and each event is there."""
    caplog.set_level(logging.DEBUG)
    with whyops.WhyOps(home=home, capture_content=False) as sdk:
        count = record_everything(sdk)
        check_no_word_in(home, caplog)
        assert sdk.flush_sync().waiting == 0
        check_no_word_in(home, caplog)
        recorded = whyops.load_trace("explicit")
    assert len(recorded.events) == count


def test_the_service_and_what_it_refuses(home, caplog):
    """With a key: neither what is sent, nor what waits while the service is away, nor what it refuses and is kept aside."""
    with StrictServer() as server:
        server.spoil(lambda event: event["eventType"] in ("error", "user_message"), 400, {"error": "no such thing"})
        with whyops.WhyOps("whyops_test", "agent", None, server.proxy_url, server.url, home=home, capture_content=False) as sdk:
            record_everything(sdk)
            check_no_word_in(home, caplog)
            result = sdk.flush_sync()
        assert result.rejected
        assert result.waiting == 0
        assert len(server.events) == result.delivered
        assert all(WORD.encode() not in request.body for request in server.requests)
    check_no_word_in(home, caplog)
