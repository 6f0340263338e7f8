"""What tools and retrievers of LangChain's were given and gave → plain values. Pure, and imports no LangChain."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..._providers.messages import kind_of, retrieved, role_of, shown_content
from ..._providers.said import Said
from ..._wire.names import PROXY_ARGUMENT
from ._translate import content_of, is_empty, said

_SCORES = ("score", "relevance_score", "_score")
_DEEPEST = 4
_PARTS = frozenset({"text", "image", "image_url", "audio", "file", "video", "text-plain"})


@dataclass
class Outcome:
    """What a tool gave: its result, and whether it says that it failed."""

    result: object
    failed: bool = False
    tool_call_id: object = None
    said: Said | None = None
    """The message that tells a model of it, if that holds the result as it is."""


def arguments_of(inputs: object, input_str: object) -> dict[str, object]:
    """Return a tool's arguments by name; a tool that takes a text is called with `input`. The proxy's argument is none of them."""
    if not isinstance(inputs, Mapping):
        return {"input": input_str if inputs is None else inputs}
    return {str(name): value for name, value in inputs.items() if name != PROXY_ARGUMENT}


def outcome_of(output: Any, tool_call_id: object = None, *, failed: bool = False) -> Outcome:
    """Return what a tool gave: of a ToolMessage its content and artifact, of any other value the value, messages in it made plain.

    Of a Command, where it goes and what it updates, and what it tells the model as the result of the call that `tool_call_id` names.
    Where the tool told that it `failed`, LangChain hands on the text alone.
    """
    if is_tool_message(output):
        content = _told(output.content)
        message = said(output) if content_of(output) == content else None
        if getattr(output, "status", None) == "error":
            return Outcome(content, failed=True, tool_call_id=output.tool_call_id, said=message)
        artifact = getattr(output, "artifact", None)
        result = content if artifact is None else {"result": content, "artifact": plain(artifact)}
        return Outcome(result, tool_call_id=output.tool_call_id, said=message)
    if is_command(output):
        return _told_by_command(output, tool_call_id)
    return Outcome(_told(output) if _is_parts(output) else plain(output), failed=failed)


def documents_of(documents: object) -> list[object]:
    """Return what a retriever found: content, metadata and, where it is known, the score of each."""
    return [_document(document) for document in documents] if isinstance(documents, (list, tuple)) else []


def told_in(outputs: object, call_ids: Collection[object]) -> list[Any]:
    """Return the messages in a node's output that tell the results of these calls."""
    updates = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    held = [getattr(each, "update", each) if is_command(each) else each for each in updates]
    found = []
    for update in held:
        messages = update.get("messages") if isinstance(update, dict) else None
        own = messages if isinstance(messages, list) else []
        found += [each for each in own if is_tool_message(each) and each.tool_call_id in call_ids]
    return found


def told_content(message: Any) -> object:
    """Return what a ToolMessage tells."""
    return _told(message.content)


def is_tool_message(value: Any) -> bool:
    """Tell whether this is what a tool tells the model."""
    return is_message(value) and getattr(value, "type", None) == "tool" and hasattr(value, "tool_call_id")


def _is_model(value: object) -> bool:
    """Tell whether this is a pydantic object, as all of LangChain's own are: asking any other for an attribute may run anything."""
    return hasattr(type(value), "model_fields")


def _document(document: Any) -> object:
    if not _is_model(document) or not hasattr(document, "page_content"):
        return document
    held = getattr(document, "metadata", None) or {}
    score = next((held[name] for name in _SCORES if isinstance(held.get(name), (int, float))), None) if isinstance(held, dict) else None
    return retrieved(getattr(document, "id", None), document.page_content, held, score)


def plain(value: Any, depth: int = 0) -> object:
    """Return a value with the messages and documents in it as their contents: their fields would drown these. `depth` is how deep it is."""
    if depth > _DEEPEST:
        return value
    if type(value) in (list, tuple):
        return [plain(item, depth + 1) for item in value]
    if type(value) is dict:
        return {key: plain(item, depth + 1) for key, item in value.items()}
    if _is_model(value):
        return _plain_model(value)
    if is_command(value):
        return command(value)
    return value


def is_message(value: object) -> bool:
    """Tell whether this is one of LangChain's messages."""
    return _is_message_class(type(value))  # type: ignore[arg-type]  # a class can be hashed, which mypy takes from its instances


@lru_cache(maxsize=256)
def _is_message_class(kind: type) -> bool:
    held = getattr(kind, "model_fields", None)
    return isinstance(held, dict) and "content" in held and "type" in held and "page_content" not in held


def _plain_model(value: Any) -> object:
    if not is_message(value):
        return _document(value)
    chosen = [{name: call.get(name) for name in ("name", "args", "id")} for call in getattr(value, "tool_calls", None) or ()]
    return {"role": role_of(value.type), "content": content_of(value), **({"tool_calls": chosen} if chosen else {})}


def _is_parts(value: object) -> bool:
    """Tell whether this is a list of a message's parts, as tools of an MCP server give it: nothing but those is in any of them."""
    return type(value) is list and bool(value) and all(isinstance(part, dict) and part.get("type") in _PARTS for part in value)


def _told(content: object) -> object:
    """Return the text that a tool gave, or its parts without their ids if they are more than text."""
    if not _is_parts(content) or not isinstance(content, list):
        return shown_content(content)
    if all(kind_of(part) == "text" and isinstance(part.get("text"), str) for part in content):
        return "\n".join(part["text"] for part in content)
    return shown_content([{name: value for name, value in part.items() if name != "id"} for part in content])


def is_command(value: object) -> bool:
    """Tell whether this is a Command of LangGraph's."""
    return hasattr(type(value), "goto") and hasattr(type(value), "update")


def command(given: Any, tool_call_id: object = None) -> dict[str, object]:
    """Return where a Command goes, the names of what it updates, and what it tells as the result of a call."""
    update = getattr(given, "update", None)
    held = {str(name): value for name, value in pairs(update)}
    told = [each for value in held.values() if isinstance(value, (list, tuple)) for each in value if is_tool_message(each)]
    result = [_told(each.content) for each in told if tool_call_id in (None, each.tool_call_id)]
    goto = getattr(given, "goto", None)
    found = {
        "graph": getattr(given, "graph", None),
        "goto": [_place(each) for each in goto] if isinstance(goto, (list, tuple)) else _place(goto),
        "updated": list(held),
        "result": result[0] if len(result) == 1 else result,
        "resume": plain(getattr(given, "resume", None)),
    }
    return {name: value for name, value in found.items() if not is_empty(value)}


def _told_by_command(given: Any, tool_call_id: object) -> Outcome:
    """Return what a Command does, with the one message in it that tells the result, if that holds the result as it is."""
    result = command(given, tool_call_id)
    told = told_in(given, (tool_call_id,)) if tool_call_id is not None else []
    message = said(told[0]) if len(told) == 1 and content_of(told[0]) == result.get("result") else None
    return Outcome(result, said=message)


def pairs(update: object) -> Iterable[tuple[object, object]]:
    """Return what is updated, by name, from a dict or from pairs."""
    if isinstance(update, Mapping):
        return update.items()
    is_pairs = isinstance(update, (list, tuple)) and all(isinstance(each, tuple) and len(each) == 2 for each in update)
    return update if is_pairs else ()  # type: ignore[return-value]  # as was just seen


def _place(goto: Any) -> object:
    """Return the name of a node: a Send is one with what it is handed."""
    return getattr(goto, "node", goto)
