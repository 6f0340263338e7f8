"""One word, planted wherever a caller can put something: what is recorded without contents must not hold it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import whyops
from whyops import Trace

WORD = "Zebrafish 7"
"""Two words, so that it is no argument's name."""

_SENTENCE = f"a sentence about {WORD} that is longer than any name"


class Thing:
    """Holds the word in an attribute."""

    def __init__(self) -> None:
        self.about = WORD

    def __repr__(self) -> str:
        return WORD


SHAPES: dict[str, Any] = {
    "text": WORD,
    "sentence": _SENTENCE,
    "bytes": WORD.encode(),
    "json text": json.dumps({"a": WORD}),
    "key": {WORD: 1},
    "value": {"a": WORD},
    "known keys": dict.fromkeys(("id", "type", "content", "arguments", "error", "result", "role", "text", "status"), WORD),
    "call": {"name": "f", "args": {"q": WORD}, "input": WORD},
    "function": {"function": {"name": "f", "arguments": {"q": WORD}, WORD: WORD}, "extra": WORD},
    "list": [WORD],
    "list of dicts": [{"a": WORD, "content": [{"type": "text", "text": WORD}]}],
    "tuple": (WORD, {"b": WORD}),
    "object": Thing(),
    "exception": ValueError(WORD),
}
NAMES = {"text"}
"""Shapes that look like a name, and pass where a name is asked for."""

Method = Callable[[Trace, dict[str, Any]], object]
_CALL = {"name": "f", "arguments": {}}

METHODS: dict[str, tuple[Method, dict[str, Any], set[str]]] = {
    "user_message": (lambda t, v: t.user_message_sync(v["messages"], metadata=v["metadata"]), {"messages": [], "metadata": None}, set()),
    "llm_response": (
        lambda t, v: t.llm_response_sync(**v),
        dict.fromkeys(("content", "tool_calls", "finish_reason", "usage", "latency_ms")) | {"model": "m", "provider": "p"},
        {"model", "provider"},
    ),
    "llm_thinking": (lambda t, v: t.llm_thinking_sync(**v), {"thinking": "x", "signature": None}, set()),
    "embedding_request": (lambda t, v: t.embedding_request_sync(**v), {"inputs": []}, set()),
    "embedding_response": (
        lambda t, v: t.embedding_response_sync(**v),
        {"model": "m", "provider": "p", "embedding_count": 1, "first_embedding_dimensions": 1, "total_tokens": 1, "latency_ms": 1},
        {"model", "provider"},
    ),
    "tool_call_request": (
        lambda t, v: t.tool_call_request_sync(**v),
        {"tool": "f", "tool_calls": [_CALL], "latency_ms": None, "requested_at": None},
        {"tool"},
    ),
    "tool_call_response": (
        lambda t, v: t.tool_call_response_sync(span_id="s", **v),
        {"tool": "f", "tool_calls": [_CALL], "tool_results": {}, "latency_ms": None, "responded_at": None},
        {"tool"},
    ),
    "tool_result": (lambda t, v: t.tool_result_sync(**v), {"tool_name": "f", "output": {}}, {"tool_name"}),
    "error": (lambda t, v: t.error_sync(**v), {"message": "x", "status": None, "stack": None}, set()),
    "step": (lambda t, v: t.tool_result_sync("f", {}, **v), {"step_id": None, "parent_step_id": None, "timestamp": None}, set()),
}
"""Each method, with arguments that say nothing, and which of them are names or ids."""

_DEEPER: dict[str, tuple[str, str, Callable[[Any], Any]]] = {
    "a message's role": ("user_message", "messages", lambda value: [{"role": value, "content": "x"}]),
    "a message's content": ("user_message", "messages", lambda value: [{"role": "user", "content": value}]),
    "a message's other key": ("user_message", "messages", lambda value: [{"role": "user", "content": "x", "name": value, "extra": value}]),
    "a system prompt": ("user_message", "metadata", lambda value: {"systemPrompt": value}),
    "offered tools": ("user_message", "metadata", lambda value: {"tools": [{"name": "f", "description": value, "parameters": value}]}),
    "parameters": ("user_message", "metadata", lambda value: {"params": {"stop": value}}),
    "own metadata": ("user_message", "metadata", lambda value: {"note": value, "tool": value, "durationMs": value, "latencyMs": value}),
    "a model's call": ("llm_response", "tool_calls", lambda value: [{"id": "c", "function": {"name": "f", "arguments": value}}]),
    "a model's call's other keys": ("llm_response", "tool_calls", lambda value: [{"function": {"name": "f", "x": value}, "y": value}]),
    "a call's arguments": ("tool_call_request", "tool_calls", lambda value: [{"name": "f", "arguments": value}]),
    "one argument": ("tool_call_request", "tool_calls", lambda value: [{"name": "f", "arguments": {"a": value}}]),
    "a call's other keys": ("tool_call_request", "tool_calls", lambda value: [{**_CALL, "input": value, "args": value}]),
    "a response's arguments": ("tool_call_response", "tool_calls", lambda value: [{"name": "f", "arguments": value}]),
    "a failed result": ("tool_call_response", "tool_results", lambda value: {"error": value}),
    "a result": ("tool_call_response", "tool_results", lambda value: {"found": value}),
    "an output": ("tool_result", "output", lambda value: {"found": value}),
}


def explicit_ways() -> Iterator[tuple[str, Callable[[Trace], object]]]:
    """Give each place of each method with each shape in it, as a function of a trace, and what it is called."""
    for name, (method, idle, names) in METHODS.items():
        for place in idle:
            for shape, value in SHAPES.items():
                if place not in names or shape not in NAMES:
                    yield (
                        f"{name}({place}={shape})",
                        lambda trace, method=method, values={**idle, place: value}: method(trace, values),
                    )
    for name, (method_name, place, put) in _DEEPER.items():
        method, idle, _ = METHODS[method_name]
        for shape, value in SHAPES.items():
            yield f"{name}: {shape}", lambda trace, method=method, values={**idle, place: put(value)}: method(trace, values)  # noqa: B008  (one for each)


def spans(trace: Trace) -> None:
    """Record calls through `tool_span`: arguments, results and exceptions."""
    for value in SHAPES.values():
        with trace.tool_span("f", value if isinstance(value, dict) else {"a": value}) as span:
            span.result = value
    for error in errors():
        with contextlib.suppress(Exception), trace.tool_span("f"):
            fail(error)


def fail(error: Exception) -> None:
    """Raise it."""
    raise error


def errors() -> list[Exception]:
    """Make exceptions that hold the word in each of their places: text, arguments, notes, causes, what was handled, the source."""
    noted = LookupError("x")
    noted.__dict__["__notes__"] = [WORD]
    caused = LookupError("x")
    caused.__cause__ = ValueError(WORD)
    while_handling = LookupError("x")
    while_handling.__context__ = KeyError(WORD)
    return [ValueError(WORD), KeyError(WORD), OSError(2, WORD, WORD), ValueError(Thing(), {WORD: WORD}), noted, caused, while_handling]


@whyops.tool
def decorated(value: Any, *rest: Any, error: Exception | None = None, **more: Any) -> Any:
    """Give back what it is given, or fail."""
    if error is not None:
        raise error
    return value, rest, more


@whyops.tool
def decorated_stream(value: Any, error: Exception | None = None) -> Iterator[Any]:
    """Yield what it is given."""
    yield value
    if error is not None:
        raise error


def decorated_calls() -> None:
    """Call decorated functions with the word in each place."""
    for value in SHAPES.values():
        decorated(value, value, more=value, **{WORD: value})
        list(decorated_stream(value))
    for error in errors():
        with contextlib.suppress(Exception):
            decorated(1, error=error)
        with contextlib.suppress(Exception):
            list(decorated_stream(1, error))
