"""A span, whichever conventions it follows → what it tells. Pure, and for any values: what can't be read is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._encoding import Encode
from . import _attributes, _haystack, _openinference, _told
from ._messages import exchange
from ._told import LONGEST_NAME, Failure, Kind, Model, Span, Tool, first, from_json, object_in, text

_IDS = ("whyops.trace_id", "gen_ai.conversation.id", "session.id")
_USERS = ("user.id", "enduser.id")
_TOOLS = ("gen_ai.tool.definitions", "llm.tools.")
_MODELS = ("llm.", "embedding.")


def kind_of(span: Span) -> Kind | None:
    """Return what a span stands for, as far as it tells so far; None for what no agent, model or tool does."""
    return _haystack.kind_of(span) if _haystack.is_haystack(span) else _openinference.kind_of(span) or _attributes.kind_of(span)


def agent_of(span: Span) -> str | None:
    """Return the name of the agent that acts in a span."""
    name = _openinference.agent_of(span) or _attributes.agent_of(span)
    return None if name is None else name[:LONGEST_NAME]


def trace_id_of(attributes: Mapping[str, Any]) -> object:
    """Return the id of the conversation that a span names."""
    return next((each for name in _IDS if (each := text(attributes.get(name))) is not None), None)


def user_id_of(attributes: Mapping[str, Any]) -> object:
    """Return the user that a span names."""
    return next((each for name in _USERS if (each := text(attributes.get(name))) is not None), None)


def tool_of(span: Span, kind: Kind, *, is_over: bool) -> Tool | None:
    """Return the call of a tool, or a search; None for what is no call. `is_over` tells that nothing more will come."""
    if _haystack.is_haystack(span):
        return _haystack.tool_of(span, is_over=is_over)
    if not _is_openinference(span):
        return _attributes.tool_of(span, is_over=is_over)
    return _openinference.retriever_of(span) if kind == "retriever" else _openinference.tool_of(span, is_over=is_over)


def tells_tools(span: Span) -> bool:
    """Tell whether a model's span says what tools are offered: to read a long prompt for nothing takes time."""
    return any(name.startswith(_TOOLS) for name in span["attributes"])


def model_of(span: Span, kind: Kind, encode: Encode) -> Model:
    """Return the call of a model."""
    if _haystack.is_haystack(span):
        return _haystack.model_of(span, encode)
    if _is_openinference(span):
        return _openinference.embedding_of(span, encode) if kind == "embedding" else _openinference.model_of(span, encode)
    told = _attributes.model_of(span, encode)
    if kind == "embedding":
        told.inputs = [message["content"] for message in told.messages]
    return told


def words_of(span: Span, encode: Encode) -> tuple[object, object]:
    """Return what an agent's span says that it was asked, and what came out: for a run in which no model's call is told."""
    if _haystack.is_haystack(span):
        return _haystack.words_of(span, encode)
    attributes = span["attributes"]
    asked = _value(attributes, "input")
    output = first(attributes, "final_result")
    output = _value(attributes, "output") if output is None else output
    if asked is None or output is None:
        told = exchange(span, encode)
        users = [message["content"] for message in told.messages if message["role"] == "user"]
        asked = users[-1] if asked is None and users else asked
        output = told.answers[-1].content if output is None and told.answers else output
    return asked, output


def failure_of(span: Span) -> Failure | None:
    """Return what a span says went wrong, if anything did."""
    return _told.failure_of(span) or (_haystack.failure_of(span) if _haystack.is_haystack(span) else None)


def arguments_of(span: Span) -> dict[str, Any]:
    """Return what an agent's span was given, as the arguments of a step."""
    return object_in(_value(span["attributes"], "input")) or {}


def _value(attributes: Mapping[str, Any], which: str) -> object:
    value = attributes.get(f"{which}.value")
    return from_json(value) if attributes.get(f"{which}.mime_type") == "application/json" else value


def _is_openinference(span: Span) -> bool:
    attributes = span["attributes"]
    if _openinference.KIND not in attributes:
        return False
    return "gen_ai.operation.name" not in attributes or any(name.startswith(_MODELS) for name in attributes)
