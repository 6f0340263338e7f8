"""The official clients, asked in each way that they know. One form for sync and async: what a call gives is awaited if it has to be."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import anthropic
import certifi
import openai
import pytest

PROVIDER_KEY = "sk-provider-secret"
USER = {"role": "user", "content": "Hello!"}
TOOL = {"type": "function", "function": {"name": "search_orders", "parameters": {"type": "object", "properties": {}}}}

OPENAI = [openai.OpenAI, openai.AsyncOpenAI]
ANTHROPIC = [anthropic.Anthropic, anthropic.AsyncAnthropic]
ALL = [*OPENAI, *ANTHROPIC]


loops: list[asyncio.AbstractEventLoop] = []
made_clients: list[Any] = []


@pytest.fixture(autouse=True)
def _one_certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have each client read one certificate, and not all that certifi has: nothing here speaks TLS."""
    only = tmp_path / "one.pem"
    only.write_text(certifi.contents().partition("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n", "ascii")
    monkeypatch.setenv("SSL_CERT_FILE", str(only))


@pytest.fixture(autouse=True)
def _own_loop() -> Iterator[None]:
    loops.append(asyncio.new_event_loop())
    yield
    for client in made_clients:
        run(settled(client.close()))
    made_clients.clear()
    run(loops[-1].shutdown_asyncgens())
    loops.pop().close()


def made(cls: type[Any], **options: Any) -> Any:
    """Make a client as a user does, with a key of the provider's; it is closed at the end of the test."""
    client = cls(**({} if "auth_token" in options else {"api_key": PROVIDER_KEY}) | options)
    made_clients.append(client)
    return client


def routed(sdk: Any, client: Any) -> Any:
    """Route a client by the method that its package has."""
    return sdk.openai(client) if isinstance(client, tuple(OPENAI)) else sdk.anthropic(client)


async def settled(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def items(stream: Any) -> list[Any]:
    if not hasattr(stream, "__aiter__"):
        return list(stream)
    async with stream:
        return [item async for item in stream]


def run(doing: Coroutine[Any, Any, Any]) -> Any:
    return loops[-1].run_until_complete(doing)


async def ask(client: Any, text: str = "Hello!", **options: Any) -> str:
    """Ask the plainest question, and return the answer's text."""
    messages = [{"role": "user", "content": text}]
    if isinstance(client, tuple(OPENAI)):
        answer = await settled(client.chat.completions.create(model="m-1", messages=messages, **options))
        return str(answer.choices[0].message.content)
    answer = await settled(client.messages.create(model="m-1", max_tokens=9, messages=messages, **options))
    return str(answer.content[0].text)


# OpenAI's ways. Each returns the text of the answer.


async def chat(client: Any) -> str:
    return await ask(client)


async def chat_stream(client: Any) -> str:
    stream = await settled(client.chat.completions.create(model="m-1", messages=[USER], stream=True))
    return " ".join(str(chunk.choices[0].delta.content or "") for chunk in await items(stream)).replace("  ", " ")


async def chat_raw(client: Any) -> str:
    raw = await settled(client.chat.completions.with_raw_response.create(model="m-1", messages=[USER]))
    assert raw.status_code == 200
    return str((await settled(raw.parse())).choices[0].message.content)


async def chat_streaming_response(client: Any) -> str:
    response = client.chat.completions.with_streaming_response.create(model="m-1", messages=[USER])
    if hasattr(response, "__aenter__"):
        async with response as opened:
            return str((await opened.parse()).choices[0].message.content)
    with response as opened:
        return str(opened.parse().choices[0].message.content)


async def responses(client: Any) -> str:
    return str((await settled(client.responses.create(model="m-1", input="Hello!"))).output_text)


async def responses_stream(client: Any) -> str:
    stream = await settled(client.responses.create(model="m-1", input="Hello!", stream=True))
    return "".join(event.delta for event in await items(stream) if event.type == "response.output_text.delta")


async def embeddings(client: Any) -> str:
    answer = await settled(client.embeddings.create(model="m-1", input="Hello!"))
    return f"You said: Hello! {answer.data[0].embedding}"


# Anthropic's ways.


async def message(client: Any) -> str:
    return await ask(client)


async def message_stream(client: Any) -> str:
    stream = await settled(client.messages.create(model="m-1", max_tokens=9, messages=[USER], stream=True))
    return "".join(event.delta.text for event in await items(stream) if event.type == "content_block_delta")


async def message_stream_block(client: Any) -> str:
    block = client.messages.stream(model="m-1", max_tokens=9, messages=[USER])
    if hasattr(block, "__aenter__"):
        async with block as stream:
            return str(await stream.get_final_text())
    with block as stream:
        return str(stream.get_final_text())


async def message_raw(client: Any) -> str:
    raw = await settled(client.messages.with_raw_response.create(model="m-1", max_tokens=9, messages=[USER]))
    return str((await settled(raw.parse())).content[0].text)


async def message_streaming_response(client: Any) -> str:
    response = client.messages.with_streaming_response.create(model="m-1", max_tokens=9, messages=[USER])
    if hasattr(response, "__aenter__"):
        async with response as opened:
            return str((await opened.parse()).content[0].text)
    with response as opened:
        return str(opened.parse().content[0].text)


# Of derived clients, of both.


async def derived(client: Any) -> str:
    return await ask(client.with_options(timeout=7))


async def copied_twice(client: Any) -> str:
    return await ask(client.copy(max_retries=1).with_options(default_headers={"X-Own": "1"}))


async def derived_raw(client: Any) -> str:
    return await (chat_raw if isinstance(client, tuple(OPENAI)) else message_raw)(client.with_options(timeout=7))


async def models(client: Any) -> str:
    listed = client.models.list()
    page = [model async for model in listed] if hasattr(listed, "__aiter__") else list(listed)
    return f"You said: Hello! {page[0].id}"


Way = Callable[[Any], Coroutine[Any, Any, str]]

OPENAI_WAYS: list[tuple[Way, str]] = [
    (chat, "chat/completions"),
    (chat_stream, "chat/completions"),
    (chat_raw, "chat/completions"),
    (chat_streaming_response, "chat/completions"),
    (responses, "responses"),
    (responses_stream, "responses"),
    (embeddings, "embeddings"),
    (derived, "chat/completions"),
    (copied_twice, "chat/completions"),
    (derived_raw, "chat/completions"),
    (models, "models"),
]
ANTHROPIC_WAYS: list[tuple[Way, str]] = [
    (message, "messages"),
    (message_stream, "messages"),
    (message_stream_block, "messages"),
    (message_raw, "messages"),
    (message_streaming_response, "messages"),
    (derived, "messages"),
    (copied_twice, "messages"),
    (derived_raw, "messages"),
    (models, "models"),
]
WAYS = [(cls, *way) for classes, ways in ((OPENAI, OPENAI_WAYS), (ANTHROPIC, ANTHROPIC_WAYS)) for cls in classes for way in ways]
