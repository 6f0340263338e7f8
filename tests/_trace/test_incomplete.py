"""What is not there is told, and nothing else."""

from __future__ import annotations

from tests._recording.recording import Recording
from tests._render.recordings import Run, conversation
from whyops._encoding.encoder import Encoder
from whyops._trace.incomplete import gaps
from whyops._trace.recorded import DeliveryStatus, RecordedTrace
from whyops._wire.objects import recorded_in


def told(run: Run, **delivery: object) -> list[str]:
    return gaps(RecordedTrace.from_events(run.events, delivery=DeliveryStatus(**delivery)))  # type: ignore[arg-type]


def test_a_whole_trace() -> None:
    """Of a trace that has all, nothing is said to be missing."""
    run = Run()
    run.user("Hi")
    run.model(chosen=[("f", {})])
    run.tool("f", {}, 1, "s1", lambda: run.tool("g", {}, 2, "s2", parent="s1"))
    assert told(run) == []


def test_a_trace_that_another_agents_work_was_sent_to() -> None:
    """The span that it hangs under is in the other agent's trace, and nothing is missing; without that trace's name it is."""
    run = Run()
    run.tool("f", {}, 1, "s1", parent="elsewhere", parentTraceId="order-7")
    assert told(run) == []
    run.tool("g", {}, 1, "s2", parent="elsewhere")
    assert told(run) == ["1 step inside a call that is not recorded"]


def test_what_a_trace_tells_by_itself() -> None:
    """Values that were cut and redacted, calls that never ended, and choices that nobody carried out."""
    assert gaps(RecordedTrace.from_events(conversation())) == [
        "2 values cut",
        "1 value redacted",
        "1 call without a response",
        "1 tool call was requested but not recorded",
    ]


def test_what_was_not_captured() -> None:
    """Contents that were not to be recorded are counted."""
    run = Run()
    run.user("[not captured: 17 bytes]")
    run.tool("f", {"a": "[not captured]"}, "[not captured: 3 bytes]", "s1")
    assert told(run) == ["3 contents not captured"]


def test_what_was_not_captured_as_lines_tell() -> None:
    """They are counted as well in events that have their lines, also where these write a letter as an escape."""
    lines = [
        b'{"traceId":"t","eventType":"llm_thinking","content":{"thinking":"[not captured: 3 bytes]"}}',
        b'{"traceId":"t","eventType":"llm_thinking","content":{"thinking":"\\u005bnot captured: 3 bytes]"}}',
        b'{"traceId":"t","eventType":"llm_thinking","content":{"thinking":"It says [not captured]."}}',
        b'{"traceId":"t","eventType":"llm_thinking","content":{"thinking":"caf\\u00e9"}}',
    ]
    assert gaps(RecordedTrace.from_events(recorded_in(lines))) == ["2 contents not captured"]


def test_calls_outside() -> None:
    """A step inside a call that is nowhere, and a response whose request is nowhere."""
    run = Run()
    run.tool("f", {}, 1, "s1", parent="never recorded")
    run.response("g", 1, "s2")
    assert told(run) == ["1 response without its request", "1 step inside a call that is not recorded"]


def test_what_is_known_from_elsewhere() -> None:
    """Refused, waiting, left out and lost events are told, and a service that could not be asked."""
    run = Run()
    run.user("Hi")
    known = {"rejected": {"409 taken\n": 2}, "waiting": 1, "left_out": 3, "dropped": 4, "not_recorded": 5, "lost": 1}
    assert told(run, **known, not_asked="The service is away.") == [
        "2 events rejected by the service (409 taken)",
        "1 event not delivered yet",
        "3 events not at the service: never sent (`whyops push`), or left out by its sampling or a limit",
        "5 events could not be recorded",
        "4 events of this agent dropped because the outbox was full, possibly of this trace",
        "1 event of this agent could not be recorded, possibly of this trace",
        "The service is away",
    ]


def test_an_argument_in_request_and_response_counts_once() -> None:
    """A call's arguments stand in both of its events: what was redacted or cut of them is one value, what is of the result is another."""
    recording = Recording(encode=Encoder(max_value_bytes=2_000).encode)
    with recording.trace("t") as trace, trace.tool_span("login", {"password": "hunter2x9", "text": "x" * 5_000}) as span:
        span.result = {"token": "abcdef0123456789"}
    assert gaps(RecordedTrace.from_events(recording.events)) == ["1 value cut", "2 values redacted"]


def test_a_response_that_does_not_repeat_the_arguments() -> None:
    """Where each event has values of its own that were redacted, all of them count."""
    run = Run()
    run.request("login", {"password": "[redacted]"}, "s1", redacted=1)
    run.response("login", {"token": "[redacted]"}, "s1", redacted=1)
    assert told(run) == ["2 values redacted"]
