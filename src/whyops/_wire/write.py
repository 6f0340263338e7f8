"""What callers pass to the nine pairs of methods → an event's content and metadata, in the service's form.

Each function returns `(content, metadata)`. Pure: nothing here records, and nothing here knows of a trace. What the caller passed is
put in place, not copied: the encoder does that, and bounds it. What of it stays where contents are not to be recorded, `withheld` says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, cast

from .._encoding.coerce import listed, members, spelled, text_in
from .._runtime.safely import Failed, safely
from .exceptions import NOT_CAPTURED, describe, status_of
from .names import PROXY_ARGUMENT, UNKNOWN
from .signature import strip_signature
from .timestamps import stamp_of
from .usage import token_usage, whole

Parts = tuple[object, dict[str, Any]]

METADATA_LIMITS = (("model", 200), ("provider", 200))
CONTENT_LIMITS = (("finishReason", 100),)
"""What the service bounds, in UTF-16 units. The trace sees to it, once secrets are out."""

OWN_METADATA = frozenset(
    {"callId", "durationMs", "fromUser", "interrupted", "latencyMs", "model", "params", "parentSpanId", "promptIds", "provider"}
    | {"recordedAt", "redacted", "runId", "startedAt", "systemPrompt", "tool", "tools", "toolsFrom", "traceparent", "truncated", "usage"}
)
"""What events say in their metadata by themselves, so that a trace's may not."""

MEMBERS = {
    "latency_ms": "latencyMs",
    "usage": "usage",
    "total_tokens": "usage",
    "status": "status",
    "requested_at": "requestedAt",
    "responded_at": "respondedAt",
}
"""The member of content or metadata that an argument is read into, where it can be read."""

_WRITTEN_BY_US = ("fromUser", "promptIds", "recordedAt", "runId", "toolsFrom")


def user_message(messages: object, metadata: object) -> Parts:
    """Make the array of messages; a plain text counts as one message of the user."""
    return [_message(message) for message in listed(messages)], storable_metadata(metadata)


def llm_response(
    model: object,
    provider: object,
    content: object,
    tool_calls: object,
    finish_reason: object,
    usage: object,
    latency_ms: object,
) -> Parts:
    """Make a model's answer."""
    answer = {
        "content": _unsigned(content),
        "toolCalls": [model_tool_call(call) for call in listed(tool_calls)] or None,
        "finishReason": spelled(finish_reason) or None,
    }
    return known(answer), known({**model_and_provider(model, provider), **latency(latency_ms), "usage": token_usage(usage)})


def llm_thinking(thinking: object, signature: object) -> Parts:
    """Make one block of a model's reasoning."""
    return {"type": "thinking", "thinking": thinking, **known({"signature": _none_for_empty(signature)})}, {}


def embedding_request(inputs: object) -> Parts:
    """Make the list of texts to embed."""
    return {"input": listed(inputs)}, {}


def embedding_response(
    model: object, provider: object, embedding_count: object, first_embedding_dimensions: object, total_tokens: object, latency_ms: object
) -> Parts:
    """Make the description of the vectors that came back; the vectors themselves are not recorded."""
    content = {
        "object": "list",
        "embeddingCount": whole(embedding_count) or 0,
        "firstEmbeddingDimensions": whole(first_embedding_dimensions) or 0,
        "encodingFormat": "float",
    }
    usage = known({"totalTokens": whole(total_tokens)})
    return content, known({**model_and_provider(model, provider), **latency(latency_ms), "usage": usage or None})


def tool_call_request(tool: object, tool_calls: object, latency_ms: object, requested_at: object) -> Parts:
    """Make the tool calls that are about to run."""
    name = name_or_unknown(tool)
    calls = [_tool_call(call) for call in listed(tool_calls)]
    return {"name": name, "toolCalls": calls, **known({"requestedAt": stamp_of(requested_at)})}, {"tool": name, **latency(latency_ms)}


def tool_call_response(tool: object, tool_calls: object, tool_results: object, latency_ms: object, responded_at: object) -> Parts:
    """Make the outcome of tool calls; results that are no dict are put under `result`."""
    name = name_or_unknown(tool)
    outcome = tool_outcome(tool_results)
    content = {
        "name": name,
        "toolCalls": [_tool_call(call) for call in listed(tool_calls)],
        "toolResults": outcome,
        **known({"error": outcome.get("error") or None, "respondedAt": stamp_of(responded_at)}),
    }
    return content, {"tool": name, **latency(latency_ms)}


def tool_result(tool_name: object, output: object) -> Parts:
    """Make a tool's result that has no request to go with."""
    name = name_or_unknown(tool_name)
    return {"name": name, "toolName": name, "output": output}, {}


def error(message: object, status: object, stack: object, *, tells_text: bool) -> Parts:
    """Make an error. `message` may be an exception: then its type and stack come from it.

    Without `tells_text` an exception's type stays and where it was raised, and of all else that there was something.
    """
    if issubclass(type(message), BaseException):
        content: dict[str, Any] = describe(cast("BaseException", message), tells_text=tells_text)
    else:
        content = {"message": spelled(message) if tells_text else NOT_CAPTURED}
    if _none_for_empty(stack) is not None:
        content["stack"] = stack if tells_text else NOT_CAPTURED
    return {**content, **known({"status": status_of(message) if status is None else whole(status)})}, {}


def stopped(error: BaseException | None) -> dict[str, Any]:
    """Return what the metadata says of a call that came to no end of its own: its reader left it, or something stopped it."""
    if error is None:
        return {}
    return {"closedEarly": True} if isinstance(error, GeneratorExit) else interrupted(type(error).__name__)


def interrupted(reason: str) -> dict[str, Any]:
    """Return what metadata and results say of a call that was stopped from outside."""
    return {"interrupted": reason}


def unanswered() -> dict[str, Any]:
    """Return what the metadata says of a call that ended, and of whose answer nothing was told."""
    return {"unanswered": True}


def tool_outcome(result: object) -> dict[str, Any]:
    """Return the `toolResults` object of a result: a dict as it is, anything else under `result`."""
    held = members(result)
    return {"result": result} if held is None else held


def model_and_provider(model: object, provider: object) -> dict[str, Any]:
    """Return the two names that the service insists on, `unknown` where they are missing."""
    return {"model": name_or_unknown(model), "provider": name_or_unknown(provider)}


def latency(milliseconds: object) -> dict[str, Any]:
    """Return `latencyMs` as the whole number that the service takes, and the exact time as `durationMs` where they differ."""
    rounded = whole(milliseconds)
    told: dict[str, Any] = {} if rounded is None else {"latencyMs": rounded}
    if type(milliseconds) is float and milliseconds != rounded and isfinite(milliseconds):
        told["durationMs"] = milliseconds
    return told


def storable_metadata(metadata: object) -> dict[str, Any]:
    """Return a caller's metadata as an object, with those values that the service reads brought into its form, or left out."""
    held = members(metadata)
    if held is None:
        return {} if metadata is None else {"value": metadata}
    held = {key: value for key, value in held.items() if key not in _WRITTEN_BY_US}
    read = {key: convert(held[key]) for key, convert in _READ_BY_THE_SERVICE.items() if held.get(key) is not None}
    return known({**{key: value for key, value in held.items() if key not in read}, **read})


def known(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values without those that are None."""
    return {name: value for name, value in values.items() if value is not None}


def name_or_unknown(value: object) -> str:
    """Return a model's, provider's or tool's name, `unknown` where it is missing."""
    return spelled(value) or UNKNOWN


def model_tool_call(call: object) -> object:
    """Return a tool call that a model asked for, its arguments as JSON text whatever form they came in."""
    held = members(call)
    function = members(held.get("function", held)) if held is not None else None
    if held is None or function is None or "name" not in function:
        return call
    arguments = function.get("arguments", function.get("args", "{}"))
    if text_in(arguments) is None:
        text = safely(json.dumps, arguments)
        arguments = arguments if isinstance(text, Failed) else text
    called = {"name": name_or_unknown(function["name"]), "arguments": arguments}
    call_id = spelled(held.get("id"))
    return {**({"id": call_id} if call_id else {}), **called, "function": called}


def _unsigned(content: object) -> object:
    """Return a text as it was before the proxy signed it, anything else as it is."""
    return strip_signature(content) if type(content) is str else content


def _message(message: object) -> object:
    if text_in(message) is not None:
        return {"role": "user", "content": message}
    held = members(message)
    if held is None:
        return message
    return {key: value if key == "role" else _unsigned(value) for key, value in held.items()}


def _tool_call(call: object) -> object:
    held = members(call)
    if held is None:
        return call
    arguments = members(held.get("arguments"))
    if arguments is None:
        return held
    return {**held, "arguments": {key: value for key, value in arguments.items() if key != PROXY_ARGUMENT}}


def _none_for_empty(value: object) -> object:
    return None if text_in(value) == "" else value


_READ_BY_THE_SERVICE: dict[str, Callable[[object], object]] = {
    "latencyMs": whole,
    "usage": token_usage,
    "model": name_or_unknown,
    "provider": name_or_unknown,
}
