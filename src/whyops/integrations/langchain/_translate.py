"""LangChain's messages, answers, documents and tool results → plain values in our form.

Pure: nothing here records, and nothing here imports LangChain. Objects are told by what they hold, so that subclasses and older or newer
versions read alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ..._recording.prompts import Said
from ..._recording.recorder import Encode
from ..._wire.signature import strip_signature
from ..._wire.write import PROXY_ARGUMENT, known
from ...types import MessageItem, ToolCallItem, UserMessageMetadata
from .._shared.calls import Answer, Question, is_told_by
from .._shared.messages import first_of, first_text, message_item, prompt_metadata, retrieved, role_of, shown_content, text_of, tool_call

_TRACE_KEYS = ("whyops_trace_id", "thread_id", "session_id", "conversation_id")
_USER_KEYS = ("whyops_user_id", "user_id")
_FINISH = ("finish_reason", "stop_reason", "done_reason")
_MODEL = ("model_name", "model", "model_id")
_BASE_URLS = ("openai_api_base", "anthropic_api_url", "base_url")
_THINKING = frozenset({"thinking", "redacted_thinking", "reasoning", "reasoning_content"})
_CALLS = frozenset({"tool_use", "tool_call", "tool_call_chunk", "invalid_tool_call", "function_call", "input_json_delta"})
_NO_PARAMETERS = frozenset({"_type", "functions", "messages", "model", "model_id", "model_kwargs", "model_name", "tools"})
_SCORES = ("score", "relevance_score", "_score")
_DEEPEST = 4


# What a run's metadata says


def trace_id_of(metadata: Mapping[str, Any]) -> object:
    """Return the id that a root run's metadata gives its trace: ours first, then LangGraph's thread, then the usual names of a session."""
    return _first_id(metadata, _TRACE_KEYS)


def user_id_of(metadata: Mapping[str, Any]) -> object:
    """Return the user that a root run's metadata names."""
    return _first_id(metadata, _USER_KEYS)


def labels_of(metadata: Mapping[str, Any]) -> dict[str, object]:
    """Return a graph's node and step, and the nodes around them where the graph is one inside another."""
    node = metadata.get("langgraph_node")
    if not isinstance(node, str):
        return {}
    step = metadata.get("langgraph_step")
    namespace = metadata.get("langgraph_checkpoint_ns")
    around = [part.partition(":")[0] for part in namespace.split("|")[:-1]] if isinstance(namespace, str) else []
    return known(
        {
            "langgraph_node": node,
            "langgraph_step": step if isinstance(step, int) else None,
            "langgraph_subgraph": "/".join(around) if around else None,
        }
    )


def _first_id(metadata: Mapping[str, Any], keys: Iterable[str]) -> object:
    found = (metadata.get(key) for key in keys)
    return next((value for value in found if isinstance(value, (str, int, UUID)) and value != ""), None)


# Prompts


def prompt_messages(messages: Iterable[Any], encode: Encode) -> list[MessageItem]:
    """Return what a chat model is asked: role and content of each message, and the tool calls and ids that some of them have."""
    return [_message(message, encode) for message in messages]


def said(message: Any) -> Said:
    """Return what makes a message up."""
    if isinstance(message, str):
        return Said("user", message)
    extra = getattr(message, "additional_kwargs", None) or {}
    held = [getattr(message, name, None) for name in ("content", "tool_calls", "invalid_tool_calls", "tool_call_id")]
    name = getattr(message, "name", None)
    return Said(role_of(_role(message)), [*held, extra.get("function_call")], name if isinstance(name, str) else None, message)


def question(messages: Sequence[Any], invocation_params: Mapping[str, Any], options: Mapping[str, Any], encode: Encode) -> Question:
    """Return what a model is asked."""
    rest = {name: value for name, value in invocation_params.items() if name not in {"tools", "functions"}}
    return Question(
        messages,
        said,
        lambda some: prompt_messages(some, encode),
        lambda new, with_tools: sent_along(new, invocation_params if with_tools else rest, options),
        offered(invocation_params),
    )


def begins_a_turn(messages: Sequence[MessageItem]) -> bool:
    """Tell whether a user speaks last; instructions after that change nothing, and instructions alone are a question too."""
    last = next((message["role"] for message in reversed(messages) if message["role"] != "system"), "user")
    return bool(messages) and last == "user"


def sent_along(messages: Sequence[MessageItem], invocation_params: Mapping[str, Any], options: Mapping[str, Any]) -> UserMessageMetadata:
    """Return system prompt, tools offered and parameters; among these, the schema that a structured answer is to have."""
    tools = offered(invocation_params)
    params = {name: value for name, value in invocation_params.items() if name not in _NO_PARAMETERS and not _is_empty(value)}
    form = options.get("ls_structured_output_format")
    if isinstance(form, Mapping):
        params["structured_output"] = form.get("schema")
        params.pop("response_format", None)
    return prompt_metadata(messages, tools if isinstance(tools, (list, tuple)) else None, params)


def offered(invocation_params: Mapping[str, Any]) -> object:
    """Return the tools that a model is offered, as LangChain holds them."""
    return invocation_params.get("tools") or invocation_params.get("functions")


def _role(message: Any) -> object:
    return getattr(message, "role", None) or getattr(message, "type", None) or "user"


def _message(message: Any, encode: Encode) -> MessageItem:
    names = {name: getattr(message, name, None) for name in ("tool_call_id", "name")}
    return message_item(_role(message), _content(message), _calls_of(message, encode), names)


def _content(message: Any) -> object:
    """Return a message's text, or its parts if it has more than text; its thinking and its tool calls stand elsewhere."""
    content = getattr(message, "content", message)
    if not isinstance(content, list):
        return shown_content(content)
    parts = [part for part in content if _kind(part) not in _THINKING | _CALLS]
    return text_of(parts) if all(_kind(part) == "text" for part in parts) else shown_content(parts)


def _kind(part: object) -> object:
    return part.get("type", "text") if isinstance(part, dict) else "text" if isinstance(part, str) else None


# Answers


def answers_of(result: Any, encode: Encode) -> list[Answer]:
    """Return the alternatives in an LLMResult. Tokens that are counted for all of them together are on the first."""
    output = getattr(result, "llm_output", None) or {}
    answers = [_answer(generation, output, encode) for alternatives in result.generations for generation in alternatives]
    for index, answer in enumerate(answers):
        if any(answer.usage == earlier.usage for earlier in answers[:index]):
            answer.usage = None
    return answers


def _answer(generation: Any, output: Mapping[str, Any], encode: Encode) -> Answer:
    info = getattr(generation, "generation_info", None) or {}
    message = getattr(generation, "message", None)
    told = getattr(message, "response_metadata", None) or {}
    places = (told, info, output)
    answer = Answer(
        finish_reason=first_of(places, _FINISH),
        model=first_of(places, _MODEL),
        provider=told.get("model_provider"),
        usage=getattr(message, "usage_metadata", None) or first_of(places, ("token_usage", "usage", "usage_metadata")),
    )
    if message is None:
        answer.content = strip_signature(str(getattr(generation, "text", "")))
    else:
        answer.thinking = _thinking(message)
        answer.tool_calls = _calls_of(message, encode)
        answer.content = _content(message) or (None if answer.tool_calls else "")
    if message is not None and is_told_by(answer, _message(message, encode)):
        answer.said = said(message)
    if isinstance(answer.usage, Mapping) and answer.usage.get("total_cost") == 0:  # LangChain's cache says so; nothing was spent
        answer.usage, answer.cached = None, True
    return answer


def _thinking(message: Any) -> list[tuple[str, object]]:
    """Return each block of reasoning and its signature, in Anthropic's, OpenAI's, Google's, Bedrock's or LangChain's own form."""
    content = getattr(message, "content", None)
    parts = [part for part in content if _kind(part) in _THINKING] if isinstance(content, list) else []
    extra = getattr(message, "additional_kwargs", None) or {}
    beside = (extra.get("reasoning_content"), extra.get("reasoning"))
    found = [thought for part in parts for thought in _thoughts(part)]
    return found or [thought for part in beside for thought in _thoughts({"reasoning": part} if isinstance(part, str) else part)]


def _thoughts(part: object) -> list[tuple[str, object]]:
    if not isinstance(part, dict):
        return []
    nested = part.get("reasoning_content")
    held = nested if isinstance(nested, dict) else part
    extras = held.get("extras")
    signature = held.get("signature") or (extras.get("signature") if isinstance(extras, dict) else None)
    text = first_text(held, ("thinking", "reasoning", "text", "reasoning_content"))
    if text is not None:
        return [(strip_signature(text), signature)]
    pieces = [piece for name in ("summary", "content") for piece in held.get(name) or () if isinstance(piece, dict)]
    return [(text, signature) for piece in pieces if (text := first_text(piece, ("text",))) is not None]


def _calls_of(message: Any, encode: Encode) -> list[ToolCallItem]:
    """Return the tool calls that a message asks for, those whose arguments are no JSON included."""
    calls = [*(getattr(message, "tool_calls", None) or ()), *(getattr(message, "invalid_tool_calls", None) or ())]
    if calls:
        return [tool_call(call.get("name"), call.get("args"), call.get("id"), encode) for call in calls if isinstance(call, dict)]
    older = (getattr(message, "additional_kwargs", None) or {}).get("function_call")
    return [tool_call(older.get("name"), older.get("arguments"), None, encode)] if isinstance(older, dict) else []


# Models


def asked_model(metadata: Mapping[str, Any], invocation_params: Mapping[str, Any], serialized: object) -> tuple[object, object]:
    """Return the names of the model and of its provider, as far as the start of a run tells them."""
    held = _held(serialized)
    model = metadata.get("ls_model_name") or first_of((invocation_params, held), _MODEL)
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


# Tools


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


def outcome_of(output: Any) -> Outcome:
    """Return what a tool gave: of a ToolMessage its content and artifact, of any other value the value, messages in it made plain."""
    if not _is_tool_message(output):
        return Outcome(_plain(output, 0))
    content = shown_content(output.content)
    told = said(output) if _content(output) == content else None
    if getattr(output, "status", None) == "error":
        return Outcome(content, failed=True, tool_call_id=output.tool_call_id, said=told)
    artifact = getattr(output, "artifact", None)
    result = content if artifact is None else {"result": content, "artifact": _plain(artifact, 0)}
    return Outcome(result, tool_call_id=output.tool_call_id, said=told)


def documents_of(documents: object) -> list[object]:
    """Return what a retriever found: content, metadata and, where it is known, the score of each."""
    return [_document(document) for document in documents] if isinstance(documents, (list, tuple)) else []


def _is_tool_message(value: Any) -> bool:
    return _is_model(value) and getattr(value, "type", None) == "tool" and hasattr(value, "tool_call_id")


def _is_model(value: object) -> bool:
    """Tell whether this is a pydantic object, as all of LangChain's own are: asking any other for an attribute may run anything."""
    return hasattr(type(value), "model_fields")


def _document(document: Any) -> object:
    if not _is_model(document) or not hasattr(document, "page_content"):
        return document
    held = getattr(document, "metadata", None) or {}
    score = next((held[name] for name in _SCORES if isinstance(held.get(name), (int, float))), None) if isinstance(held, dict) else None
    return retrieved(getattr(document, "id", None), document.page_content, held, score)


def _plain(value: Any, depth: int) -> object:
    """Return a value with the messages and documents in it as their contents: their fields would drown these."""
    if depth > _DEEPEST:
        return value
    if type(value) in (list, tuple):
        return [_plain(item, depth + 1) for item in value]
    if type(value) is dict:
        return {key: _plain(item, depth + 1) for key, item in value.items()}
    if _is_model(value):
        return _plain_model(value)
    if hasattr(type(value), "goto") and hasattr(type(value), "update"):  # a Command
        command = {name: getattr(value, name, None) for name in ("graph", "update", "resume", "goto")}
        return {name: _plain(item, depth + 1) for name, item in command.items() if not _is_empty(item)}
    return value


def _plain_model(value: Any) -> object:
    is_message = hasattr(value, "content") and hasattr(value, "type") and not hasattr(value, "page_content")
    return {"role": role_of(value.type), "content": _content(value)} if is_message else _document(value)


def _is_empty(value: object) -> bool:
    return value is None or (type(value) in (dict, list, tuple) and not value)
