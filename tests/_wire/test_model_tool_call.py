"""Tool calls, in whatever form they stand."""

from __future__ import annotations

import pytest

from whyops._wire.model_tool_call import ModelToolCall, tool_calls_in


@pytest.mark.parametrize(
    "given, call",
    [
        ({"id": "c", "name": "f", "arguments": {"a": 1}}, ModelToolCall("c", "f", {"a": 1})),
        ({"id": "c", "function": {"name": "f", "arguments": '{"a": 1}'}}, ModelToolCall("c", "f", {"a": 1})),
        ({"name": "f", "args": {"a": 1}}, ModelToolCall(None, "f", {"a": 1})),
        ({"name": "f", "arguments": "no JSON"}, ModelToolCall(None, "f", "no JSON")),
        ("no call", ModelToolCall(None, "unknown", None)),
    ],
)
def test_a_call(given: object, call: ModelToolCall) -> None:
    """In our form, in OpenAI's with its `function`, in LangChain's; what is none of them is a call of nothing that is known."""
    assert tool_calls_in([given]) == (call,)


@pytest.mark.parametrize("given", [None, "f", 7, {}, []])
def test_no_calls(given: object) -> None:
    """What is no list holds none."""
    assert tool_calls_in(given) == ()
