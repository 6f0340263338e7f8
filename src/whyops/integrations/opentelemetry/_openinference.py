"""OpenInference's attributes, in which lists are flattened (`llm.input_messages.0.message.role`) → what a span tells. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..._encoding import Encode
from ..._providers.answer import Answer
from ..._providers.answers import answers_of
from ..._providers.messages import retrieved
from ._langchain import content_in
from ._parts import Message, message_of
from ._told import Kind, Model, Span, Tool, first, from_json, items_in, object_in, text

KIND = "openinference.span.kind"
_KINDS: dict[str, Kind] = {"LLM": "model", "EMBEDDING": "embedding", "TOOL": "tool", "RETRIEVER": "retriever", "AGENT": "agent"}
_SMOLAGENTS = {"args", "kwargs", "sanitize_inputs_outputs"}
_AGENTS_NAMED = "openinference.instrumentation.openai_agents"
_ENDS_OF_AGENTS = (".run", "._execute_core")
_WORKFLOWS = frozenset({"Agent workflow"})
_NO_PARAMETERS = frozenset({"model", "tools", "input", "messages", "base_url", "id", "created_at", "metadata"})
"""What some instrumentors put beside the parameters."""

_MOST = 10_000


def kind_of(span: Span) -> Kind | None:
    """Return what a span stands for; None where it does not say so in this form."""
    kind = span["attributes"].get(KIND)
    return None if kind is None else _KINDS.get(str(kind).upper(), "chain")


def agent_of(span: Span) -> str | None:
    """Return who acts in a span."""
    attributes = span["attributes"]
    name = text(first(attributes, "agent.name", "graph.node.id"))
    if name is None and kind_of(span) == "agent":
        if span.get("scope") == _AGENTS_NAMED and span["name"] not in _WORKFLOWS:
            name = str(span["name"])
        else:
            name = _before(str(span["name"]), *_ENDS_OF_AGENTS)
    return name


def tool_of(span: Span, *, is_over: bool) -> Tool:
    """Return a tool's call. `is_over` tells that nothing more will come."""
    attributes = span["attributes"]
    name = text(attributes.get("tool.name")) or _before(str(span["name"]), ".run") or text(span["name"])
    arguments = object_in(first(attributes, "input.value", "tool_call.function.arguments"))
    if arguments is not None and arguments.keys() <= _SMOLAGENTS and isinstance(arguments.get("kwargs"), dict):
        arguments = _bound(arguments, attributes)
    call_id = text(first(attributes, "tool.id", "tool_call.id", "tool_call.call_id"))
    return Tool(name, {} if arguments is None and is_over else arguments, call_id, content_in(_value(attributes, "output")))


def retriever_of(span: Span) -> Tool:
    """Return a search as a tool's call: the query, and the documents that were found."""
    attributes = span["attributes"]
    documents = [
        retrieved(first(each, "id"), first(each, "content"), from_json(first(each, "metadata")), first(each, "score"))
        for each in _listed(attributes, "retrieval.documents.", "document.")
    ]
    query = attributes.get("input.value")
    result: object = {"documents": documents} if documents else _value(attributes, "output")
    return Tool(text(span["name"]), None if query is None else {"query": query}, None, result)


def model_of(span: Span, encode: Encode) -> Model:
    """Return a model's call."""
    attributes = span["attributes"]
    params = object_in(attributes.get("llm.invocation_parameters")) or {}
    told = Model(
        first(attributes, "llm.model_name", "embedding.model_name"),
        first(attributes, "llm.provider", "llm.system"),
        params={name: value for name, value in params.items() if name not in _NO_PARAMETERS},
    )
    told.tools = [from_json(each.get("json_schema")) for each in _listed(attributes, "llm.tools.", "tool.")]
    told.tools = [tool for tool in told.tools if isinstance(tool, Mapping)]
    for each in _listed(attributes, "llm.input_messages.", "message."):
        told.messages += _message(each, encode, "user").items()
    if not told.messages and (asked := attributes.get("input.value")) is not None:
        told.messages += message_of("user", asked if isinstance(asked, str) else str(asked), encode).items()
    told.answers = _answers(attributes, encode)
    return told


def embedding_of(span: Span, encode: Encode) -> Model:
    """Return an embedding model's call."""
    told = model_of(span, encode)
    texts = [first(each, "text") for each in _listed(span["attributes"], "embedding.embeddings.", "embedding.")]
    told.inputs = [each for each in texts if each is not None] or [each for each in [span["attributes"].get("input.value")] if each]
    return told


def _answers(attributes: Mapping[str, Any], encode: Encode) -> list[Answer]:
    """Return the answer. Several messages are its parts: the Responses API gives text and calls apart."""
    usage = _usage(attributes)
    spoken = [_message(each, encode, "assistant") for each in _listed(attributes, "llm.output_messages.", "message.")]
    value = attributes.get("output.value")
    if not spoken and value is None and not usage:
        return []
    if not spoken and (response := _response_in(value)) is not None:
        return [_counted(answer, usage or answer.usage) for answer in answers_of(response, encode)]
    whole = Message("assistant")
    for message in spoken or [message_of("assistant", value if isinstance(value, str) else None, encode)]:
        whole.content += message.content
        whole.calls += message.calls
        whole.thinking += message.thinking
    answer = whole.answer(first(attributes, "llm.finish_reason"))
    answer.usage = usage or None
    reasoned = attributes.get("llm.token_count.completion_details.reasoning")
    if isinstance(reasoned, int) and reasoned > 0:
        answer.more["reasoningTokens"] = reasoned
    return [answer]


def _response_in(value: object) -> Mapping[str, Any] | None:
    """Return the Responses API's answer that the output is, as of OpenAI's agents where a chat API's answer is streamed."""
    return next((held for held in items_in(value) if isinstance(held, Mapping) and held.get("object") == "response"), None)


def _counted(answer: Answer, usage: object) -> Answer:
    answer.usage = usage
    return answer


def _usage(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the counts; those of the prompt hold the cached ones."""
    counts = {
        "input_tokens": attributes.get("llm.token_count.prompt"),
        "output_tokens": attributes.get("llm.token_count.completion"),
        "total_tokens": attributes.get("llm.token_count.total"),
        "cache_read_tokens": attributes.get("llm.token_count.prompt_details.cache_read"),
        "cache_write_tokens": attributes.get("llm.token_count.prompt_details.cache_write"),
    }
    return {name: count for name, count in counts.items() if count is not None}


def _message(held: Mapping[str, Any], encode: Encode, role: str) -> Message:
    content: Any = held.get("content")
    if content is None:
        parts = list(_listed(held, "contents.", "message_content."))
        content = [_part(part) for part in parts]
    calls = [
        {"name": each.get("function.name"), "arguments": each.get("function.arguments"), "id": each.get("id")}
        for each in _listed(held, "tool_calls.", "tool_call.")
    ]
    older = held.get("function_call_name")
    if older is not None:
        calls.append({"name": older, "arguments": held.get("function_call_arguments_json"), "id": None})
    message = message_of(held.get("role") or role, content if content != [] else None, encode, calls, held.get("tool_call_id"))
    if held.get("content") is not None:
        thoughts = (part for part in _listed(held, "contents.", "message_content.") if part.get("type") == "reasoning")
        message.thinking += [(str(part["text"]), part.get("signature")) for part in thoughts if part.get("text")]
    return message


def _before(name: str, *ends: str) -> str | None:
    """Return what a span's name begins with, if it ends in one of these."""
    return next((name.removesuffix(end) for end in ends if name.endswith(end)), None) or None


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part of a message's content; an image is its address."""
    url = part.get("image.image.url")
    return {"type": "image", "url": url} if url is not None else dict(part)


def _bound(given: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a tool of smolagents by name, where they were given by place."""
    names = list(object_in(attributes.get("tool.parameters")) or ())
    args = given.get("args")
    by_place = args if isinstance(args, list) else []
    named = {names[place] if place < len(names) else f"argument_{place}": value for place, value in enumerate(by_place)}
    return {**named, **given["kwargs"]}


def _value(attributes: Mapping[str, Any], which: str) -> object:
    """Return the input or the output: what its JSON holds, if it is JSON."""
    value = attributes.get(f"{which}.value")
    return from_json(value) if attributes.get(f"{which}.mime_type") == "application/json" else value


def _listed(attributes: Mapping[str, Any], prefix: str, own: str) -> Iterator[dict[str, Any]]:
    """Yield the items of a flattened list in their order, each with its names without prefix, number and `own`."""
    found: dict[int, dict[str, Any]] = {}
    for name, value in attributes.items():
        if name.startswith(prefix):
            number, _, rest = name[len(prefix) :].partition(".")
            if number.isascii() and number.isdigit() and len(number) < 7 and (int(number) in found or len(found) < _MOST):
                found.setdefault(int(number), {})[rest.removeprefix(own)] = value
    return (found[number] for number in sorted(found))
