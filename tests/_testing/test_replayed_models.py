"""Official clients in a replay: the server on loopback answers as the recorded models did, and no other model is reached."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

import whyops
from whyops.testing import ReplayError, Run, record, replay

TEXT = "Your order is in Kiel."
CALL = {"id": "call_1", "function": {"name": "where_is", "arguments": '{"order_id": "123"}'}}


@pytest.fixture
def stored() -> Run:
    """Return a run in which a model asked for a tool, and then answered."""
    with record() as run, whyops.trace("stored") as trace:
        trace.user_message_sync([{"role": "user", "content": "Where is order 123?"}], call_id="1")
        trace.llm_response_sync(
            "gpt-4o-mini", "openai", None, tool_calls=[CALL], usage={"promptTokens": 9, "completionTokens": 4}, call_id="1"
        )
        trace.llm_response_sync("gpt-4o-mini", "openai", TEXT, usage={"promptTokens": 20, "completionTokens": 7}, call_id="2")
    return run


_opened = contextlib.ExitStack()


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Close the clients that a test made."""
    with _opened:
        yield


def openai_client(url: str) -> openai.OpenAI:
    return _opened.enter_context(openai.OpenAI(base_url=url, api_key="any", max_retries=0))


def test_openai_chat(stored: Run) -> None:
    """First the tool that was asked for, then the text; with the tokens."""
    with replay(stored) as again:
        client = openai_client(again.base_url)
        first, second = (client.chat.completions.create(model="x", messages=[{"role": "user", "content": "?"}]) for _ in range(2))
    (call,) = first.choices[0].message.tool_calls or ()
    assert (call.id, call.function.name, call.function.arguments) == ("call_1", "where_is", '{"order_id": "123"}')  # type: ignore[union-attr]
    assert (second.choices[0].message.content, second.choices[0].finish_reason) == (TEXT, "stop")
    assert second.usage is not None
    assert (second.usage.prompt_tokens, second.usage.completion_tokens) == (20, 7)


def test_openai_chat_streamed(stored: Run) -> None:
    """The same in chunks, through the client's own helper."""
    with replay(stored) as again:
        client = openai_client(again.base_url)
        finals = []
        for _ in range(2):
            with client.chat.completions.stream(model="x", messages=[{"role": "user", "content": "?"}]) as stream:
                finals.append(stream.get_final_completion().choices[0].message)
    assert (finals[0].tool_calls or [])[0].function.name == "where_is"
    assert finals[1].content == TEXT


@pytest.mark.parametrize("streamed", [False, True])
def test_openai_responses(stored: Run, *, streamed: bool) -> None:
    """In the form of the Responses API."""

    def ask(client: openai.OpenAI) -> Any:
        if not streamed:
            return client.responses.create(model="x", input="?")
        with client.responses.stream(model="x", input="?") as stream:
            return stream.get_final_response()

    with replay(stored) as again:
        client = openai_client(again.base_url)
        first, second = ask(client), ask(client)
    assert (first.output[0].call_id, first.output[0].name, first.output[0].arguments) == ("call_1", "where_is", '{"order_id": "123"}')
    assert second.output_text == TEXT
    assert (second.usage.input_tokens, second.usage.output_tokens) == (20, 7)


@pytest.mark.parametrize("streamed", [False, True])
def test_anthropic(stored: Run, *, streamed: bool) -> None:
    """In the form of Anthropic's messages."""

    def ask(client: anthropic.Anthropic) -> Any:
        asked: dict[str, Any] = {"model": "x", "max_tokens": 9, "messages": [{"role": "user", "content": "?"}]}
        if not streamed:
            return client.messages.create(**asked)
        with client.messages.stream(**asked) as stream:
            return stream.get_final_message()

    with replay(stored) as again:
        client = _opened.enter_context(anthropic.Anthropic(base_url=again.base_url, api_key="any", max_retries=0))
        first, second = ask(client), ask(client)
    assert (first.content[0].name, first.content[0].input, first.stop_reason) == ("where_is", {"order_id": "123"}, "tool_use")
    assert second.content[0].text == TEXT
    assert (second.usage.input_tokens, second.usage.output_tokens) == (20, 7)


def test_a_model_that_is_not_replayed(stored: Run) -> None:
    """It is refused before anything is sent, sync and async, and the block ends with an error that names it."""

    def ask() -> object:
        return openai_client("https://models.invalid/v1").chat.completions.create(model="x", messages=[{"role": "user", "content": "?"}])

    async def ask_async() -> object:
        async with anthropic.AsyncAnthropic(base_url="https://models.invalid", api_key="any", max_retries=0) as client:
            return await client.messages.create(model="x", max_tokens=9, messages=[{"role": "user", "content": "?"}])

    with pytest.raises(ReplayError, match=r"not replayed: models\.invalid/v1/chat/completions"), replay(stored):
        ask()
    with pytest.raises(ReplayError, match=r"not replayed: models\.invalid/v1/messages"), replay(stored):
        asyncio.run(ask_async())


def ask_three_times(client: openai.OpenAI) -> None:
    for _ in range(3):
        client.chat.completions.create(model="x", messages=[{"role": "user", "content": "?"}])


def test_no_answer_left(stored: Run) -> None:
    """A model that is asked once more than in the recorded run is an error, which the client shows, and the block."""
    with pytest.raises(ReplayError, match="has no further answer of a model"), replay(stored) as again:
        ask_three_times(openai_client(again.base_url))
