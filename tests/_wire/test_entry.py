"""What the local store takes from an event, beside what all else reads from it."""

from __future__ import annotations

import itertools
import json

import pytest

from tests._store.lines import event
from whyops._wire.entry import Entry
from whyops._wire.read import RecordedEvent

CONTENTS = (
    {"toolCalls": [{"function": {"name": "look"}}], "toolResults": {"error": "no"}},
    {"toolCalls": [7, {}, {"name": "seek"}], "toolResults": {"error": ""}},
    {"toolName": "find", "toolResults": [{"error": "no"}]},
    {"toolName": 7, "toolCalls": "look"},
    "text",
    None,
)
TIMES = ("2026-11-23T18:14:02.125Z", "2026-11-23T18:14:02.125001Z", "2026-11-23T18:14:02Z", "2026-02-30T00:00:00.000Z", "x", 7)
KINDS = ("tool_call_request", "tool_call_response", "tool_result", "error", "user_message", "llm_response", "mine", "", 7)


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {"latencyMs": 20, "tool": "look"},
        {"tool": "look", "stands_for": "run", "usage": {"totalTokens": 3}},
        {"tool": 7, "stands_for": "", "recordedAt": TIMES[1], "startedAt": "2026-11-23T18:14:01Z", "durationMs": 0.5, "usage": 3},
        {"recordedAt": "x", "startedAt": 7, "durationMs": True, "latencyMs": -1, "promptIds": "x", "usage": {"promptTokens": 2}},
    ],
)
def test_it_tells_what_the_event_tells(metadata: dict[str, object] | None) -> None:
    """Of any kind, content and time, with metadata or without."""
    for kind, content, time in itertools.product(KINDS, CONTENTS, TIMES):
        raw = event(eventType=kind, content=content, timestamp=time, spanId="s", metadata=metadata)
        entry, read = Entry.of(raw, json.dumps(raw).encode()), RecordedEvent(raw)
        assert (entry.kind, entry.key, entry.span, entry.at, entry.began) == (read.type, read.key, read.span_id, read.at, read.began_at)
        is_tool = read.type in ("tool_call_request", "tool_call_response", "tool_result") and read.stands_for is None
        assert entry.tool == (read.tool if is_tool else None)
        assert entry.failed == (read.type == "tool_call_response" and read.stands_for is None and read.failure is not None)
        assert entry.tokens == (read.usage.given, read.usage.completion)
        assert entry.by_user == (read.type == "user_message")


METADATA = {"tool": "look", "recordedAt": TIMES[1], "startedAt": TIMES[0], "latencyMs": 12, "durationMs": 12.5, "runId": "r-1"}


@pytest.mark.parametrize("kind", ["tool_call_request", "tool_call_response", "user_message", "llm_thinking", "error"])
def test_an_event_as_clients_write_it_makes_no_other_object(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """With its metadata: what it tells is taken from the parsed JSON."""
    made: list[object] = []
    monkeypatch.setattr("whyops._wire.entry.RecordedEvent", made.append)
    entry = Entry.of(event(kind=kind, content=CONTENTS[0], metadata=METADATA), b"{}")
    assert (entry.failed, entry.tool) == (kind == "tool_call_response", "look" if "tool" in kind else None)
    assert made == []
