"""LangChain's messages, answers, documents and tool results → plain values in our form.

Pure: nothing here records, and nothing here imports LangChain. Objects are told by what they hold, so that subclasses and older or newer
versions read alike.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from ..._encoding import Encode
from ..._providers.messages import (
    first_of,
    kind_of,
    message_item,
    offered_tool,
    prompt_metadata,
    role_of,
    shown_content,
    text_of,
    tool_call,
)
from ..._providers.said import NO_REFERENCES, Said, seal_of
from ..._recording.model_call import Question
from ...types import MessageItem, ToolCallItem, UserMessageMetadata

MODEL = ("model_name", "model", "model_id")
_BASE_URLS = ("openai_api_base", "anthropic_api_url", "base_url")
THINKING = frozenset({"thinking", "redacted_thinking", "reasoning", "reasoning_content"})
_CALLS = frozenset(
    {"tool_use", "tool_call", "tool_call_chunk", "invalid_tool_call", "function_call", "input_json_delta", "custom_tool_call"}
)
_CALL_LISTS = ("tool_calls", "invalid_tool_calls")
_SEALED = (*_CALL_LISTS, "role", "type", "name", "tool_call_id")
_READ = (*_SEALED, "content", "additional_kwargs")
_CALL = ("name", "args", "id")
_NO_PARAMETERS = frozenset({"_type", "functions", "messages", "model", "model_id", "model_kwargs", "model_name", "tools"})


# Prompts


def prompt_messages(messages: Iterable[Any], encode: Encode) -> list[MessageItem]:
    """Return what a chat model is asked: role and content of each message, and the tool calls and ids that some of them have."""
    return [message_of(message, encode) for message in messages]


def said(message: Any) -> Said:
    """Return what makes a message up."""
    if isinstance(message, str):
        return Said("user", message)
    held = held_by(message)
    extra, calls, invalid = held("additional_kwargs"), held("tool_calls"), held("invalid_tool_calls")
    asked: object = None
    if calls or invalid:
        asked = [_asked_in(call) for call in (*(calls or ()), *(invalid or ()))]
        asked = seal_of(asked) or asked
    parts = [held("content"), asked, held("tool_call_id"), extra.get("function_call") if extra else None]
    name = held("name")
    return Said(role_of(held("role") or held("type") or "user"), parts, name if isinstance(name, str) else None, message, seal(message))


def seal(message: Any) -> object:
    """Return a value that is equal as long as nothing of what `said` reads has changed; None where that can't be told at little cost."""
    kind: Any = type(message)
    fields = _sealed_in(kind)
    if fields is None or getattr(message, "__pydantic_extra__", None):
        return None
    try:
        content, extra, *rest = fields(message.__dict__)
        sealed = marshal.dumps(rest, NO_REFERENCES)  # as `seal_of` does, without a call for each message of each prompt
    except (KeyError, ValueError, RecursionError):  # it was made without some of its fields, or what they hold can change unseen
        return None
    return None if type(content) is not str or (extra and "function_call" in extra) else (content, sealed)


def held_by(message: Any) -> Callable[[str], Any]:
    """Return what gives a message's attribute of a name, and None where it has none: pydantic's own way of saying so is dear."""
    kind: Any = type(message)
    if _holds_all_in_fields(kind) and not getattr(message, "__pydantic_extra__", None):
        get: Callable[[str], Any] = message.__dict__.get
        return get
    return lambda name: getattr(message, name, None)


@lru_cache(maxsize=256)
def _holds_all_in_fields(kind: type) -> bool:
    """Tell whether all that is read of messages of a class stands in their fields."""
    fields = getattr(kind, "model_fields", None)
    return isinstance(fields, dict) and "content" in fields and all(name in fields or not hasattr(kind, name) for name in _READ)


@lru_cache(maxsize=256)
def _sealed_in(kind: type) -> Callable[[Mapping[str, Any]], tuple[Any, ...]] | None:
    """Return what gives the fields that are sealed of messages of a class, in one go; None where not all that is read stands in fields."""
    if not _holds_all_in_fields(kind):
        return None
    fields = kind.model_fields  # type: ignore[attr-defined]  # as was just seen
    return itemgetter("content", "additional_kwargs", *(name for name in _SEALED if name in fields))


def _asked_in(call: Any) -> object:
    """Return what makes a tool call up, in one order: what has been in a checkpoint may have another."""
    return [call.get(name) for name in _CALL] if isinstance(call, dict) else call


def question(messages: Sequence[Any], invocation_params: Mapping[str, Any], options: Mapping[str, Any], encode: Encode) -> Question:
    """Return what a model is asked."""
    rest = {name: value for name, value in invocation_params.items() if name not in {"tools", "functions"}}
    return Question(
        messages,
        said,
        lambda some: prompt_messages(some, encode),
        lambda new, with_tools: sent_along(new, invocation_params if with_tools else rest, options),
        offered(invocation_params),
        seal=seal,
    )


def sent_along(messages: Sequence[MessageItem], invocation_params: Mapping[str, Any], options: Mapping[str, Any]) -> UserMessageMetadata:
    """Return system prompt, tools offered and parameters; among these, the schema that a structured answer is to have."""
    tools = offered(invocation_params)
    params = {name: value for name, value in invocation_params.items() if name not in _NO_PARAMETERS and not is_empty(value)}
    form = options.get("ls_structured_output_format")
    if isinstance(form, Mapping):
        params["structured_output"] = form.get("schema")
        params.pop("response_format", None)
    return prompt_metadata(messages, tools if isinstance(tools, (list, tuple)) else None, params)


def answering_tools(invocation_params: Mapping[str, Any], options: Mapping[str, Any]) -> frozenset[str]:
    """Return the tools whose call is an answer in the form that was asked for: `with_structured_output` offers it as a tool."""
    form = options.get("ls_structured_output_format")
    kwargs = form.get("kwargs") if isinstance(form, Mapping) else None
    if not isinstance(kwargs, Mapping) or kwargs.get("method", "function_calling") != "function_calling":
        return frozenset()
    tools = invocation_params.get("tools") or options.get("tools") or ()
    return frozenset(offered_tool(tool)["name"] for tool in tools if isinstance(tool, dict))


def offered(invocation_params: Mapping[str, Any]) -> object:
    """Return the tools that a model is offered, as LangChain holds them."""
    return invocation_params.get("tools") or invocation_params.get("functions")


def role_named(message: Any) -> object:
    """Return what a message calls its role."""
    held = held_by(message)
    return held("role") or held("type") or "user"


def message_of(message: Any, encode: Encode) -> MessageItem:
    """Return a message in our form."""
    held = held_by(message)
    names = {name: held(name) for name in ("tool_call_id", "name")}
    return message_item(role_named(message), content_of(message), calls_of(message, encode), names)


def content_of(message: Any) -> object:
    """Return a message's text, or its parts if it has more than text; its thinking and its tool calls stand elsewhere."""
    content = getattr(message, "content", message)
    return shown_parts(content) if isinstance(content, list) else shown_content(content)


def shown_parts(content: list[Any]) -> object:
    """Return the text of a message's parts, or the parts if they are more than text, without thinking and tool calls."""
    parts = [part for part in content if kind_of(part) not in THINKING | _CALLS]
    return text_of(parts) if all(kind_of(part) == "text" for part in parts) else shown_content(parts)


def calls_of(message: Any, encode: Encode) -> list[ToolCallItem]:
    """Return the tool calls that a message asks for, those whose arguments are no JSON included."""
    held = held_by(message)
    calls = [*(held("tool_calls") or ()), *(held("invalid_tool_calls") or ())]
    if calls:
        return [tool_call(call.get("name"), call.get("args"), call.get("id"), encode) for call in calls if isinstance(call, dict)]
    older = (held("additional_kwargs") or {}).get("function_call")
    return [tool_call(older.get("name"), older.get("arguments"), None, encode)] if isinstance(older, dict) else []


# Models


def asked_model(metadata: Mapping[str, Any], invocation_params: Mapping[str, Any], serialized: object) -> tuple[object, object]:
    """Return the names of the model and of its provider, as far as the start of a run tells them."""
    held = _held(serialized)
    model = metadata.get("ls_model_name") or first_of((invocation_params, held), MODEL)
    return model, metadata.get("ls_provider") or invocation_params.get("_type")


def base_url_of(serialized: object) -> object:
    """Return where a model's requests go, if it was given a place to send them."""
    held = _held(serialized)
    return next((held[name] for name in _BASE_URLS if held.get(name)), None)


def is_openais(serialized: object) -> bool:
    """Tell whether the model is one of LangChain's own classes around OpenAI's client, or of a subclass's name."""
    path = serialized.get("id") if isinstance(serialized, Mapping) else None
    return isinstance(path, (list, tuple)) and bool(path) and str(path[-1]).startswith(("ChatOpenAI", "OpenAI"))


def _held(serialized: object) -> Mapping[str, Any]:
    held = serialized.get("kwargs") if isinstance(serialized, Mapping) else None
    return held if isinstance(held, Mapping) else {}


def is_empty(value: object) -> bool:
    """Tell whether there is nothing in a value."""
    return value is None or (type(value) in (dict, list, tuple) and not value)
