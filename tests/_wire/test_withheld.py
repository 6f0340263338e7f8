"""What stays of an event where contents are not recorded."""

from __future__ import annotations

import json
import re

import pytest

from tests._recording.recording import Recording
from tests.planted import WORD, explicit_ways
from whyops._wire import withheld


def shown(_value: object) -> str:
    return "[…]"


WAYS = list(explicit_ways())
PLACES = list(dict.fromkeys(re.split("[=:]", name)[0] for name, _ in WAYS))


@pytest.mark.parametrize("place", PLACES)
def test_no_place_of_any_method_lets_content_through(place):
    """Whatever stands there: the event is recorded, and holds nothing of it."""
    for name, way in WAYS:
        if re.split("[=:]", name)[0] == place:
            recording = Recording(capture_content=False)
            way(recording.trace("t"))
            (line,) = recording.lines
            assert WORD.encode() not in line, name
            assert WORD not in json.dumps(json.loads(line), ensure_ascii=False), name


def test_metadata_of_a_trace_is_content():
    """What a caller says of a trace is on each of its events, and is left out of each."""
    recording = Recording(capture_content=False)
    trace = recording.trace("t", metadata={"note": WORD, WORD: 1, "deep": {"a": [WORD]}})
    trace.error_sync("x")
    (event,) = recording.events
    assert WORD not in str(event)
    assert event["metadata"]["note"].startswith("[not captured")


@pytest.mark.parametrize("reason", ["stop", "STOP", "tool_calls", "tool-calls", "end_turn", "FinishReason.MAX_TOKENS", "content_filter"])
def test_what_is_known_stays(reason):
    """Names, ids, roles, finish reasons that providers have, numbers, and how many there were."""
    recording = Recording(capture_content=False)
    trace = recording.trace("t")
    trace.user_message_sync(
        [{"role": "system", "content": "x"}, {"role": "user", "content": "y", "tool_call_id": "c"}],
        metadata={"tools": [{"name": "look_up", "description": "x"}], "model": "gpt-4o-mini"},
    )
    call = {"id": "call_1", "function": {"name": "look_up", "arguments": "{}"}}
    usage = {"promptTokens": 1, "completionTokens": 2, "totalTokens": 3}
    trace.llm_response_sync("org/model:1", "My provider", "x", tool_calls=[call, call], finish_reason=reason, usage=usage, latency_ms=1.5)
    trace.tool_call_request_sync("look_up", [{"id": "call_1", "name": "look_up", "arguments": {"order_id": "x"}}])
    trace.embedding_request_sync(["x", "y"])
    trace.embedding_response_sync("m", "p", 2, 3)
    asked, answered, requested, texts, vectors = recording.events
    assert [message["role"] for message in asked["content"]] == ["system", "user"]
    assert asked["metadata"]["model"] == "gpt-4o-mini"
    assert asked["metadata"]["tools"][0]["name"] == "look_up"
    assert answered["content"]["finishReason"] == reason
    assert [call["function"]["name"] for call in answered["content"]["toolCalls"]] == ["look_up", "look_up"]
    assert answered["content"]["toolCalls"][0]["id"] == "call_1"
    assert answered["metadata"]["usage"] == usage
    assert (answered["metadata"]["model"], answered["metadata"]["provider"]) == ("org/model:1", "My provider")
    assert (answered["metadata"]["latencyMs"], answered["metadata"]["durationMs"]) == (2, 1.5)
    assert requested["content"]["toolCalls"] == [{"id": "call_1", "name": "look_up", "arguments": {"order_id": "[not captured: 3 bytes]"}}]
    assert len(texts["content"]["input"]) == 2
    assert (vectors["content"]["embeddingCount"], vectors["content"]["firstEmbeddingDimensions"]) == (2, 3)


@pytest.mark.parametrize("reason", ["because of the patient", "stop\nit", "Zebrafish", "x" * 300, "stop."])
def test_a_finish_reason_of_ones_own_is_content(reason):
    """It is free text, unless a provider has it."""
    recording = Recording(capture_content=False)
    recording.trace("t").llm_response_sync("m", "p", "x", finish_reason=reason)
    assert recording.only("llm_response")["content"]["finishReason"].startswith("[not captured")


def test_a_result_tells_whether_it_is_an_error():
    """And nothing else of it."""
    assert withheld.results({"error": "x"}, shown) == {"error": "[…]"}
    assert withheld.results({"error": "x", "more": 1}, shown) == {"error": "[…]"}
    for result in ({"a": 1}, [1], None, "x", {}):
        assert withheld.results(result, shown) == {"result": "[…]"}


def test_labels_are_names_and_numbers():
    """What integrations say of nodes and agents stays as far as it looks like that."""
    labels = {"agent": "Research Agent", "step": 3, "closedEarly": True, "interrupted": "its end was never told", "odd": {"a": 1}}
    assert withheld.labels(labels, shown) == {**labels, "odd": "[…]"}
    assert withheld.labels({"agent": "an agent that is told what it has to do here"}, shown) == {"agent": "[…]"}


def test_an_event_that_nobody_knows_is_left_out_whole():
    """What there is no rule for does not pass."""
    assert withheld.content("new_event", {"a": "x"}, shown) == "[…]"
