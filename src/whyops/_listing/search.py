"""What is searched for → the texts that a line must hold for it, and whether an event really has it, with the words around. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from .._wire.read import RecordedEvent

BEFORE, AFTER = 40, 120
"""Letters of an excerpt around what was found."""
_MOST = 200
_NODES = ("langgraph_node", "step")
_SEARCHED = ("content", "metadata", "traceId", "agentName", "externalUserId", "spanId", "eventType")

_WORDS = {
    "user_message": "user",
    "llm_response": "model",
    "llm_thinking": "thinking",
    "tool_call_request": "call",
    "tool_call_response": "result",
    "tool_result": "result",
}


@dataclass(frozen=True)
class Excerpt:
    """Where something was found: in what event, and the text before it, itself and after it."""

    where: str
    before: str
    match: str
    after: str


@dataclass(frozen=True)
class Wanted:
    """A text anywhere in an event, in either case; or, with `node`, the graph's node or workflow's step in which an event happened."""

    text: str
    node: bool = False

    @classmethod
    def all_of(cls, text: str, node: str) -> list[Wanted]:
        """Return what is wanted by a search for a text and a node, either of which may be empty."""
        return [*([cls(node, node=True)] if node else ()), *([cls(text[:_MOST])] if text else ())]

    def texts(self) -> list[str]:
        """Return the texts of which a line has one, if it holds an event that is wanted: as JSON writes them, also JSON within JSON."""
        if self.node:
            return _as_json(self.text)
        cases = [self.text] if self.text.isascii() else [self.text, self.text.lower(), self.text.upper(), self.text.capitalize()]
        return list(dict.fromkeys(form for text in cases for form in _as_json(text)))

    def found_in(self, events: Iterable[RecordedEvent]) -> Excerpt | None:
        """Return where the first of the events has what is wanted; None if none has."""
        return next((excerpt for event in events if (excerpt := self._excerpt(event)) is not None), None)

    def _excerpt(self, event: RecordedEvent) -> Excerpt | None:
        if self.node:
            is_there = any(event.metadata.get(name) == self.text for name in _NODES)
            return Excerpt(_where(event), "", "", "") if is_there else None
        result = event.result if event.type == "tool_call_response" else None
        for value in (result, *(event.raw.get(name) for name in _SEARCHED)):
            text = value if isinstance(value, str) else _compact(value)
            for form in (self.text, *_as_json(self.text)):
                if (at := text.lower().find(form.lower())) >= 0:
                    end = at + len(form)
                    return Excerpt(_where(event), text[max(at - BEFORE, 0) : at], text[at:end], text[end : end + AFTER])
        return None


def node_of(event: RecordedEvent) -> str | None:
    """Return the graph's node or workflow's step in which an event happened, if it says so."""
    return next((node for name in _NODES if isinstance(node := event.metadata.get(name), str)), None)


def _where(event: RecordedEvent) -> str:
    what = _WORDS.get(event.type, event.type)
    return f"{what} of {event.tool}" if event.tool else what


def _compact(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    except (ValueError, TypeError, RecursionError):
        return ""


def _as_json(text: str) -> list[str]:
    """Return how a text may stand in a line: with letters as they are or as escapes, and in a text that is itself JSON."""
    once = [json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (False, True)]
    twice = [json.dumps(form)[1:-1] for form in once]
    return list(dict.fromkeys([*once, *twice]))
