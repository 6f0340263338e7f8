"""Spans that Haystack makes by itself, named after what happens and with attributes of its own → what a span tells. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._encoding import Encode
from ..._providers.answer import Answer
from ..._providers.messages import retrieved
from ._parts import Message, message_of
from ._told import Failure, Kind, Model, Span, Tool, from_json, items_in, object_in, text

_KINDS: dict[str, Kind] = {"haystack.agent.run": "agent", "haystack.agent.step.llm": "model", "haystack.agent.step.tool": "tool"}
_COMPONENT = "haystack.component"
_STEP = "haystack.agent.step"


def is_haystack(span: Span) -> bool:
    """Tell whether a span is one of Haystack's own."""
    return str(span["name"]).startswith("haystack.")


def kind_of(span: Span) -> Kind:
    """Return what a span stands for. A component says only where it ends what it is."""
    component = str(span["attributes"].get(f"{_COMPONENT}.type") or "")
    if component.endswith("Generator"):
        return "model"
    return "retriever" if component.endswith("Retriever") else _KINDS.get(str(span["name"]), "chain")


def failure_of(span: Span) -> Failure | None:
    """Return what a tool gave in place of a result, if it raised and the run goes on."""
    attributes = span["attributes"]
    if str(attributes.get("haystack.tool.error")).lower() != "true":
        return None
    told = from_json(attributes.get(f"{_STEP}.tool.output"))
    return Failure(str(told.get("error") if isinstance(told, Mapping) else told))


def tool_of(span: Span, *, is_over: bool) -> Tool:
    """Return a tool's call, or a search. `is_over` tells that nothing more will come."""
    attributes = span["attributes"]
    if kind_of(span) == "retriever":
        given, told = object_in(attributes.get(f"{_COMPONENT}.input")) or {}, object_in(attributes.get(f"{_COMPONENT}.output")) or {}
        documents = [
            retrieved(each.get("id"), each.get("content"), each.get("meta"), each.get("score"))
            for each in items_in(told.get("documents"))
            if isinstance(each, Mapping)
        ]
        asked = {name: value for name, value in given.items() if value is not None}
        return Tool(text(attributes.get(f"{_COMPONENT}.name")), asked, None, {"documents": documents})
    arguments = object_in(attributes.get(f"{_STEP}.tool.input"))
    result = from_json(attributes.get(f"{_STEP}.tool.output"))
    return Tool(text(attributes.get("haystack.tool.name")), {} if arguments is None and is_over else arguments, None, result)


def model_of(span: Span, encode: Encode) -> Model:
    """Return a model's call: an agent's step, or a generator's run."""
    attributes = span["attributes"]
    where = f"{_STEP}.llm" if f"{_COMPONENT}.type" not in attributes else _COMPONENT
    given, told = object_in(attributes.get(f"{where}.input")) or {}, object_in(attributes.get(f"{where}.output")) or {}
    model = Model(params=object_in(given.get("generation_kwargs")) or {})
    for each in items_in(given.get("messages", given.get("prompt"))):
        model.messages += _message(each, "user", encode).items()
    model.tools = [
        tool["data"] for tool in items_in(given.get("tools")) if isinstance(tool, Mapping) and isinstance(tool.get("data"), Mapping)
    ]
    metas = items_in(told.get("meta"))
    for index, reply in enumerate(items_in(told.get("replies"))):
        meta = reply.get("meta") if isinstance(reply, Mapping) else metas[index] if index < len(metas) else None
        model.answers.append(_answer(_message(reply, "assistant", encode), meta if isinstance(meta, Mapping) else {}))
    model.name = model.answers[0].model if model.answers else None
    return model


def words_of(span: Span, encode: Encode) -> tuple[object, object]:
    """Return what an agent was asked, and what came out, as text."""
    asked, output = (_last_words(span["attributes"].get(f"haystack.agent.{which}"), encode) for which in ("input", "output"))
    return asked, output


def _last_words(held: object, encode: Encode) -> object:
    messages = items_in((object_in(held) or {}).get("messages"))
    return _message(messages[-1], "user", encode).shown if messages else None


def _answer(message: Message, meta: Mapping[str, Any]) -> Answer:
    answer = message.answer(meta.get("finish_reason"))
    answer.model = meta.get("model")
    answer.usage = meta.get("usage") or None
    return answer


def _message(held: object, role: str, encode: Encode) -> Message:
    if not isinstance(held, Mapping):
        return message_of(role, held, encode)
    return message_of(held.get("role") or role, [_part(part) for part in items_in(held.get("content"))], encode)


def _part(part: object) -> object:
    """Return a part of a message in the conventions' form."""
    if not isinstance(part, Mapping):
        return part
    call, result, thought = (part.get(name) for name in ("tool_call", "tool_call_result", "reasoning"))
    if isinstance(call, Mapping):
        return {"type": "tool_call", "name": call.get("tool_name"), "arguments": call.get("arguments"), "id": call.get("id")}
    if isinstance(result, Mapping):
        origin = result.get("origin")
        origin = origin if isinstance(origin, Mapping) else {}
        return {"type": "tool_call_response", "id": origin.get("id"), "name": origin.get("tool_name"), "response": result.get("result")}
    if isinstance(thought, Mapping):
        return {"type": "reasoning", "content": thought.get("reasoning_text")}
    return part
