"""What leaves is what the service can store, whatever a user passes: the strict server takes every event."""

from __future__ import annotations

import enum
import json
import math
from collections.abc import Callable
from datetime import date, datetime, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

import whyops
from tests.server import StrictServer

MESSAGES: Any = [{"role": "user", "content": "Hi"}]


class Colour(enum.Enum):
    """An enum, as some clients have for finish reasons."""

    RED = "red"


class Unspeakable:
    """An object that breaks on being looked at."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __repr__

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def deep(levels: int) -> list[Any]:
    """Nest lists."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def circle() -> list[Any]:
    """Make a list that holds itself."""
    value: list[Any] = [1]
    value.append(value)
    return value


TEXTS: dict[str, Any] = {
    "None": None,
    "empty": "",
    "a blank": " ",
    "long": "x" * 5000,
    "emoji": "\N{GRINNING FACE}" * 300,
    "NUL": "a\x00b",
    "lone surrogate": "a\ud800b",
    "lines": "a\nb\r\u2028c",
    "bidi": "\u202eabc",
    "number": 7,
    "float": math.nan,
    "bytes": b"\xff\x00",
    "dict": {"name": "x"},
    "list": ["x"],
    "enum": Colour.RED,
    "object": object(),
    "unspeakable": Unspeakable(),
    "true": True,
}
NUMBERS: dict[str, Any] = {
    "None": None,
    "fraction": 1.5,
    "half": 0.5,
    "negative": -3,
    "negative fraction": -0.25,
    "NaN": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "huge": 10**30,
    "beyond 5000 digits": 10**5000,
    "2**31": 2**31,
    "text": "12",
    "fractional text": "12.7",
    "words": "fast",
    "true": True,
    "Decimal": Decimal("3.5"),
    "Decimal NaN": Decimal("NaN"),
    "Fraction": Fraction(7, 2),
    "complex": 1j,
    "list": [1],
    "object": object(),
    "unspeakable": Unspeakable(),
}
VALUES: dict[str, Any] = {
    **TEXTS,
    **NUMBERS,
    "deep": deep(10_000),
    "circle": circle(),
    "set": {1, "a"},
    "tuple keys": {(1, 2): 3, None: 4, 5: 6, b"x": 7},
    "surrogate keys": {"\ud800": 1, "a\x00": 2},
    "generator": (number for number in range(3)),
    "date": date(2026, 1, 2),
    "datetime": datetime(2026, 1, 2, tzinfo=timezone.utc),
    "UUID": UUID(int=5),
    "path": Path("/x"),
    "NaN inside": [{"a": math.nan, "b": [math.inf]}],
    "huge inside": {"n": 10**5000},
    "wide": list(range(200_000)),
    "namespace": SimpleNamespace(a=1),
    "function": print,
    "class": Unspeakable,
    "exception": ValueError("x"),
    "a megabyte": "x" * 1_000_000,
}
STEPS: dict[str, Any] = {**NUMBERS, "zero": 0}
TIMES: dict[str, Any] = {
    **TEXTS,
    "no zone": "2026-01-02T03:04:05",
    "an offset": "2026-01-02T03:04:05+02:00",
    "a blank for the T": "2026-01-02 03:04:05Z",
    "a day alone": "2026-01-02",
    "a day that is none": "2026-02-30T00:00:00Z",
    "a second of 60": "2026-01-02T03:04:60Z",
    "the year 0": "0000-01-01T00:00:00Z",
    "the first year with an offset": "0001-01-01T00:00:00+14:00",
    "the last year with an offset": "9999-12-31T23:59:59-14:00",
    "a naive datetime": datetime(2026, 1, 2),  # noqa: DTZ001 - that is the point
    "a date": date(2026, 1, 2),
    "the smallest datetime": datetime.min,  # noqa: DTZ901 - that is the point
    "seconds": 1764000000.5,
    "milliseconds": 1764000000500,
}

Record = Callable[[whyops.Trace, Any], object]


@whyops.tool
def echo(value: object) -> object:
    """Give back what came."""
    return value


@whyops.tool
def fail(value: object) -> object:
    """Raise with what came."""
    raise ValueError(value)


def record_span(trace: whyops.Trace, name: Any, arguments: dict[str, Any], result: Any) -> None:
    with trace.tool_span(name, arguments) as span:
        span.result = result


def record_tool(trace: whyops.Trace, value: Any) -> None:
    with trace:
        assert echo(value) is value


def record_failing_tool(trace: whyops.Trace, value: Any) -> None:
    with trace, pytest.raises(ValueError) as caught:  # noqa: PT011 - its text is what is tried
        fail(value)
    assert caught.value.args == (value,) or caught.value.args[0] is value


PLACES: dict[str, tuple[dict[str, Any], Record]] = {
    "latency of a model": (NUMBERS, lambda trace, value: trace.llm_response_sync("m", "p", "c", latency_ms=value)),
    "latency of an embedding": (NUMBERS, lambda trace, value: trace.embedding_response_sync("m", "p", 1, 2, latency_ms=value)),
    "latency of a request": (NUMBERS, lambda trace, value: trace.tool_call_request_sync("x", [], latency_ms=value)),
    "latency of a response": (NUMBERS, lambda trace, value: trace.tool_call_response_sync("x", "s", [], {}, latency_ms=value)),
    "total tokens": (NUMBERS, lambda trace, value: trace.embedding_response_sync("m", "p", 1, 2, total_tokens=value)),
    "embedding count": (NUMBERS, lambda trace, value: trace.embedding_response_sync("m", "p", value, value)),
    "prompt tokens": (
        NUMBERS,
        lambda trace, value: trace.llm_response_sync("m", "p", "c", usage={"promptTokens": value, "totalTokens": value}),
    ),
    "other people's tokens": (
        NUMBERS,
        lambda trace, value: trace.llm_response_sync(
            "m", "p", "c", usage={"prompt_tokens": value, "prompt_tokens_details": {"cached_tokens": value}}
        ),
    ),
    "usage": (VALUES, lambda trace, value: trace.llm_response_sync("m", "p", "c", usage=value)),
    "model": (TEXTS, lambda trace, value: trace.llm_response_sync(value, "p", "c")),
    "provider": (TEXTS, lambda trace, value: trace.llm_response_sync("m", value, "c")),
    "model of an embedding": (TEXTS, lambda trace, value: trace.embedding_response_sync(value, value, 1, 2)),
    "finish reason": (TEXTS, lambda trace, value: trace.llm_response_sync("m", "p", "c", finish_reason=value)),
    "content": (VALUES, lambda trace, value: trace.llm_response_sync("m", "p", value)),
    "tool calls of a model": (VALUES, lambda trace, value: trace.llm_response_sync("m", "p", "c", tool_calls=value)),
    "a model's tool call": (
        VALUES,
        lambda trace, value: trace.llm_response_sync("m", "p", tool_calls=[{"function": {"name": value, "arguments": value}}]),
    ),  # type: ignore[list-item]
    "messages": (VALUES, lambda trace, value: trace.user_message_sync(value)),
    "a message": (VALUES, lambda trace, value: trace.user_message_sync([value])),
    "a message's content": (VALUES, lambda trace, value: trace.user_message_sync([{"role": "user", "content": value}])),
    "metadata": (VALUES, lambda trace, value: trace.user_message_sync(MESSAGES, metadata=value)),
    "metadata the service reads": (
        VALUES,
        lambda trace, value: trace.user_message_sync(
            MESSAGES,
            metadata={"model": value, "provider": value, "latencyMs": value, "usage": {"totalTokens": value}, "params": value},  # type: ignore[typeddict-unknown-key]
        ),
    ),
    "thinking": (VALUES, lambda trace, value: trace.llm_thinking_sync(value, signature=value)),
    "inputs": (VALUES, lambda trace, value: trace.embedding_request_sync(value)),
    "tool": (TEXTS, lambda trace, value: trace.tool_call_request_sync(value, [])),
    "tool of a response": (TEXTS, lambda trace, value: trace.tool_call_response_sync(value, value, [], {})),
    "tool calls": (VALUES, lambda trace, value: trace.tool_call_request_sync("x", value)),
    "a tool call": (VALUES, lambda trace, value: trace.tool_call_request_sync("x", [{"name": value, "arguments": value}])),
    "results": (VALUES, lambda trace, value: trace.tool_call_response_sync("x", "s", [], value)),
    "results with a finish reason": (VALUES, lambda trace, value: trace.tool_result_sync("x", {"finishReason": value})),
    "output": (VALUES, lambda trace, value: trace.tool_result_sync(value, value)),
    "error": (VALUES, lambda trace, value: trace.error_sync(value, status=value, stack=value)),
    "span id": (TEXTS, lambda trace, value: trace.error_sync("no", span_id=value)),
    "span id of a request": (TEXTS, lambda trace, value: trace.tool_call_request_sync("x", [], span_id=value)),
    "key": (TEXTS, lambda trace, value: trace.error_sync("no", idempotency_key=value)),
    "user": (TEXTS, lambda trace, value: trace.error_sync("no", external_user_id=value)),
    "step": (STEPS, lambda trace, value: trace.error_sync("no", step_id=value)),
    "parent step": (STEPS, lambda trace, value: trace.error_sync("no", step_id=5, parent_step_id=value)),
    "time": (TIMES, lambda trace, value: trace.error_sync("no", timestamp=value)),
    "requested at": (TIMES, lambda trace, value: trace.tool_call_request_sync("x", [], requested_at=value)),
    "a span's name": (TEXTS, lambda trace, value: record_span(trace, value, {}, None)),
    "a span's arguments": (VALUES, lambda trace, value: record_span(trace, "x", {"value": value}, value)),
    "a span's arguments themselves": (VALUES, lambda trace, value: record_span(trace, "x", value, value)),
    "a tool": (VALUES, record_tool),
    "an exception": (VALUES, record_failing_tool),
}


@pytest.mark.parametrize("place", PLACES)
def test_whatever_is_passed(server: StrictServer, sdk: whyops.WhyOps, place: str) -> None:
    """Each strange value, at each place where a user can pass one, gives an event that is stored, and no exception."""
    values, record = PLACES[place]
    counts = {}
    for name, value in values.items():
        trace = sdk.trace(f"trace of {name}")
        record(trace, value)
        counts[trace.headers()["X-Trace-ID"]] = name
    result = sdk.flush_sync()
    assert {request.status for request in server.ingested} == {201}, [request.status for request in server.ingested]
    assert result.rejected == result.dropped == result.waiting == 0
    assert {event["traceId"] for event in server.events} == set(counts)
    for request in server.ingested:
        json.loads(request.body, parse_constant=pytest.fail)


def test_whatever_names_a_trace(server: StrictServer, sdk: whyops.WhyOps) -> None:
    """Each strange value can name a trace and a user, and different ones stay different."""
    for value in TEXTS.values():
        sdk.trace(value, external_user_id=value).error_sync("no")
    assert sdk.flush_sync() == whyops.FlushResult(delivered=len(TEXTS))
    assert len({event["traceId"] for event in server.events}) == len(TEXTS)


@pytest.mark.parametrize("given, latency", [(1.5, 2), (390, 390), (0.2, 0), (-3, 0), (2**40, 2**31 - 1), (None, None), (math.nan, None)])
def test_latency(server: StrictServer, sdk: whyops.WhyOps, given: Any, latency: int | None) -> None:
    """Latency leaves whole and bounded, with the exact time beside it."""
    sdk.trace("t").llm_response_sync("m", "p", "c", latency_ms=given)
    sdk.flush_sync()
    metadata = server.events[0]["metadata"]
    assert metadata.get("latencyMs") == latency
    if given == 1.5:
        assert metadata["durationMs"] == 1.5


def test_unknown_model_and_provider(server: StrictServer, sdk: whyops.WhyOps) -> None:
    """A model or provider that is missing leaves as `unknown`; long ones, and long finish reasons, are clipped."""
    trace: Any = sdk.trace("t")
    trace.llm_response_sync(None, "", "c")
    trace.embedding_response_sync("", None, 1, 2)
    trace.llm_response_sync("m" * 300, "p", "c", finish_reason="f" * 200)
    sdk.flush_sync()
    assert [(event["metadata"]["model"], event["metadata"]["provider"]) for event in server.events[:2]] == [("unknown", "unknown")] * 2
    assert server.events[2]["metadata"]["model"] == "m" * 200
    assert server.events[2]["content"]["finishReason"] == "f" * 100


def test_no_null_in_optional_fields(server: StrictServer, sdk: whyops.WhyOps) -> None:
    """Options that are None are left out."""
    sdk.trace("t").error_sync(
        "no",
        status=None,
        stack=None,
        span_id=None,
        step_id=None,
        parent_step_id=None,
        timestamp=None,
        idempotency_key=None,
        external_user_id=None,
    )
    sdk.flush_sync()
    assert set(server.events[0]) <= {"traceId", "agentName", "eventType", "timestamp", "idempotencyKey", "content", "metadata"}
    assert server.events[0]["content"] == {"message": "no"}


def test_long_keys_stay_different(server: StrictServer, sdk: whyops.WhyOps) -> None:
    """Keys that differ only beyond the limit stay different, and the same long key is the same again."""
    trace = sdk.trace("t")
    for key in ("k" * 200, "k" * 201, "k" * 200):
        trace.error_sync("no", idempotency_key=key)
    sdk.flush_sync()
    assert len(server.events) == 2


class Counts:
    """An object with attributes, as the providers' clients give."""

    def __init__(self, **counts: Any) -> None:
        self.__dict__.update(counts)


OURS = {"promptTokens": 40, "completionTokens": 10, "totalTokens": 110, "cacheReadTokens": 60}
USAGES: dict[str, tuple[Any, dict[str, int]]] = {
    "ours": (OURS, OURS),
    "ours, fractional": ({"promptTokens": 1.6, "completionTokens": -1}, {"promptTokens": 2, "completionTokens": 0}),
    "OpenAI chat": (
        Counts(
            prompt_tokens=100,
            completion_tokens=10,
            total_tokens=110,
            prompt_tokens_details=Counts(cached_tokens=60, audio_tokens=0),
        ),
        OURS,
    ),
    "OpenAI chat as dict": (
        {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110, "prompt_tokens_details": {"cached_tokens": 60}},
        OURS,
    ),
    "OpenAI chat without cache": (
        {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110, "prompt_tokens_details": None},
        {"promptTokens": 100, "completionTokens": 10, "totalTokens": 110},
    ),
    "OpenAI responses": (
        Counts(input_tokens=100, output_tokens=10, total_tokens=110, input_tokens_details=Counts(cached_tokens=60)),
        OURS,
    ),
    "Anthropic": (
        Counts(input_tokens=40, output_tokens=10, cache_read_input_tokens=60, cache_creation_input_tokens=5),
        {**OURS, "cacheCreationTokens": 5, "totalTokens": 115},
    ),
    "Anthropic without cache": (
        {"input_tokens": 40, "output_tokens": 10, "cache_read_input_tokens": None, "cache_creation_input_tokens": None},
        {"promptTokens": 40, "completionTokens": 10, "totalTokens": 50},
    ),
    "Google": (
        Counts(prompt_token_count=100, candidates_token_count=10, total_token_count=110, cached_content_token_count=60),
        OURS,
    ),
    "LangChain": (
        {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110, "input_token_details": {"cache_read": 60, "cache_creation": 5}},
        {"promptTokens": 35, "completionTokens": 10, "totalTokens": 110, "cacheReadTokens": 60, "cacheCreationTokens": 5},
    ),
}


@pytest.mark.parametrize("given, expected", USAGES.values(), ids=USAGES)
def test_usage(server: StrictServer, sdk: whyops.WhyOps, given: Any, expected: dict[str, int]) -> None:
    """Other people's token counts become ours: whole, and the prompt's without the cached ones, so that the parts add up."""
    sdk.trace("t").llm_response_sync("m", "p", "c", usage=given)
    sdk.flush_sync()
    usage = server.events[0]["metadata"]["usage"]
    assert {name: count for name, count in usage.items() if count or name in expected} == {
        "totalTokens": usage.get("totalTokens"),
        **expected,
    }
