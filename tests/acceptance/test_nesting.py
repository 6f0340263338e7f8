"""What is current after is what was before: over generated nestings of everything that makes something current."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import whyops
from whyops._recording.open_generators import open_generators
from whyops._runtime import guard
from whyops.testing import MemorySink

pytest.importorskip("langgraph", reason="installed by the sessions that test the integrations")
pytest.importorskip("llama_index.core", reason="installed by the sessions that test the integrations")

from tests.acceptance.nesting import ASYNC, DRIVES, ENDS, SYNC, Node, Place, play
from whyops.integrations.langchain._runs import open_runs
from whyops.integrations.llama_index import instrument

SOAK_SECONDS = 600
MOST_COLLECTIONS = 3
"""A generator that the garbage collector closes runs its `finally`s, and what those touch is kept until the next collection."""

LEAVES = ("call", "call", "raise")
HOW = st.builds("{}/{}".format, st.sampled_from(ENDS), st.sampled_from(DRIVES))
DEEPEST = 4


@st.composite
def nodes(draw: st.DrawFn, depth: int, kinds: tuple[str, ...]) -> tuple[Node, ...]:
    """Draw what runs one after the other. What is synchronous contains nothing that is not."""
    drawn = []
    for _ in range(draw(st.integers(1, 3 if depth < DEEPEST - 1 else 2))):
        kind = draw(st.sampled_from(LEAVES if depth == DEEPEST else kinds))
        if kind in {"call", "hang"}:
            drawn.append(Node(kind))
            continue
        levels = draw(st.integers(1, 3))
        if kind == "raise":
            drawn.append(Node(kind, levels=levels))
            break
        deeper = nodes(depth + 1, SYNC_KINDS if kind in SYNC else ASYNC_KINDS)
        is_stream = kind.endswith(("stream", "generator"))
        drawn.append(Node(kind, draw(deeper), draw(deeper) if is_stream else (), draw(HOW) if is_stream else "", levels))
    return tuple(drawn)


SYNC_KINDS = (*SYNC, *LEAVES)
NOT_EVERYWHERE = {"async graph"} if sys.version_info < (3, 11) else set()
"""Before Python 3.11, LangGraph runs an asynchronous node in its caller's context, and its config is not known there."""
OFTEN = ("async stream", "async stream", "async chain stream", "cancelled", "gather", "spawn", "task")
ASYNC_KINDS = (*(kind for kind in (ASYNC + OFTEN) * 3 if kind not in NOT_EVERYWHERE), *SYNC, *LEAVES, "hang")
PROGRAMS = st.tuples(nodes(0, ASYNC_KINDS), st.just(value=True)) | st.tuples(nodes(0, SYNC_KINDS), st.just(value=False))


@pytest.fixture(scope="module")
def sink() -> MemorySink:
    return MemorySink()


@pytest.fixture
def client(sink: MemorySink, monkeypatch: pytest.MonkeyPatch) -> Iterator[whyops.WhyOps]:
    monkeypatch.setattr(guard, "log", lambda *_: None)  # a synchronous block that is left elsewhere is told; here that is meant
    with whyops.WhyOps(agent_name="nesting", sink=sink, outbox="memory") as client, instrument(client):
        yield client


def holds(client: whyops.WhyOps, sink: MemorySink, program: tuple[tuple[Node, ...], bool]) -> None:
    """Play a program, and look at what it left behind and what it recorded."""
    sink.lines.clear()
    parts, asynchronous = program
    calls = play(client, parts, asynchronous=asynchronous).calls  # the player itself keeps streams and failed tasks
    client.flush_sync()
    _holds_for_what_was_recorded(calls, [json.loads(line) for line in sink.lines])
    for _ in range(MOST_COLLECTIONS):
        if open_generators:
            gc.collect()
    assert not open_generators


def _holds_for_what_was_recorded(calls: dict[str, Place], events: list[dict]) -> None:
    requests = {event["metadata"]["tool"]: event for event in events if event["eventType"] == "tool_call_request"}
    assert set(requests) >= set(calls), "a call is not recorded"
    for name, place in calls.items():
        event = requests[name]
        assert event["metadata"].get("parentSpanId") == place.span, name
        if place.trace is None:
            assert not event["traceId"].startswith("program-"), name
        else:
            assert event["traceId"] == place.trace, name


@given(program=PROGRAMS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_current_after_is_what_was_before(client, sink, program):
    """However things are nested and ended, after each what was before is current, and each call is where it was made."""
    holds(client, sink, program)


@pytest.mark.soak
@pytest.mark.timeout(SOAK_SECONDS + 300)
def test_what_is_current_after_is_what_was_before_for_minutes(client, sink):
    """The same for ten minutes."""
    until = time.monotonic() + SOAK_SECONDS
    programs = 0

    @given(program=PROGRAMS)
    @settings(max_examples=400, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def once(program):
        nonlocal programs
        programs += 1
        holds(client, sink, program)

    while time.monotonic() < until:
        once()
    for _ in range(MOST_COLLECTIONS):
        gc.collect()
    assert len(open_runs) < programs / 100  # LangChain tells no end of a stream that its event loop closes as it ends itself
