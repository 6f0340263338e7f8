"""What holds for every test of the LlamaIndex integration: nothing is fetched, no fault of ours is hidden, nothing stays open."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest

from whyops._runtime import guard
from whyops.integrations.llama_index import _dispatch, instrument
from whyops.testing import Captured, capture


@pytest.fixture(autouse=True)
def _no_fault_of_ours(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Make a fault show as a warning: what a handler raises, LlamaIndex would swallow."""
    monkeypatch.setattr(guard, "reraise", False)
    with caplog.at_level(logging.WARNING, "whyops"):
        yield
    assert not [record.getMessage() for record in caplog.get_records("call") if record.name == "whyops"]
    assert _dispatch.in_force.latest() is None


@pytest.fixture(autouse=True)
def _no_loop_left_open() -> None:
    """Let LlamaIndex's synchronous methods make a loop each, and close it: one that they find, they leave open."""
    asyncio.set_event_loop(None)


@pytest.fixture
def recorded() -> Iterator[Captured]:
    """Let a client that records in memory be the default one."""
    with capture() as captured:
        yield captured


@pytest.fixture
def captured(recorded: Captured) -> Iterator[Captured]:
    """Record in memory what LlamaIndex's dispatcher tells. Afterwards nothing may be open."""
    with instrument():
        yield recorded
        assert len(_dispatch._spans) == 0
