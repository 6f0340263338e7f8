"""Which turn an event names: `metadata.runId`."""

from __future__ import annotations

import asyncio
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from opentelemetry.trace import INVALID_SPAN, NonRecordingSpan, SpanContext, TraceFlags, use_span

import whyops
from tests._otlp.runs import mapped
from tests._recording.recording import Recording
from whyops._recording.bind_context import bind_context
from whyops._recording.context import current_writer
from whyops._recording.current_trace import current_trace
from whyops._recording.ids import Ids
from whyops._recording.tool import tool
from whyops._recording.trace import writer_of
from whyops._render.markdown import render_brief
from whyops._store.reader import StoreReader
from whyops._trace.alignment import aligned
from whyops._trace.recorded import RecordedTrace
from whyops._wire.read import RecordedEvent


@tool
def look(thing: str) -> str:
    return thing


def turns(recording: Recording) -> list[str | None]:
    """Return what each event names."""
    return [event["metadata"].get("runId") for event in recording.events]


def test_each_block_is_a_turn_of_its_own():
    """Whatever records in it, one name; entered again another one; outside of blocks none."""
    recording = Recording()
    trace = recording.trace("t", metadata={"team": "support"})
    trace.error_sync("before")
    for _ in range(2):
        with trace:
            trace.user_message_sync([{"role": "user", "content": "hi"}])
            look("cup")
            with trace.tool_span("pay"), trace.model_call("m", "openai", [{"role": "user", "content": "hi"}]) as call:
                call.answer("well")
    trace.error_sync("after")
    told = turns(recording)
    first, second = told[1], told[8]
    assert told == [None, *[first] * 7, *[second] * 7, None]
    assert len({None, first, second}) == 3
    assert all(event["metadata"]["team"] == "support" for event in recording.events)


def test_blocks_inside_are_the_same_turn():
    """Of the same object, of another one for the same trace, and of what is current; not of another trace."""
    recording = Recording()
    with recording.trace("t") as trace:
        trace.error_sync("a")
        with trace:
            trace.error_sync("b")
        with recording.trace("t", metadata={"own": 1}) as again:
            again.error_sync("c")
            trace.error_sync("d")
            look("cup")
        current = current_trace()
        assert current is not None
        with current:
            current.error_sync("e")
        with recording.trace("other") as other:
            other.error_sync("f")
            trace.error_sync("of another trace's block")
        trace.error_sync("g")
    told = turns(recording)
    assert set(told[:7]) == {told[-1]}
    assert told[7] not in {None, told[0]}
    assert told[8] is None
    assert [event["metadata"].get("own") for event in recording.events[:6]] == [None, None, 1, None, 1, 1]


def test_one_object_in_many_tasks_has_a_turn_for_each():
    """Tasks that enter one object at once don't mix; who records in a thread without a block names no turn."""
    recording = Recording()
    trace = recording.trace("t")

    async def turn(name: str) -> None:
        async with trace:
            await asyncio.sleep(0)
            look(name)
            await asyncio.sleep(0)
            trace.error_sync(name)

    async def both() -> None:
        await asyncio.gather(turn("a"), turn("b"))

    asyncio.run(both())
    named: dict[str, set[str]] = {}
    for event in recording.events:
        content = event["content"]
        name = content.get("message") or content["toolCalls"][0]["arguments"]["thing"]
        named.setdefault(name, set()).add(event["metadata"]["runId"])
    assert [len(one) for one in named.values()] == [1, 1]
    assert named["a"] != named["b"]


def test_a_turn_keeps_its_name_from_where_its_block_begins():
    """Its text is written with its first event; other ids drawn meanwhile, or a fork, change nothing in it."""
    ids = Ids()
    recording = Recording(ids=ids)
    with recording.trace("t") as trace:
        ids.next()
        ids.renew()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(bind_context(look), "abcd"))
        writer = current_writer()
        assert writer is not None
        trace.error_sync("e")
        assert set(turns(recording)) == {writer.run_id}
    with trace:
        trace.error_sync("f")
    assert turns(recording)[-1] not in {None, *turns(recording)[:-1]}


def test_a_turn_of_which_nothing_was_recorded_leaves_no_trace():
    """An object that is entered again has a new turn only where the last one told something; what leaves a block first does."""
    recording = Recording()
    trace = recording.trace("t")
    for _ in range(3):
        with trace:
            pass
    with pytest.raises(ValueError, match="no"), trace:
        raise ValueError("no")
    trace.error_sync("outside")
    with trace:
        trace.error_sync("a")
        with ThreadPoolExecutor(1) as pool:
            pool.submit(trace.error_sync, "outside, meanwhile").result()
            pool.submit(bind_context(trace.error_sync), "of the turn").result()
    told = turns(recording)
    assert told[1] is told[3] is None
    assert len({told[0], told[2]}) == 2
    assert told[2] == told[4]
    assert None not in {told[0], told[2]}


def test_threads_that_enter_one_object_at_once_have_a_turn_each():
    """However their steps fall between each other's."""
    recording = Recording()
    trace = recording.trace("t")
    together = threading.Barrier(4)

    def turn(name: str) -> None:
        together.wait()
        for number in range(50):
            with trace:
                trace.error_sync(f"{name}{number}")
                look(f"{name}{number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(turn, "abcd"))
    named: dict[str, set[str]] = {}
    for event in recording.events:
        content = event["content"]
        named.setdefault(content.get("message") or content["toolCalls"][0]["arguments"]["thing"], set()).add(event["metadata"]["runId"])
    assert len(named) == 200
    assert len({run for runs in named.values() for run in runs}) == 200


def test_another_object_for_the_trace_hears_of_a_user_in_a_block_of_the_first():
    """It names the user in what it tells there, then and later; of a next block it names the next turn."""
    recording = Recording()
    other = recording.trace("t")
    for user in ("u-1", "u-2"):
        with recording.trace("t") as trace:
            other.error_sync("a")
            other.error_sync("b", external_user_id=user)
            other.error_sync("c")
            trace.error_sync("d")
    other.error_sync("e")
    told = turns(recording)
    assert [told[0]] * 4 + [told[4]] * 4 + [None] == told
    assert told[0] != told[4]
    assert [event.get("externalUserId") for event in recording.events] == [None, "u-1", "u-1", None, "u-1", "u-2", "u-2", None, "u-2"]


def test_a_user_named_in_between_is_in_all_events_from_there_on():
    """Named through the object, in the block or out of it: the block's events have it, and those after it."""
    recording = Recording()
    trace = recording.trace("t")
    with trace:
        trace.error_sync("a", external_user_id="u-1")
        look("cup")
        with ThreadPoolExecutor(1) as pool:
            pool.submit(trace.error_sync, "b", external_user_id="u-2").result()
        look("cup")
    trace.error_sync("c")
    assert [event.get("externalUserId") for event in recording.events] == ["u-1"] * 3 + ["u-2"] * 4
    others = writer_of(trace).others
    assert others is not None
    assert list(others.listening) == [others.outside]


def test_an_exception_that_leaves_the_block_is_part_of_its_turn():
    """It is recorded after the block was left, and names the turn all the same."""
    recording = Recording()

    def fail() -> None:
        with recording.trace("t"):
            look("cup")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert turns(recording) == [turns(recording)[0]] * 3


def test_a_turn_goes_on_in_threads_and_other_processes(tmp_path: Path):
    """A bound function and a pickled trace take it along; a block that is opened with what came is the same turn."""
    sdk = whyops.WhyOps(agent_name="a", home=tmp_path)
    with sdk.trace("t") as trace:
        look("cup")
        bound, sent = pickle.dumps(bind_context(look)), pickle.dumps(trace)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(bind_context(look), "in a thread").result()
        pickle.loads(bound)("elsewhere")
        arrived = pickle.loads(sent)
    with arrived:
        look("in a block elsewhere")
    arrived.error_sync("by what arrived")
    sdk.close_sync()
    events = [RecordedEvent(event) for event in StoreReader(tmp_path).events("t")]
    assert len(events) == 9
    assert len({event.run_id for event in events}) == 1
    assert events[0].run_id is not None


def test_views_show_nothing_of_it():
    """Two runs of the same are the same to whoever compares them, and no text names a turn."""
    runs = []
    for _ in range(2):
        recording = Recording()
        with recording.trace("t") as trace:
            trace.user_message_sync([{"role": "user", "content": "hi"}])
            look("cup")
        run = RecordedTrace.from_events(recording.events)
        assert str(run.events[0].run_id) not in render_brief(run)
        runs.append(run)
    pairs = aligned(runs[0], runs[1])
    assert len(pairs) == 2
    assert all(pair.is_alike for pair in pairs)


def test_the_applications_own_span_is_named(monkeypatch: pytest.MonkeyPatch):
    """Where OpenTelemetry is loaded and a span is current and recorded, each turn's first event names it; nothing is loaded for that."""
    recording = Recording()
    trace = recording.trace("t")
    span = NonRecordingSpan(SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(1)))
    with use_span(span), trace:
        look("not recorded by them")
    monkeypatch.setattr(NonRecordingSpan, "is_recording", lambda _self: True)
    for _ in range(2):
        with use_span(span), trace:
            look("cup")
            look("tea")
    with use_span(INVALID_SPAN), trace:
        look("cup")
    named = [event["metadata"].get("traceparent") for event in recording.events]
    expected = "00-00000000000000000000000000000abc-0000000000000def-01"
    assert named == [None, None, *[expected, None, None, None] * 2, None, None]
    roots = [span for span in mapped(recording.lines) if not span.parent_span_id]
    assert [[(link.trace_id.hex(), link.span_id.hex()) for link in root.links] for root in roots] == [
        [],
        [("0" * 29 + "abc", "0" * 13 + "def")],
        [("0" * 29 + "abc", "0" * 13 + "def")],
        [],
    ]
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    with trace:
        look("cup")
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", object())
    with trace:
        look("cup")
    assert "traceparent" not in str(recording.events[-4:])
