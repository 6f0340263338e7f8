"""What a provider's own request tells of tools, and its error of what went wrong."""

from __future__ import annotations

from typing import Any

import pytest

from whyops._wire.model_tool_call import ModelToolCall
from whyops._wire.read import Message, RecordedEvent
from whyops._wire.used import Usage

USER = {"role": "user", "content": "Hi"}


def chat_call(number: int, name: str, arguments: str = "{}") -> dict[str, Any]:
    return {"id": f"c{number}", "type": "function", "function": {"name": name, "arguments": arguments}}


def assistant(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls)}


def tool(number: int, content: object) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": f"c{number}", "content": content}


CHAT = [USER, assistant(chat_call(1, "f", '{"a": 1, "_whyops_trace_id": "t"}')), tool(1, '{"ok": true}')]
TWO = [USER, assistant(chat_call(1, "f"), chat_call(2, "g")), tool(2, "two"), tool(1, "one")]
OLD = [*CHAT, {"role": "assistant", "content": "Done."}, USER, assistant(chat_call(2, "g")), tool(2, "two")]
ITEMS = [
    {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
    {"type": "reasoning", "id": "r"},
    {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a": 1}'},
    {"type": "function_call_output", "call_id": "c1", "output": "[1, 2]"},
]
BLOCKS = [
    USER,
    {
        "role": "assistant",
        "content": ["Hm", {"type": "text", "text": "Well"}, {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}}],
    },
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "x"}, {"text": "y"}]}]},
]
IMAGE = [USER, assistant(chat_call(1, "f")), tool(1, [{"type": "image_url"}])]


@pytest.mark.parametrize(
    "content, calls, result",
    [
        (CHAT, [("f", {"a": 1})], {"ok": True}),
        ({"model": "m", "messages": CHAT}, [("f", {"a": 1})], {"ok": True}),
        (TWO, [("g", {}), ("f", {})], ["two", "one"]),
        (OLD, [("g", {})], "two"),
        (ITEMS, [("f", {"a": 1})], [1, 2]),
        ({"model": "m", "input": ITEMS}, [("f", {"a": 1})], [1, 2]),
        (BLOCKS, [("f", {"a": 1})], "x\ny"),
        (IMAGE, [("f", {})], [{"type": "image_url"}]),
        ([USER, tool(1, "lost")], [], "lost"),
        ([USER, tool(1, "{no JSON")], [], "{no JSON"),
        ([USER, assistant({"id": "c1"}), {"role": "function", "name": "f", "content": "x"}], [], "x"),
        ([USER, assistant({"id": "c1", "function": {}}), tool(1, "x")], [("unknown", None)], "x"),
        ([None, 5, "x", {}, tool(1, "x")], [], "x"),
        ([USER], [], [USER]),
        ({"toolName": "f", "output": 1}, [], 1),
        ("text", [], "text"),
    ],
)
def test_the_last_results_are_what_tools_gave(content: object, calls: list[tuple[str, object]], result: object) -> None:
    """In any provider's form, with the calls that they belong to; what is no prompt is the result itself."""
    event = RecordedEvent({"eventType": "tool_result", "content": content})
    assert event.tool_calls == tuple(ModelToolCall(None, *call) for call in calls)
    assert event.result == result
    assert event.failure is None


def test_a_place_leads_to_what_was_told() -> None:
    """Views that show a value where it stands find it by its path."""
    for content in (CHAT, ITEMS, BLOCKS, {"messages": CHAT}):
        event = RecordedEvent({"eventType": "tool_result", "content": content})
        way, _ = event.prompt
        (one,) = event.told
        assert one.call is not None
        for path in (one.path, one.call.path):
            found: Any = event.raw
            for step in (*way, *path):
                found = found[step]
            assert found in (
                '{"ok": true}',
                "[1, 2]",
                BLOCKS[2]["content"][0]["content"],
                '{"a": 1}',
                {"a": 1},
                CHAT[1]["tool_calls"][0]["function"]["arguments"],
            )


@pytest.mark.parametrize(
    "content, roles",
    [
        (ITEMS, ["user", "assistant", "assistant", "tool"]),
        ({"model": "m", "input": ITEMS}, ["user", "assistant", "assistant", "tool"]),
        ({"model": "m", "messages": CHAT}, ["user", "assistant", "tool"]),
        ([{"text": "Hi"}], ["user"]),
        ([{"role": "", "content": "Hi"}], ["user"]),
    ],
)
def test_who_speaks_in_a_prompt(content: object, roles: list[str]) -> None:
    """Items without a role have one by their type."""
    assert [message.role for message in RecordedEvent({"eventType": "user_message", "content": content}).messages] == roles


def test_a_prompt_that_the_service_reduced_is_the_users_text() -> None:
    """It keeps the users' texts of a list of messages."""
    assert RecordedEvent({"eventType": "user_message", "content": "Hi\nThere?"}).messages == (Message("user", "Hi\nThere?"),)


OPENAI = {"error": {"message": "no such model", "type": "invalid_request_error", "param": None, "code": "model_not_found"}}


@pytest.mark.parametrize(
    "content, failure",
    [
        (OPENAI, "invalid_request_error: no such model"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "overloaded_error: Overloaded"),
        ({"error": '{"error": {"message": "no such model", "type": "t"}}', "status": 404}, "t: no such model"),
        ({"error": "Bad gateway", "status": 502}, "Bad gateway"),
        ({"error": "[1]"}, "[1]"),
        ({"error": ["no"]}, "['no']"),
        ({"error": {"code": 5}}, "{'code': 5}"),
        ({"message": "no", "error": {"message": "other"}}, "no"),
        ({"message": "no", "type": "ValueError"}, "ValueError: no"),
        ({"error": None}, "{'error': None}"),
        ("no", "no"),
        (None, "None"),
    ],
)
def test_an_error_is_its_message(content: object, failure: str) -> None:
    """Wherever a provider's answer has it, and the whole of what has none."""
    assert RecordedEvent({"eventType": "error", "content": content}).failure == failure


def test_an_error_may_lie_deep() -> None:
    """However deep."""
    content: object = {"message": "no"}
    for _ in range(10_000):
        content = {"error": content}
    assert RecordedEvent({"eventType": "error", "content": content}).failure == "no"


@pytest.mark.parametrize(
    "content, answer",
    [
        ({"content": "Hi", "refusal": "No."}, "Hi"),
        ({"refusal": "I can't."}, "I can't."),
        ({"text": "Hi", "toolCalls": []}, "Hi"),
        ({"toolCalls": []}, None),
        ("Hi", "Hi"),
    ],
)
def test_an_answer_is_its_text(content: object, answer: object) -> None:
    """Also a refusal, and a text that the service reduced an assistant's message to."""
    assert RecordedEvent({"eventType": "llm_response", "content": content}).answer == answer


@pytest.mark.parametrize(
    "given, count",
    [("Hi", 1), ("", 0), (["a", "b"], 2), ([1, 2, 3], 1), ([[1, 2], [3]], 2), ([], 0), (None, 0)],
)
def test_texts_to_embed(given: object, count: int) -> None:
    """One text may stand for itself, and a text may be the numbers of its tokens."""
    assert len(RecordedEvent({"eventType": "embedding_request", "content": {"input": given}}).inputs) == count


PROXIED: Any = {"promptTokens": 10, "completionTokens": 2, "totalTokens": 12, "cacheReadTokens": 7}
WRITES: Any = {"cacheWrite5mTokens": 1, "cacheWrite1hTokens": 4, "cacheCreationTokens": 5}


@pytest.mark.parametrize(
    "usage, expected",
    [
        (PROXIED, Usage(3, 2, 7)),
        ({**PROXIED, "totalTokens": 19}, Usage(10, 2, 7)),
        ({**PROXIED, "promptTokens": 3, "totalTokens": 5}, Usage(3, 2, 7)),
        ({"promptTokens": 3, "completionTokens": 2, "totalTokens": 17, "cacheReadTokens": 7, **WRITES}, Usage(3, 2, 7, 5)),
        ({"prompt_tokens": 3, "total_tokens": 3}, Usage(3)),
        ({"promptTokens": 3, "completionTokens": 2}, Usage(3, 2)),
        ({}, Usage()),
        (None, Usage()),
    ],
)
def test_proxied_counts(usage: object, expected: Usage) -> None:
    """OpenAI's prompt count includes the cached tokens, as its total tells, and Anthropic's does not; each counts once."""
    for key in (None, "hash_0123"):
        assert RecordedEvent({"idempotencyKey": key, "metadata": {"usage": usage}}).usage == expected


def test_our_own_counts_are_as_they_say() -> None:
    """The prompt's leaves the cached tokens out, whatever the total: we recorded it so."""
    assert RecordedEvent({"idempotencyKey": "0123456789abcdef-7", "metadata": {"usage": PROXIED}}).usage == Usage(10, 2, 7)
