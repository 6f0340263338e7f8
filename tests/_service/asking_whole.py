"""The official clients, asked in each way that they know, for all that they return: what a caller can compare, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import openai
import pydantic

from tests._service.asking import TOOL, USER, settled

Way = Callable[[Any], Coroutine[Any, Any, Any]]

ASKED = {"model": "m-1", "messages": [USER]}
MESSAGES = {**ASKED, "max_tokens": 9}


class Said(pydantic.BaseModel):
    """What a structured answer holds."""

    order_id: str


JSON_USER = {"role": "user", "content": '{"order_id": "123"}'}


def dumped(value: Any) -> Any:
    """Return what a caller sees of a value: its type, and what it holds."""
    if isinstance(value, pydantic.BaseModel):
        return type(value).__name__, value.model_dump(warnings=False)
    return [dumped(each) for each in value] if isinstance(value, list) else value


async def items(stream: Any) -> list[Any]:
    """Read a stream, or one of a helper's, to its end."""
    if hasattr(stream, "__aiter__"):
        return [dumped(item) async for item in stream]
    return [dumped(item) for item in stream]


async def inside(block: Any, read: Callable[[Any], Any]) -> Any:
    """Enter a block, and return what is read in it."""
    if hasattr(block, "__aenter__"):
        async with block as opened:
            return dumped(await settled(read(opened)))
    with block as opened:
        return dumped(await settled(read(opened)))


async def raw(response: Any) -> Any:
    """Return a raw response's bytes, and what it is parsed into."""
    return response.status_code, response.http_response.content, dumped(await settled(response.parse()))


async def pieces(response: Any) -> Any:
    """Return the bytes of a response that is read piece by piece, and what the client tells of it."""
    if hasattr(response.iter_bytes(), "__aiter__"):
        read = b"".join([piece async for piece in response.iter_bytes()])
    else:
        read = b"".join(response.iter_bytes())
    http = response.http_response
    return read, http.num_bytes_downloaded, http.is_closed, http.is_stream_consumed, sorted(http.headers)


# OpenAI's


async def chat(client: Any) -> Any:
    return dumped(await settled(client.chat.completions.create(**ASKED)))


async def chat_with_a_tool(client: Any) -> Any:
    return dumped(await settled(client.chat.completions.create(**ASKED, tools=[TOOL], extra_body={"own": 1})))


async def chat_stream(client: Any) -> Any:
    stream = client.chat.completions.create(**ASKED, stream=True, stream_options={"include_usage": True})
    return await items(await settled(stream))


async def chat_raw(client: Any) -> Any:
    return await raw(await settled(client.chat.completions.with_raw_response.create(**ASKED)))


async def chat_raw_stream(client: Any) -> Any:
    response = await settled(client.chat.completions.with_raw_response.create(**ASKED, stream=True))
    return await items(await settled(response.parse()))


async def chat_pieces(client: Any) -> Any:
    return await inside(client.chat.completions.with_streaming_response.create(**ASKED), pieces)


async def chat_stream_pieces(client: Any) -> Any:
    return await inside(client.chat.completions.with_streaming_response.create(**ASKED, stream=True), pieces)


async def chat_parse(client: Any) -> Any:
    asked = {**ASKED, "messages": [JSON_USER], "tools": [openai.pydantic_function_tool(Said)]}
    completions = client.chat.completions if hasattr(client.chat.completions, "parse") else client.beta.chat.completions
    return dumped(await settled(completions.parse(**asked)))


async def chat_helper(client: Any) -> Any:
    completions = client.chat.completions if hasattr(client.chat.completions, "stream") else client.beta.chat.completions
    return await inside(completions.stream(**ASKED), items)


async def responses(client: Any) -> Any:
    return dumped(await settled(client.responses.create(model="m-1", input="Hello!", instructions="Be brief.")))


async def responses_stream(client: Any) -> Any:
    return await items(await settled(client.responses.create(model="m-1", input=[USER], stream=True)))


async def completions(client: Any) -> Any:
    return dumped(await settled(client.completions.create(model="m-1", prompt="Hello!")))


async def embeddings(client: Any) -> Any:
    return dumped(await settled(client.embeddings.create(model="m-1", input=["Hello!", "Bye!"])))


async def embeddings_raw(client: Any) -> Any:
    return await raw(await settled(client.embeddings.with_raw_response.create(model="m-1", input="Hello!", encoding_format="float")))


# Anthropic's


async def message(client: Any) -> Any:
    return dumped(await settled(client.messages.create(**MESSAGES, system="Be brief.")))


async def message_stream(client: Any) -> Any:
    return await items(await settled(client.messages.create(**MESSAGES, stream=True)))


async def message_helper(client: Any) -> Any:
    return await inside(client.messages.stream(**MESSAGES), items)


async def message_final(client: Any) -> Any:
    return await inside(client.messages.stream(**MESSAGES), lambda stream: stream.get_final_message())


async def message_raw(client: Any) -> Any:
    return await raw(await settled(client.messages.with_raw_response.create(**MESSAGES)))


async def message_pieces(client: Any) -> Any:
    return await inside(client.messages.with_streaming_response.create(**MESSAGES), pieces)


async def message_stream_pieces(client: Any) -> Any:
    return await inside(client.messages.with_streaming_response.create(**MESSAGES, stream=True), pieces)


async def beta_message(client: Any) -> Any:
    return dumped(await settled(client.beta.messages.create(**MESSAGES)))


async def beta_stream(client: Any) -> Any:
    return await items(await settled(client.beta.messages.create(**MESSAGES, stream=True)))


# Of derived clients, of both


def of_derived(way: Way) -> Way:
    async def derived(client: Any) -> Any:
        return await way(client.copy(max_retries=1).with_options(timeout=7))

    return derived


OPENAI_WAYS: list[Way] = [
    chat,
    chat_with_a_tool,
    chat_stream,
    chat_raw,
    chat_raw_stream,
    chat_pieces,
    chat_stream_pieces,
    chat_parse,
    chat_helper,
    responses,
    responses_stream,
    completions,
    embeddings,
    embeddings_raw,
    of_derived(chat_stream),
]
ANTHROPIC_WAYS: list[Way] = [
    message,
    message_stream,
    message_helper,
    message_final,
    message_raw,
    message_pieces,
    message_stream_pieces,
    beta_message,
    beta_stream,
    of_derived(message_stream),
]
