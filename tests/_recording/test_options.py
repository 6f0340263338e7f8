"""Arguments that can't be recorded as they were meant: what is recorded instead, and what the log says."""

from __future__ import annotations

import inspect
import math
import re
import sys
import uuid
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace

import pytest

from tests._recording.recording import Recording
from whyops._recording.options import COMMON, OWN
from whyops._recording.trace import Trace
from whyops._runtime.guard import Notices


@pytest.fixture
def said(monkeypatch, caplog):
    """Return what gives the log's messages; nothing was said before."""
    monkeypatch.setattr("whyops._runtime.guard.notices", Notices())
    return lambda: [record.getMessage() for record in caplog.records]


def here() -> str:
    """Return the file and line of the caller."""
    frame = sys._getframe(1)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


class Mute:
    """Says that it reads as text, and does not."""

    def __str__(self) -> str:
        raise LookupError


@pytest.mark.parametrize("value", [Mute(), ["a"], {"a": 1}, {1}, object(), ValueError("x"), int])
def test_an_id_of_a_type_without_text_is_replaced(said, value):
    """Else all runs would be one trace named after the type: each gets an id of its own, and the line that made it is said once."""
    recording = Recording()
    made = [recording.trace(value) for _ in range(3)]
    made[0].error_sync("e")
    assert len({trace.id for trace in made}) == 3
    assert recording.events[0]["traceId"] == made[0].id
    assert not any("<" in trace.id for trace in made)
    (message,) = said()
    assert re.search(
        rf"^id of trace \(.*:\d+\) must be a string, a number or a UUID, .* not {type(value).__name__}: it is left out", message
    )


def test_an_id_that_says_how_it_reads_is_kept(said):
    """Numbers, UUIDs, enums, and objects of classes with a text of their own are ids as they are."""

    class Session:
        def __str__(self) -> str:
            return "session-7"

    recording, key = Recording(), uuid.uuid4()
    values = {"7": 7, str(key): key, "Named.ONE": Enum("Named", {"ONE": 1}).ONE, "session-7": Session(), "1.50": Decimal("1.50")}
    assert [recording.trace(value).id for value in values.values()] == list(values)
    assert said() == []


def test_other_ids_of_such_types_are_left_out(said):
    """Two events with a list for their key stay two; a user or a span that can't be told is none."""
    recording = Recording()
    trace = recording.trace("t", external_user_id=["u"])
    for _ in range(2):
        trace.error_sync("e", idempotency_key=["k"], span_id=object())
    span_id = trace.tool_call_request_sync("search", [], span_id={})
    first, second, request = recording.events
    assert first["idempotencyKey"] != second["idempotencyKey"]
    assert request["spanId"] == span_id
    assert all("externalUserId" not in event for event in recording.events)
    assert "spanId" not in first
    assert [message.split(" (")[0] for message in said()] == [
        "external_user_id of trace",
        "span_id of error",
        "idempotency_key of error",
        "span_id of tool_call_request",
    ]


def test_an_unknown_option_is_said_with_method_line_and_remedy(said):
    """Who mistypes a name reads where, what was probably meant, and what this method takes; once for each line."""
    trace = Recording().trace("t")
    for _ in range(2):
        trace.llm_response_sync("m", "p", finish_reson="stop"), (place := here())  # type: ignore[call-arg]
    trace.error_sync("e", colour="red")  # type: ignore[call-arg]
    first, second = said()
    assert first == (
        f"Ignoring unknown option 'finish_reson' of llm_response ({place}): did you mean 'finish_reason'? Valid options: model, provider, "
        "content, tool_calls, finish_reason, usage, latency_ms, span_id, step_id, parent_step_id, timestamp, idempotency_key, "
        "external_user_id, call_id."
    )
    assert re.search(r"'colour' of error \(.*:\d+\)\. Valid options: message, status, stack, .*external_user_id, call_id\.$", second)


def test_the_nearest_name_is_looked_for_only_when_it_is_said(said, monkeypatch):
    """A loop with a wrong name pays for no search."""
    monkeypatch.delitem(sys.modules, "difflib", raising=False)
    trace = Recording().trace("t")
    for _ in range(2):
        monkeypatch.delitem(sys.modules, "difflib", raising=False)
        trace.error_sync("e", statsu=1)  # type: ignore[call-arg]
    assert "difflib" not in sys.modules
    assert len(said()) == 1


@pytest.mark.parametrize("method", sorted(OWN))
def test_the_options_that_are_told_are_those_of_the_signature(method):
    """What the log calls valid is what the method takes."""
    signature = inspect.signature(getattr(Trace, f"{method}_sync"))
    own = [each.name for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD and each.name != "self"]
    assert list(OWN[method]) == [name for name in own if name not in COMMON]


UNREADABLE = {
    "usage": [5, "12", [1, 2], {"prompt": 3}, {"promptTokens": "12"}, object()],
    "latency_ms": ["12ms", math.nan, True, [1]],
    "tool_calls": [5, "search", {1, 2}, iter([])],
}


@pytest.mark.parametrize("name, value", [(name, value) for name, values in UNREADABLE.items() for value in values])
def test_a_value_that_can_t_be_read_is_said_and_the_rest_recorded(said, name, value):
    """The event is there with all else; the log names argument, method, line, and what it should be, once."""
    recording = Recording()
    trace = recording.trace("t")
    for _ in range(2):
        trace.llm_response_sync("m", "p", "text", **{name: value})
    event = recording.events[0]
    assert event["content"]["content"] == "text"
    assert not {"usage", "latencyMs"} & event["metadata"].keys()
    (message,) = said()
    assert re.search(
        rf"^{name} of llm_response \(.*test_options\.py:\d+\) (must|should) be .*, not {type(value).__name__}: it is ", message
    )


def test_counts_that_are_none_are_said_beside_those_that_are(said):
    """Of a usage with one bad count the others are recorded, and the bad one is named."""
    recording = Recording()
    recording.trace("t").llm_response_sync("m", "p", usage={"promptTokens": 12, "completionTokens": "many", "totalTokens": None})
    assert recording.events[0]["metadata"]["usage"] == {"promptTokens": 12}
    (message,) = said()
    assert message.startswith("usage['completionTokens'] of llm_response")


def test_what_can_be_read_or_stands_for_none_is_not_said(said):
    """The forms that are documented, and empty ones, pass without a word."""
    trace = Recording().trace("t")
    writes = {"cacheWrite5mTokens": 3, "cacheWrite1hTokens": 4, "cacheCreationTokens": 7}
    for usage in (None, {}, {"promptTokens": None}, {"input_tokens": 3, "output_tokens": 4}, SimpleNamespace(prompt_tokens=3), writes):
        trace.llm_response_sync("m", "p", usage=usage, latency_ms=1.5, tool_calls=({"function": {"name": "a", "arguments": "{}"}},))
    trace.user_message_sync("Hello")  # type: ignore[arg-type]
    trace.embedding_request_sync("text")
    trace.embedding_response_sync("m", "p", 1, 3, total_tokens=4, latency_ms=0)
    span_id = trace.tool_call_request_sync("a", {"name": "a", "arguments": {}}, latency_ms=None, requested_at="")  # type: ignore[arg-type]
    trace.tool_call_response_sync("a", span_id, [], {}, responded_at="2026-01-01T00:00:00Z")
    trace.error_sync("e", status=500)
    assert said() == []


def test_the_other_methods_say_it_too(said):
    """Counts, times, states and lists that are none: each is said once, and its event is there."""
    recording = Recording()
    trace = recording.trace("t")
    trace.embedding_request_sync(each for each in ("a", "b"))  # type: ignore[arg-type]
    trace.embedding_response_sync("m", "p", "two", [3], total_tokens="4")  # type: ignore[arg-type]
    trace.tool_call_request_sync("a", [], requested_at="soon")
    trace.error_sync("e", status="500")  # type: ignore[arg-type]
    assert len(recording.events) == 4
    assert [message.split(" (")[0] for message in said()] == [
        "inputs of embedding_request",
        "total_tokens of embedding_response",
        "embedding_count of embedding_response",
        "first_embedding_dimensions of embedding_response",
        "requested_at of tool_call_request",
        "status of error",
    ]


def test_an_endless_latency_is_a_number_all_the_same():
    """Infinity has no form in JSON: the highest number stands for it, and no text beside it."""
    recording = Recording()
    recording.trace("t").llm_response_sync("m", "p", latency_ms=math.inf)
    metadata = {name: value for name, value in recording.events[0]["metadata"].items() if name != "recordedAt"}
    assert metadata == {"model": "m", "provider": "p", "latencyMs": 2**31 - 1}
