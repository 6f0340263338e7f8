"""Messages as spans hold them → messages and answers in our form. Pure.

Read are the conventions' parts (`type`, `content`), the chat APIs' messages (`content`, `tool_calls`), and Bedrock's blocks (`text`,
`toolUse`), which some frameworks put into events as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._encoding import Encode
from ..._providers.answer import Answer
from ..._providers.messages import message_item, role_of, shown_content, tool_call
from ...types import MessageItem, ToolCallItem
from ._told import first, from_json, said, text

_THOUGHTS = frozenset({"reasoning", "thinking"})
_RESULTS = frozenset({"tool_call_response", "tool_result", "function_response"})
_ROLES = {"tool-call": "assistant", "tool-response": "tool"}
"""What smolagents calls them."""

_CALLS = frozenset({"tool_call", "tool_use", "function_call"})


@dataclass(slots=True)
class Message:
    """A message taken apart; `results` are what tools gave: the id of the call, its content, the tool's name."""

    role: str
    content: list[Any] = field(default_factory=list)
    calls: list[ToolCallItem] = field(default_factory=list)
    thinking: list[tuple[str, object]] = field(default_factory=list)
    results: list[tuple[object, object, object]] = field(default_factory=list)

    @property
    def shown(self) -> object:
        """What was said: text, or a list of parts if it is more than text."""
        if all(isinstance(part, str) for part in self.content):
            return "".join(self.content)
        return shown_content([{"type": "text", "text": part} if isinstance(part, str) else part for part in self.content])

    def items(self) -> list[MessageItem]:
        """Return it as messages of a prompt: each tool's result is one of its own."""
        told = [message_item("tool", content, [], {"tool_call_id": id_, "name": name}) for id_, content, name in self.results]
        if self.results and not self.content and not self.calls:
            return told
        return [*told, message_item(self.role, self.shown, self.calls, {})]

    def answer(self, finish_reason: object) -> Answer:
        """Return it as a model's answer."""
        content = self.shown
        answer = Answer(content or (None if self.calls else ""), self.thinking, self.calls, finish_reason)
        answer.said = said(message_item("assistant", content, self.calls, {}))
        return answer


def message_of(role: object, content: object, encode: Encode, calls: object = None, call_id: object = None) -> Message:
    """Return a message, taken apart. `content` is text, a part or a list of parts; `calls` are those of a chat API's message."""
    message = Message(role_of(_ROLES.get(str(role), role) or "user"))
    parts = content if isinstance(content, Sequence) and not isinstance(content, (str, bytes)) else [content]
    if message.role == "tool" and not any(_is_result(part) for part in parts):
        message.results.append((call_id, tool_content(content), None))
        return message
    for part in parts:
        _take(message, part, encode)
    for call in calls if isinstance(calls, (list, tuple)) else ():
        if isinstance(call, Mapping):
            held = call["function"] if isinstance(call.get("function"), Mapping) else call
            message.calls.append(tool_call(held.get("name"), held.get("arguments"), call.get("id"), encode))
    return message


def tool_content(content: object) -> object:
    """Return what a tool gave: a text, or the text of parts that are nothing else, or the value as it is."""
    held = from_json(content) if isinstance(content, str) and content.startswith("[{") else content
    if isinstance(held, (list, tuple)) and held and all(isinstance(part, Mapping) for part in held):
        texts = [part.get("text", part.get("content")) for part in held if part.keys() <= {"text", "type", "content"}]
        if len(texts) == len(held) and all(isinstance(each, str) for each in texts):
            return "\n".join(texts)
    return shown_content(held)


def _is_result(part: object) -> bool:
    return isinstance(part, Mapping) and (part.get("type") in _RESULTS or "toolResult" in part)


def _take(message: Message, part: object, encode: Encode) -> None:
    """Put a part where it belongs."""
    if not isinstance(part, Mapping):
        if part is not None:
            message.content.append(part if isinstance(part, str) else str(part))
        return
    kind, held = part.get("type"), part
    for name, meaning in (("toolUse", "tool_call"), ("toolResult", "tool_result"), ("reasoningContent", "reasoning")):
        inner = part.get(name)
        if isinstance(inner, Mapping):
            kind, held = meaning, inner
    if kind in _CALLS:
        arguments = first(held, "arguments", "input", "args")
        message.calls.append(tool_call(held.get("name"), arguments, first(held, "id", "toolUseId", "call_id"), encode))
    elif kind in _RESULTS:
        content = tool_content(first(held, "response", "result", "content", "output"))
        message.results.append((first(held, "id", "toolUseId", "call_id", "tool_use_id"), content, held.get("name")))
    elif kind in _THOUGHTS:
        inner = held.get("reasoningText")
        held = inner if isinstance(inner, Mapping) else held
        if (thought := text(first(held, "content", "text", "thinking"))) is not None:
            message.thinking.append((thought, held.get("signature")))
    elif kind in {"text", None} and isinstance(said_ := first(held, "content", "text"), str):
        message.content.append(said_)
    else:
        message.content.append(dict(part))
