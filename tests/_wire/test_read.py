"""What an event tells, whatever a client wrote into it."""

from __future__ import annotations

import pytest

from whyops._wire.read import RecordedEvent, decode
from whyops._wire.used import Usage


@pytest.mark.parametrize("line", [b"", b"\n", b"{", b"[]\n", b"1\n", b"\xff\xfe\n", b'{"a": "\xff"}\n', b"[" * 200_000])
def test_what_is_no_object_is_none(line: bytes) -> None:
    """A line that holds no JSON object is told apart, not raised about."""
    assert decode(line) is None


def test_a_number_of_any_length_is_read() -> None:
    """A number of more digits than Python converts does not cost the event."""
    assert decode(b'{"n": ' + b"9" * 5000 + b"}\n") == {"n": "9" * 5000}


@pytest.mark.parametrize(
    "usage, expected",
    [
        ({"promptTokens": 42, "completionTokens": 16, "totalTokens": 58}, Usage(42, 16)),
        ({"totalTokens": 100, "completionTokens": 20}, Usage(completion=20, unsplit=80)),
        ({"totalTokens": 100}, Usage(unsplit=100)),
        ({"totalTokens": 5, "completionTokens": 20}, Usage(completion=20)),
        ({"promptTokens": 2, "cacheReadTokens": 3, "cacheCreationTokens": 4, "totalTokens": 9}, Usage(2, 0, 3, 4)),
        ({"promptTokens": 2, "cacheWrite5mTokens": 3, "cacheWrite1hTokens": 4, "totalTokens": 9}, Usage(2, 0, 0, 7)),
        (
            {"promptTokens": 2, "cacheWrite5mTokens": 3, "cacheWrite1hTokens": 4, "cacheCreationTokens": 7, "totalTokens": 9},
            Usage(2, 0, 0, 7),
        ),
        ({"promptTokens": 2, "cacheWrite1hTokens": 4}, Usage(2, 0, 0, 4)),
    ],
)
def test_what_only_a_total_tells_is_counted_once(usage: object, expected: Usage) -> None:
    """A total that is more than its parts has tokens of which nobody said what they are."""
    read = RecordedEvent({"metadata": {"usage": usage}}).usage
    assert read == expected
    assert read.given + read.completion == read.total


@pytest.mark.parametrize(
    "event, tool",
    [
        ({"metadata": {"tool": "a"}, "content": {"toolName": "b"}}, "a"),
        ({"content": {"toolName": "b", "toolCalls": [{"name": "c"}]}}, "b"),
        ({"content": {"toolCalls": [{}, {"function": {"name": "c"}}]}}, "c"),
        ({"content": {"toolCalls": [7]}}, None),
        ({}, None),
    ],
)
def test_the_name_of_a_tool(event: dict[str, object], tool: str | None) -> None:
    """It is where the event says it, in the order in which clients mean it."""
    assert RecordedEvent(event).tool == tool
