"""What callers pass → content and metadata in the service's form."""

from __future__ import annotations

import enum
from typing import Any

import pytest

from whyops._wire import write as contents


class Reason(enum.Enum):
    STOP = "stop"


@pytest.mark.parametrize(
    "messages, content",
    [
        ([{"role": "user", "content": "hi"}], [{"role": "user", "content": "hi"}]),
        ("hi", [{"role": "user", "content": "hi"}]),
        ({"role": "user", "content": "hi"}, [{"role": "user", "content": "hi"}]),
        (["a", {"role": "system", "content": "b"}], [{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]),
    ],
)
def test_messages_become_an_array(messages, content):
    """The service takes the array itself; a bare text or message counts as one."""
    assert contents.user_message(messages, None) == (content, {})


@pytest.mark.parametrize(
    "given, latency",
    [
        (None, {}),
        (11, {"latencyMs": 11}),
        (11.4, {"latencyMs": 11, "durationMs": 11.4}),
        (-3, {"latencyMs": 0}),
        (2**40, {"latencyMs": 2**31 - 1}),
        (float("nan"), {}),
        ("soon", {}),
    ],
)
def test_latency_is_whole_and_bounded(given, latency):
    """The service answers 500 to a fraction, so it goes to `durationMs`."""
    assert contents.latency(given) == latency


def test_names_are_never_missing():
    """A model or provider that is not known is `unknown`; an enum gives its value."""
    assert contents.model_and_provider(None, "") == {"model": "unknown", "provider": "unknown"}
    answer, _ = contents.llm_response("m", "p", None, None, Reason.STOP, None, None)
    assert answer == {"finishReason": "stop"}


@pytest.mark.parametrize(
    "call",
    [
        {"id": "c1", "function": {"name": "f", "arguments": '{"a": 1}'}},
        {"id": "c1", "function": {"name": "f", "arguments": {"a": 1}}},
        {"id": "c1", "name": "f", "args": {"a": 1}},
    ],
)
def test_a_models_tool_call_has_its_arguments_as_text(call):
    """Whatever form a tool call comes in, the service gets the arguments as a JSON string."""
    called = {"name": "f", "arguments": '{"a": 1}'}
    assert contents.model_tool_call(call) == {"id": "c1", **called, "function": called}


def test_the_proxys_argument_is_left_out():
    """`_whyops_trace_id` is the proxy's, and not part of the call."""
    content, _ = contents.tool_call_request("f", [{"name": "f", "arguments": {"a": 1, "_whyops_trace_id": "t"}}], None, None)
    assert content == {"name": "f", "toolCalls": [{"name": "f", "arguments": {"a": 1}}]}


def test_what_the_proxy_signed_is_recorded_unsigned():
    """The proxy's invisible signature is in answers, and so in the history of the next question; it is no part of the text."""
    signature = "\u200b" + "\u200c" * 8 + "\u200e"
    answer, _ = contents.llm_response("m", "p", f"Hi!{signature}", None, None, None, None)
    assert answer == {"content": "Hi!"}
    asked = {"role": "assistant", "content": f"Hi!{signature}"}
    messages, _ = contents.user_message([asked], None)
    assert messages == [{"role": "assistant", "content": "Hi!"}]
    assert asked["content"] == f"Hi!{signature}"
    parts = [{"type": "text", "text": "Hi!"}]
    assert contents.llm_response("m", "p", parts, None, None, None, None)[0]["content"] is parts


@pytest.mark.parametrize(
    "result, outcome", [({"a": 1}, {"a": 1}), ([1], {"result": [1]}), (None, {"result": None}), ("x", {"result": "x"})]
)
def test_results_are_an_object(result, outcome):
    """A dict is the result as it is; anything else is under `result`."""
    assert contents.tool_outcome(result) == outcome


def test_metadata_that_the_service_reads_is_made_storable():
    """A caller's metadata is kept, but for values that would make the service refuse the event."""
    given: dict[Any, Any] = {"latencyMs": 1.5, "model": "m" * 300, "usage": {"promptTokens": 1.0}, "none": None, 7: "seven"}
    kept = contents.storable_metadata(given)
    assert kept["latencyMs"] == 2
    assert kept["usage"]["promptTokens"] == 1
    assert kept[7] == "seven"
    assert "none" not in kept
    assert contents.storable_metadata(None) == {}
    assert contents.storable_metadata("odd") == {"value": "odd"}


def test_an_error_may_be_an_exception():
    """An exception in place of a message brings its type and stack along."""
    content, _ = contents.error(ValueError("no"), 404.0, None, tells_text=True)
    assert content["message"] == "no"
    assert content["type"] == "ValueError"
    assert content["status"] == 404
    assert contents.error("plain", None, "a stack", tells_text=True)[0] == {"message": "plain", "stack": "a stack"}


def test_vectors_are_described_by_whole_numbers():
    """Counts that are missing or odd become numbers that the service takes."""
    content, metadata = contents.embedding_response("m", "p", 2.0, None, 8.0, None)
    assert content == {"object": "list", "embeddingCount": 2, "firstEmbeddingDimensions": 0, "encodingFormat": "float"}
    assert metadata == {"model": "m", "provider": "p", "usage": {"totalTokens": 8}}
