"""A trace's events."""

from __future__ import annotations

import itertools
import threading

import pytest

from tests._recording.recording import Recording
from whyops._recording.ids import utf16_length
from whyops._runtime.guard import Notices
from whyops._wire.timestamps import EventClock


def times_of(readings, count, writers=1):
    """Record errors at these readings of the wall clock, in nanoseconds; return their exact times and those for the service."""
    times = iter(readings)
    recording = Recording(clock=EventClock(wall_ns=lambda: next(times)))
    for number in range(count):
        if number % (count // writers) == 0:
            trace = recording.trace("t")
        trace.error_sync(str(number))
    return [(event["metadata"]["recordedAt"][17:-1], event["timestamp"][17:-1]) for event in recording.events]


def test_stamps_never_run_backwards():
    """A wall clock that stands still or is set back moves the exact times of a trace forward by a microsecond."""
    assert times_of([5_000_000, 5_000_000, 1_000_000, 9_000_000], 4) == [
        ("00.005000", "00.005"),
        ("00.005001", "00.006"),
        ("00.005002", "00.007"),
        ("00.009000", "00.009"),
    ]


@pytest.mark.parametrize("writers", [1, 4], ids=["one trace object", "several of the same id"])
def test_no_two_events_share_a_millisecond(writers):
    """The service orders by milliseconds alone: each event takes one of its own, at most a second ahead of the clock."""
    times = times_of((1_000_000_000 + 10_000 * number for number in range(1200)), 1200, writers)
    exact, shown = [float(time) for time, _ in times], [round(float(time) * 1000) for _, time in times]
    assert exact == [round(1 + number / 100_000, 6) for number in range(1200)]
    assert shown[:1001] == list(range(1000, 2001))
    assert all(0 <= after - before <= 1 for before, after in itertools.pairwise(shown))
    assert all(ms <= at * 1000 + 1000 for at, ms in zip(exact, shown, strict=True))


def test_a_time_that_is_given_is_left_alone():
    """Nothing is said then of when it was recorded."""
    recording = Recording()
    recording.trace("t").error_sync("e", timestamp="2026-01-02T03:04:05.678Z")
    event = recording.only("error")
    assert event["timestamp"] == "2026-01-02T03:04:05.678000Z"
    assert "metadata" not in event


def test_an_event_inside_a_span_names_its_parent():
    """What is recorded while a tool runs has the tool's span as its parent; a span has its enclosing one."""
    recording = Recording()
    with recording.trace("t") as trace, trace.tool_span("outer") as outer:
        trace.llm_response_sync("m", "p", "x")
        with trace.tool_span("inner") as inner:
            trace.error_sync("e")
    assert recording.only("llm_response")["metadata"]["parentSpanId"] == outer.span_id
    assert recording.only("error")["metadata"]["parentSpanId"] == inner.span_id
    requests = recording.of_type("tool_call_request")
    assert "parentSpanId" not in requests[0]["metadata"]
    assert requests[1]["metadata"]["parentSpanId"] == outer.span_id


def test_the_first_event_says_when_the_block_was_opened():
    """Once, whatever event it is: from there on the run took its time. What has a time of the caller's leaves it to the next."""
    for first in ("error", "tool_call_request"):
        recording = Recording()
        trace = recording.trace("t")
        for _ in range(2):
            with trace:
                trace.error_sync("old", timestamp="2020-01-01T00:00:00Z")
                if first == "error":
                    trace.error_sync("e")
                with trace, trace.tool_span("x"):
                    pass
        metadata = [event.get("metadata", {}) for event in recording.events]
        told = [place for place, one in enumerate(metadata) if "startedAt" in one]
        assert [(place, recording.events[place]["eventType"]) for place in told] == [(1, first)]
        assert metadata[1]["startedAt"] <= metadata[1]["recordedAt"]


def test_another_traces_span_is_no_parent():
    """A span of one trace never becomes the parent in another."""
    recording = Recording()
    with recording.trace("a") as first, first.tool_span("x"), recording.trace("b") as second:
        second.error_sync("e")
    assert set(recording.only("error")["metadata"]) == {"recordedAt", "runId", "startedAt"}


def test_the_same_id_is_the_same_trace_for_parents():
    """A second object for the same trace finds the span that is running."""
    recording = Recording()
    with recording.trace("a") as first, first.tool_span("x") as span, recording.trace("a") as again:
        again.error_sync("e")
    assert recording.only("error")["metadata"]["parentSpanId"] == span.span_id


def test_metadata_of_the_trace_is_on_each_event():
    """A trace's own metadata is added to all its events, and can't replace what the service reads."""
    recording = Recording()
    trace = recording.trace("t", metadata={"plan": "pro", "latencyMs": 1.5, "none": None})
    trace.llm_response_sync("m", "p")
    with trace.tool_span("x"):
        pass
    for event in recording.events:
        assert event["metadata"]["plan"] == "pro"
        assert event["metadata"].get("latencyMs") != 1.5
        assert "none" not in event["metadata"]


def test_metadata_that_is_left_out_is_said(caplog):
    """A name that events have of their own is not the caller's to set, and the log says which it was, once."""
    recording = Recording()
    for _ in range(2):
        recording.trace("t", metadata={"plan": "pro", "model": "x", "tool": "y"}).error_sync("e")
    assert all(event["metadata"].keys() == {"plan", "recordedAt"} for event in recording.events)
    assert all(event["metadata"]["plan"] == "pro" for event in recording.events)
    assert sorted(record.getMessage().split()[0] for record in caplog.records) == ["'model'", "'tool'"]


def test_a_user_given_late_is_on_all_later_events():
    """A user's id sticks to the trace object from the event it was given with."""
    recording = Recording()
    trace = recording.trace("t")
    trace.error_sync("before")
    trace.error_sync("with", external_user_id="user_1")
    trace.error_sync("after")
    assert [event.get("externalUserId") for event in recording.events] == [None, "user_1", "user_1"]


def test_an_option_of_no_use_is_left_out_and_said_once(monkeypatch, caplog):
    """A step or a time that the service would refuse costs the option, not the event; so does an unknown option."""
    monkeypatch.setattr("whyops._runtime.guard.notices", Notices())
    recording = Recording()
    for _ in range(3):
        recording.trace("t").error_sync("e", step_id=0, parent_step_id=2**31, timestamp="soon", colour="red")
    event = recording.events[0]
    assert not {"stepId", "parentStepId", "colour"} & event.keys()
    assert event["timestamp"].endswith("Z")
    assert len(caplog.records) == 4


def test_an_exception_is_recorded_once_on_its_way_out():
    """Through two spans and the block, one exception is one error, and each call is closed as failed."""
    recording = Recording()
    with pytest.raises(ValueError, match="no"), recording.trace("t") as trace, trace.tool_span("outer"), trace.tool_span("inner") as inner:
        raise ValueError("no")
    assert recording.only("error")["spanId"] == inner.span_id
    assert [event["content"]["toolResults"]["error"] for event in recording.of_type("tool_call_response")] == ["ValueError: no"] * 2


def test_an_exception_of_the_block_itself_is_recorded():
    """What leaves the block without passing a tool is one error of the trace; Ctrl-C is none."""
    recording = Recording()
    with pytest.raises(LookupError), recording.trace("t"):
        raise LookupError("gone")
    assert recording.only("error")["content"]["type"] == "LookupError"
    with pytest.raises(KeyboardInterrupt), recording.trace("t"):
        raise KeyboardInterrupt
    assert len(recording.events) == 1


def test_without_content_names_times_and_sizes_are_left():
    """With `capture_content` off no text of the user's is in any event."""
    recording = Recording(capture_content=False)
    with pytest.raises(ValueError, match="quince"), recording.trace("t") as trace:  # noqa: PT012  (one run, as users write it)
        trace.user_message_sync([{"role": "user", "content": "quince"}], metadata={"systemPrompt": "quince", "params": {"a": "quince"}})
        trace.llm_response_sync("m", "p", "quince", tool_calls=[{"id": "1", "function": {"name": "f", "arguments": '{"a": "quince"}'}}])
        trace.llm_thinking_sync("quince", signature="quince")
        trace.embedding_request_sync(["quince"])
        trace.tool_call_request_sync("f", [{"name": "f", "arguments": {"a": "quince"}}])
        trace.tool_call_response_sync("f", "s", [{"name": "f", "arguments": {"a": "quince"}}], {"quince": "quince"})
        trace.tool_result_sync("f", {"a": "quince"})
        with trace.tool_span("g", {"a": "quince"}) as span:
            span.result = {"quince": "quince"}
        raise ValueError("quince")
    assert b"quince" not in b"".join(recording.lines)
    arguments = recording.of_type("tool_call_request")[1]["content"]["toolCalls"][0]["arguments"]
    assert arguments == {"a": "[not captured: 8 bytes]"}
    assert recording.only("user_message")["content"][0]["role"] == "user"


def test_names_that_the_service_bounds_are_cut_after_redaction():
    """What stands in a secret's place may be longer than the secret: a model or finish reason fits its bound all the same."""
    recording = Recording()
    for text in ("m" * 300, 'token="' * 30, "pw=a," * 60, "\U0001f600" * 150):
        recording.trace("t").llm_response_sync(text, text, "x", finish_reason=text)
        recording.trace("t").user_message_sync("hi", metadata={"model": text})
    for event in recording.of_type("llm_response"):
        assert utf16_length(event["metadata"]["model"]) <= 200
        assert utf16_length(event["metadata"]["provider"]) <= 200
        assert utf16_length(event["content"]["finishReason"]) <= 100
    assert all(utf16_length(event["metadata"]["model"]) <= 200 for event in recording.of_type("user_message"))


def test_threads_that_share_a_trace_make_different_keys():
    """No two events have the same key, however many threads record at once."""
    recording = Recording()
    trace = recording.trace("t")
    threads = [threading.Thread(target=lambda: [trace.error_sync("e") for _ in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({event["idempotencyKey"] for event in recording.events}) == 1600
