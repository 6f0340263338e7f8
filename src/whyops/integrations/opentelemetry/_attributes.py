"""The GenAI conventions' attributes, of all their versions → what a span tells. Pure.

Messages are in attributes, in an event of the newest conventions, or, up to 1.36, in one event for each: see `_messages` and `_events`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._encoding import Encode
from ..._providers.answer import Answer
from . import _events, _messages
from ._langchain import arguments_in, content_in
from ._parts import tool_content
from ._told import Kind, Model, Span, Tool, first, from_json, items_in, object_in, text

_KINDS: dict[str, Kind] = {
    "chat": "model",
    "text_completion": "model",
    "generate_content": "model",
    "embeddings": "embedding",
    "execute_tool": "tool",
    "retrieval": "retriever",
    "invoke_agent": "agent",
    "create_agent": "agent",
    "invoke_workflow": "chain",
}
_NAMED_EARLY = frozenset({"strands.telemetry.tracer", "gcp.vertex.agent", "opentelemetry.instrumentation.langchain"})
"""Who tells at a span's start nothing but its name, which begins with the operation."""

_MODELS = (".chat", ".completion")
"""How the names of models' spans end that Traceloop makes of LangChain."""

_NO_PARAMETERS = frozenset({"model", "encoding_formats", "stream"})
_NO_ID = frozenset({"<not specified>"})
_NO_TOOL = frozenset({"(merged tools)"})
"""What Google's ADK calls the results of parallel calls, put together."""


def kind_of(span: Span) -> Kind | None:
    """Return what a span stands for, as far as it tells so far."""
    attributes = span["attributes"]
    operation = attributes.get("gen_ai.operation.name")
    if operation is None and span.get("scope") in _NAMED_EARLY:
        operation = "chat" if str(span["name"]).endswith(_MODELS) else str(span["name"]).partition(" ")[0]
    if isinstance(operation, str) and operation in _KINDS:
        return _KINDS[operation]
    return "chain" if any(name.startswith("gen_ai.") for name in attributes) else None


def agent_of(span: Span) -> str | None:
    """Return who acts in a span."""
    name = text(span["attributes"].get("gen_ai.agent.name"))
    if name is None and span.get("scope") in _NAMED_EARLY and str(span["name"]).startswith("invoke_agent "):
        name = str(span["name"]).partition(" ")[2]
    return name


def tool_of(span: Span, *, is_over: bool) -> Tool | None:
    """Return a tool's call; None where the span stands for none. `is_over` tells that nothing more will come."""
    attributes = span["attributes"]
    name = text(attributes.get("gen_ai.tool.name")) or (str(span["name"]).partition(" ")[2] or None)
    if name in _NO_TOOL:
        return None
    given, result = _events.tool_exchange(span)
    arguments = object_in(first(attributes, "gen_ai.tool.call.arguments", "tool_arguments", "gcp.vertex.agent.tool_call_args"))
    if arguments is None:
        arguments = object_in(given)
    told = first(attributes, "gen_ai.tool.call.result", "tool_response", "gcp.vertex.agent.tool_response")
    call_id = text(attributes.get("gen_ai.tool.call.id"))
    return Tool(
        name,
        {} if arguments is None and is_over else arguments_in(arguments),
        None if call_id in _NO_ID else call_id,
        tool_content(content_in(from_json(result if told is None else told))),
    )


def model_of(span: Span, encode: Encode) -> Model:
    """Return a model's call."""
    attributes = span["attributes"]
    told = _messages.exchange(span, encode)
    if told.is_empty:
        told = _events.exchange(span, encode)
    answers = told.answers
    reasons = items_in(attributes.get("gen_ai.response.finish_reasons"))
    usage = usage_of(attributes)
    if not answers and (usage or reasons):
        answers = [Answer()]
    for index, answer in enumerate(answers):
        answer.finish_reason = answer.finish_reason or (reasons[min(index, len(reasons) - 1)] if reasons else None)
        answer.model = attributes.get("gen_ai.response.model")
    if answers:
        answers[0].usage = usage or None
        if (reasoned := _reasoning(attributes)) is not None:
            answers[0].more["reasoningTokens"] = reasoned
    return Model(
        first(attributes, "gen_ai.request.model", "gen_ai.response.model"),
        first(attributes, "gen_ai.provider.name", "gen_ai.system"),
        told.messages,
        [tool for tool in items_in(attributes.get("gen_ai.tool.definitions")) if isinstance(tool, Mapping)],
        _params(attributes),
        answers,
        first_token_s=_seconds(attributes.get("gen_ai.client.operation.time_to_first_chunk")),
    )


def usage_of(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the counts. Those of the input hold the cached ones, as the conventions ask for, unless a total says otherwise."""
    counts = {
        "input_tokens": first(attributes, "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
        "output_tokens": first(attributes, "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
        "total_tokens": attributes.get("gen_ai.usage.total_tokens"),
        "cache_read_tokens": first(
            attributes, "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens", "gen_ai.usage.details.cached_tokens"
        ),
        "cache_write_tokens": first(
            attributes,
            "gen_ai.usage.cache_write.input_tokens",
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_write_input_tokens",
            "gen_ai.usage.cache_creation_input_tokens",
        ),
    }
    return {name: count for name, count in counts.items() if count is not None}


def _reasoning(attributes: Mapping[str, Any]) -> int | None:
    count = first(attributes, "gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.details.reasoning_tokens")
    return count if isinstance(count, int) and count > 0 else None


def _params(attributes: Mapping[str, Any]) -> dict[str, Any]:
    given = {name.removeprefix("gen_ai.request."): value for name, value in attributes.items() if name.startswith("gen_ai.request.")}
    return {name: value for name, value in given.items() if name not in _NO_PARAMETERS}


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and 0 <= value < 86_400 else None
