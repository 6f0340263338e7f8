"""What a model answered, in our form, whoever told it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..types import ToolCallItem
from .said import Said


@dataclass
class ServerCall:
    """A tool's call that the provider's server made while the model answered."""

    name: str
    arguments: dict[str, object]
    id: object = None
    result: object = None
    failed: bool = False


@dataclass
class Answer:
    """One of the alternatives that a model gave, as far as it gave it."""

    content: object = None
    thinking: list[tuple[str, object]] = field(default_factory=list)
    tool_calls: list[ToolCallItem] = field(default_factory=list)
    finish_reason: object = None
    model: object = None
    provider: object = None
    usage: object = None
    cached: bool = False
    server_calls: list[ServerCall] = field(default_factory=list)
    more: dict[str, object] = field(default_factory=dict)
    """What else the event's metadata is to say."""

    said: Said | None = None
    """The answer as a message of a later prompt, if that holds what is recorded of it, and no more."""

    failure: object = None
    """What the provider says went wrong, where it says so in its answer and raises nothing: its `message`, and its `type` or `code`."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing has come of it."""
        return not (self.content or self.thinking or self.tool_calls or self.server_calls)


def is_told_by(answer: Answer, message: Mapping[str, Any]) -> bool:
    """Tell whether a message of a later prompt, in our form, holds what is recorded of an answer, and no more."""
    calls = message.get("tool_calls", [])
    return bool(message["role"] == "assistant" and message["content"] == (answer.content or "") and calls == answer.tool_calls)
