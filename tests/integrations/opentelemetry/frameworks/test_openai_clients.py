"""OpenAI's client with an instrumentation of its own, OpenInference's or OpenTelemetry's, beside what else records its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

import whyops
from tests.integrations.opentelemetry.frameworks.chat_api import answer, chat_api
from whyops.testing import Captured

openai: Any = pytest.importorskip("openai")

MESSAGES = [{"role": "user", "content": "Hi"}]
ASKS = {"model": "scripted", "messages": MESSAGES}
ONE_CALL = ["user_message", "llm_response"]


@pytest.fixture(params=["openinference.instrumentation.openai", "opentelemetry.instrumentation.openai_v2"])
def instrumented(request: pytest.FixtureRequest, provider: TracerProvider) -> Iterator[str]:
    """Instrument the client by one of the packages, which tells no contents but where it does so by itself; yield its name."""
    instrumentor = pytest.importorskip(request.param).OpenAIInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    yield request.param
    instrumentor.uninstrument()


def ask(client: Any) -> Any:
    return client.chat.completions.create(**ASKS)


def ask_async(client: Any) -> Any:
    async def run() -> None:
        await asyncio.gather(ask(client), ask(client))

    return asyncio.run(run())


def client_of(url: str, cls: Callable[..., Any] | None = None) -> Any:
    return (cls or openai.OpenAI)(base_url=url, api_key="x", max_retries=0)


def kinds(captured: Captured) -> list[str]:
    return [event["eventType"] for event in captured.events]


@pytest.mark.usefixtures("instrumented")
def test_a_client_that_records_is_recorded_once(captured: Captured) -> None:
    """It tells the prompt, which a span tells only where it is asked to; one request after the other."""
    with chat_api([answer("Ho"), answer("Ho")]) as (url, _), whyops.trace("t"):
        client = captured.client.openai(client_of(url))
        for _ in range(2):
            ask(client)
        assert kinds(captured) == ONE_CALL * 2
        with pytest.raises(openai.BadRequestError):
            ask(client)
    assert kinds(captured) == [*ONE_CALL * 2, "user_message", "error"]


@pytest.mark.usefixtures("instrumented")
def test_parallel_calls_of_a_client_that_records_are_recorded_once(captured: Captured) -> None:
    """Each has its prompt and its answer."""
    with chat_api([answer("Ho"), answer("Ho")]) as (url, _), whyops.trace("t"):
        ask_async(captured.client.openai(client_of(url, openai.AsyncOpenAI)))
    assert sorted(kinds(captured)) == sorted(ONE_CALL * 2)


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("records", [False, True])
def test_a_block_is_recorded_once(captured: Captured, *, records: bool) -> None:
    """Of a block, the span, and maybe the client that records in it, the block is; what follows is a call of its own."""
    with chat_api([answer("Ho"), answer("Ho")]) as (url, _), whyops.trace("t") as trace:
        client = captured.client.openai(client_of(url)) if records else client_of(url)
        with trace.model_call("scripted", "openai", messages=MESSAGES) as call:
            call.answer(ask(client))
        assert kinds(captured) == ONE_CALL
        ask(client)
    assert kinds(captured).count("llm_response") == 2


def test_outside_a_trace_a_client_that_records_leaves_it_to_the_span(captured: Captured, instrumented: str) -> None:
    """It records nothing there, and the span does."""
    with chat_api([answer("Ho")]) as (url, _):
        ask(captured.client.openai(client_of(url)))
    assert kinds(captured) == (ONE_CALL if instrumented.startswith("openinference") else ["llm_response"])


def test_a_call_while_another_ones_answer_is_read_is_its_own(captured: Captured, instrumented: str) -> None:
    """What a reader asks between two chunks of an instrumented client's stream is recorded, by a span or by a client that records."""
    with chat_api([answer("Ho ho"), answer("Ho"), answer("Ho")]) as (url, _), whyops.trace("t"):
        client = client_of(url)
        chunks = iter(client.chat.completions.create(**ASKS, stream=True, stream_options={"include_usage": True}))
        next(chunks)
        ask(client)
        if instrumented.startswith("openinference"):  # the other one lets the stream's span stay current while it is read
            ask(captured.client.openai(client))
        list(chunks)
    assert kinds(captured).count("llm_response") == (3 if instrumented.startswith("openinference") else 2)


@pytest.mark.usefixtures("instrumented")
def test_what_follows_a_stream_that_is_not_read_to_its_end_is_in_its_own_trace(captured: Captured) -> None:
    """Its span may stay open, and current: a block that begins after it wins."""
    with chat_api([answer("Ho ho"), answer("Ho")]) as (url, _):
        client = client_of(url)
        with whyops.trace("t1"):
            chunks = client.chat.completions.create(**ASKS, stream=True)
            next(iter(chunks))
        with whyops.trace("t2"):
            ask(client)
        chunks.close()
    assert [event["traceId"] for event in captured.of_type("llm_response")].count("t2") == 1
