"""Messages as frameworks hold them → as an event carries them: roles, parts, tool calls, and what is sent along with a prompt.

Pure, and knows no framework: each handler takes its own objects apart and hands plain values in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._encoding import Encode
from .._runtime.safely import safely
from .._wire.names import PROXY_ARGUMENT
from .._wire.signature import strip_signature
from .._wire.write import known
from ..types import MessageItem, ToolCallFunction, ToolCallItem, UserMessageMetadata

MAX_DATA = 4096
"""The most characters of an image, sound or file that stand in a message; of longer ones only kind and length do."""

_ROLES = {
    "ai": "assistant",
    "assistant": "assistant",
    "chatbot": "assistant",
    "developer": "system",
    "function": "tool",
    "human": "user",
    "model": "assistant",
    "system": "system",
    "tool": "tool",
    "user": "user",
}
_TEXT_KEYS = frozenset({"", "text", "thinking", "reasoning", "refusal"})
_DATA_KEYS = frozenset({"audio", "b64_json", "base64", "bytes", "data", "document", "file_data", "image", "video"})
_DEEPEST = 6
_BASE64 = re.compile(rf"[A-Za-z0-9+/_=-]{{{MAX_DATA}}}")
"""How data begins that stands under a name which does not tell it: no text is so long without a blank."""


_as_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def role_of(name: object) -> str:
    """Return system, user, assistant or tool for a framework's name of a role; a name that nobody knows stays."""
    found = _ROLES.get(name) if type(name) is str else None
    if found is not None:
        return found
    text = str(getattr(name, "value", name)).lower()
    text = text.removesuffix("messagechunk").removesuffix("message")
    return _ROLES.get(text, text)


def shown_content(content: object, key: str = "", depth: int = 0) -> object:
    """Return a message's content as it is recorded: without the proxy's signatures, and with long binary data told by its length.

    `key` and `depth` say where in the content of a message it stands.
    """
    if isinstance(content, str):
        is_named = content.startswith("data:") or key in _DATA_KEYS
        is_data = len(content) > MAX_DATA and (is_named or (key not in _TEXT_KEYS and _BASE64.match(content) is not None))
        return _told(content) if is_data else strip_signature(content)
    if isinstance(content, (bytes, bytearray)):
        return f"[{len(content)} bytes]"
    if depth < _DEEPEST:
        if isinstance(content, dict):
            return {name: shown_content(each, str(name).lower(), depth + 1) for name, each in content.items()}
        if isinstance(content, (list, tuple)):
            return [shown_content(each, key, depth + 1) for each in content]
    return content


def text_of(content: object) -> str:
    """Return the text of a content that is text or a list of parts; parts of other kinds add nothing."""
    if isinstance(content, str):
        return strip_signature(content)
    if not isinstance(content, list):
        return ""
    texts = (part.get("text") if isinstance(part, dict) and part.get("type", "text") == "text" else part for part in content)
    return strip_signature("".join(text for text in texts if isinstance(text, str)))


def kind_of(part: object) -> object:
    """Return the type of a message's part."""
    return part.get("type", "text") if isinstance(part, dict) else "text" if isinstance(part, str) else None


def message_item(role: object, content: object, calls: list[ToolCallItem], names: Mapping[str, object]) -> MessageItem:
    """Return a message of a prompt. `names` may hold the texts `tool_call_id` and `name`, which some messages have besides."""
    more: dict[str, Any] = {"tool_calls": calls} if calls else {}
    if names:
        more.update((name, names[name]) for name in ("tool_call_id", "name") if isinstance(names.get(name), str))
    return {"role": role_of(role), "content": content, **more}  # type: ignore[typeddict-item]  # with what some messages have besides


def retrieved(id_: object, content: object, metadata: object, score: object) -> dict[str, object]:
    """Return what a retriever found, without what is not known of it."""
    return known({"id": id_, "content": content, "metadata": None if metadata == {} else metadata, "score": score})


def first_of(places: Iterable[Mapping[str, Any]], names: Sequence[str]) -> Any:
    """Return the first value that is something, under one of `names` in one of `places`; None if there is none."""
    for place in places:
        if place:
            for name in names:
                if place.get(name):
                    return place[name]
    return None


def first_text(held: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """Return the first text that is not empty, under one of `names`; None if there is none."""
    return next((held[name] for name in names if isinstance(held.get(name), str) and held[name]), None)


def tool_call(name: object, arguments: object, call_id: object, encode: Encode) -> ToolCallItem:
    """Return a tool call that a model asked for: arguments as JSON text, without the one that the proxy adds.

    `encode` makes the text where the arguments are no plain JSON.
    """
    function: ToolCallFunction = {"name": str(name or "unknown"), "arguments": _arguments(arguments, encode)}
    return {"function": function, "id": str(call_id)} if call_id else {"function": function}


def prompt_metadata(
    messages: Sequence[MessageItem], tools: Sequence[object] | None = None, params: Mapping[str, object] | None = None
) -> UserMessageMetadata:
    """Return what goes along with a prompt: the text of its system messages, the tools offered and the parameters, where there are any."""
    system = [text for message in messages if message["role"] == "system" and (text := text_of(message["content"]))]
    metadata = {
        "systemPrompt": "\n\n".join(system),
        "tools": [offered_tool(tool) for tool in tools or ()],
        "params": known(params or {}),
    }
    return {name: value for name, value in metadata.items() if value}  # type: ignore[return-value]  # those that are there


def begins_a_turn(messages: Sequence[MessageItem]) -> bool:
    """Tell whether a user speaks last; instructions after that change nothing, and instructions alone are a question too."""
    last = next((message["role"] for message in reversed(messages) if message["role"] != "system"), "user")
    return bool(messages) and last == "user"


def offered_tool(tool: object) -> dict[str, Any]:
    """Return a tool that a model may call as `{"name", "description"?, "parameters"?}`, from OpenAI's, Anthropic's or Google's form."""
    if not isinstance(tool, dict):
        return {"name": str(getattr(tool, "name", None) or getattr(tool, "__name__", None) or type(tool).__name__)}
    given = tool["function"] if isinstance(tool.get("function"), dict) else tool
    name = given.get("name") or given.get("title") or given.get("type")
    if not name:
        return dict(tool)
    parameters = next((given[key] for key in ("parameters", "input_schema", "inputSchema") if key in given), None)
    return known({"name": str(name), "description": given.get("description"), "parameters": parameters})


def _told(data: str) -> str:
    """Say of a data URL, or of bare base64, what it is and how long."""
    head, comma, _ = data[:200].partition(",") if data.startswith("data:") else ("", "", "")
    return f"{head}{comma}[{len(data) - len(head) - len(comma)} characters]"


def _arguments(arguments: object, encode: Encode) -> str:
    if isinstance(arguments, str):
        held = safely(json.loads, arguments) if PROXY_ARGUMENT in arguments else None
        if not isinstance(held, dict):
            return arguments
        arguments = held
    if isinstance(arguments, Mapping):
        arguments = {name: value for name, value in arguments.items() if name != PROXY_ARGUMENT}
    try:
        return _as_json({} if arguments is None else arguments)
    except (TypeError, ValueError, RecursionError):
        return encode(arguments)[0]
