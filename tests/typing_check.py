"""What a type checker tells a user. Never run: mypy and pyright read it, and `nox -s typing` fails where they disagree with it."""

from __future__ import annotations

import functools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import Any, overload

from anthropic import AsyncAnthropic
from anthropic.types import Message
from openai import AsyncStream, OpenAI, Stream
from openai.types import CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response

import whyops
from whyops import AgentInfo, FlushResult, ModelSpan, Trace, WhyOps, WhyOpsTrace

if sys.version_info >= (3, 11):
    from typing import assert_type
else:
    from typing_extensions import assert_type


@whyops.tool
def search_orders(order_id: str, limit: int = 10) -> dict[str, Any]:
    """Be a sync tool."""
    return {"order_id": order_id, "limit": limit}


@whyops.tool(name="search", capture_arguments=False, capture_result=False)
async def search_later(order_id: str) -> list[str]:
    """Be an async tool."""
    return [order_id]


@whyops.tool(ignore=("ctx", "limit"))
def search_in_context(ctx: object, order_id: str, limit: int = 10) -> list[str]:
    """Be a tool with arguments that are not recorded."""
    return [order_id] * limit if ctx else []


@whyops.tool(ignore="ctx")
async def search_in_context_later(ctx: object, order_id: str) -> list[str]:
    """Be one with a single such argument."""
    return [order_id] if ctx else []


class Shop:
    """Has tools among its methods."""

    @whyops.tool
    def price(self, sku: str) -> int:
        """Be a method."""
        return len(sku)

    @staticmethod
    @whyops.tool
    def vat(cents: int) -> float:
        """Be a static method."""
        return cents * 0.19


def a_decorated_function_keeps_its_signature() -> None:
    """The checker sees the wrapped function's own parameters and result."""
    assert_type(search_orders("123", limit=5), dict[str, Any])
    assert_type(Shop().price("lamp"), int)
    assert_type(Shop.vat(100), float)
    takes_order: Callable[[str], Awaitable[list[str]]] = search_later
    del takes_order
    assert_type(search_in_context(None, "123", limit=5), list[str])
    in_context: Callable[[object, str], Awaitable[list[str]]] = search_in_context_later
    del in_context
    whyops.tool(ignore=5)  # type: ignore[call-overload]
    search_orders(123)  # type: ignore[arg-type]
    search_orders("123", size=5)  # type: ignore[call-arg]


@whyops.tool
def count(up_to: int) -> Iterator[int]:
    """Be a generator."""
    yield from range(up_to)


@whyops.tool
async def count_later(up_to: int) -> AsyncIterator[int]:
    """Be an async generator."""
    for number in range(up_to):
        yield number


class Till:
    """Has tools in the other order, and can be called."""

    @whyops.tool
    @staticmethod
    def vat(cents: int) -> float:
        """Be a static method under the decorator."""
        return cents * 0.19

    @classmethod
    @whyops.tool
    def open(cls, cents: int) -> Till:  # noqa: ARG003  (a type is all that is looked at)
        """Be a class method over the decorator."""
        return cls()

    def __call__(self, cents: int) -> bytes:
        """Be a callable object."""
        return bytes(cents)


@overload
def double(value: int) -> int: ...
@overload
def double(value: str) -> str: ...
@whyops.tool
def double(value: int | str) -> int | str:
    """Be overloaded."""
    return value * 2


async def each_kind_keeps_its_type() -> None:
    """Generators, methods in either order, partials, callable objects and overloads are what they were."""
    assert_type(count(3), Iterator[int])
    assert_type(count_later(3), AsyncIterator[int])
    assert_type([number async for number in count_later(3)], list[int])
    assert_type(Till.vat(100), float)
    assert_type(Till.open(100), Till)
    assert_type(whyops.tool(Till())(100), bytes)
    assert_type(whyops.tool(functools.partial(double, 4))(), int)
    assert_type(double("a"), str)


async def an_async_tool_is_awaited() -> None:
    """Awaiting an async tool gives its result."""
    assert_type(await search_later("123"), list[str])


def a_trace_is_used_plain_or_in_a_block(sdk: WhyOps) -> None:
    """A trace needs no id, and is the same type under both names."""
    trace = sdk.trace()
    assert_type(trace, Trace)
    published: WhyOpsTrace = trace
    assert_type(published.headers(), dict[str, str])
    with whyops.trace("session-123", external_user_id="user_12345") as opened:
        assert_type(opened, Trace)
        assert_type(whyops.current_trace(), Trace | None)
        assert_type(opened.tool_call_request_sync("search_orders", [{"name": "search_orders", "arguments": {"orderId": "123"}}]), str)
        opened.user_message_sync([{"role": "user", "content": "Hello"}], external_user_id="user_12345")
        opened.llm_response_sync("m", "p", None, usage={"promptTokens": 1, "completionTokens": 2, "totalTokens": 3})
        with opened.tool_span("charge_card", {"amount": 4999}) as span:
            span.result = {"paid": True}


def a_model_call_keeps_the_type_of_its_answer(trace: Trace, chunks: Stream[ChatCompletionChunk], answer: ChatCompletion) -> None:
    """Whether it comes whole or as a stream, it is what it would be without us."""
    with trace.model_call("m", "p", [{"role": "user", "content": "Hello"}], tools=[], params={"temperature": 0}) as call:
        assert_type(call, ModelSpan)
        assert_type(call.answer(answer), ChatCompletion)
        assert_type(call.stream(chunks), Iterator[ChatCompletionChunk])
        assert_type([chunk.choices[0].delta.content for chunk in call.stream(chunks)], list[str | None])
    with trace.model_call("m", "p", ["one", "two"], embed=True) as call:
        assert_type(call.stream([1, 2]), Iterator[int])


async def an_async_model_call_does_too(trace: Trace, chunks: AsyncStream[ChatCompletionChunk]) -> None:
    """So does that of an asynchronous one."""
    async with trace.model_call("m", "p", "Hello", system="Be brief.") as call:
        assert_type(call, ModelSpan)
        assert_type(call.stream(chunks), AsyncIterator[ChatCompletionChunk])
        assert_type([chunk async for chunk in call.stream(chunks)], list[ChatCompletionChunk])


def an_official_client_keeps_its_type(sdk: WhyOps, given: OpenAI, other: AsyncAnthropic) -> None:
    """What comes back is of the class that was given, and so is all that it returns."""
    client = sdk.openai(given)
    assert_type(client, OpenAI)
    assert_type(sdk.openai(given, via="direct"), OpenAI)
    assert_type(sdk.anthropic(other, via="proxy"), AsyncAnthropic)
    assert_type(client.with_options(timeout=1), OpenAI)
    assert_type(client.chat.completions.create(model="m", messages=[]), ChatCompletion)
    assert_type(client.chat.completions.create(model="m", messages=[], stream=True), Stream[ChatCompletionChunk])
    assert_type(client.responses.create(model="m", input="Hello"), Response)
    assert_type(client.embeddings.create(model="m", input="Hello"), CreateEmbeddingResponse)
    sdk.openai(given, via="straight")  # type: ignore[arg-type]


async def an_asynchronous_official_client_does_too(sdk: WhyOps, given: AsyncAnthropic) -> None:
    """So it is for an asynchronous one."""
    client = sdk.anthropic(given)
    assert_type(await client.messages.create(model="m", max_tokens=1, messages=[]), Message)
    async with client.messages.stream(model="m", max_tokens=1, messages=[]) as stream:
        assert_type(await stream.get_final_text(), str)


async def an_async_trace(sdk: WhyOps) -> None:
    """Each method has an async twin."""
    async with sdk.trace("session-123") as trace:
        assert_type(trace, Trace)
        await trace.user_message([{"role": "user", "content": "Hello"}])
        later: Coroutine[Any, Any, None] = trace.error("recorded already")
        await later
        assert_type(await trace.tool_call_request("search", [{"name": "search", "arguments": {}}]), str)
        assert_type(await sdk.flush(), FlushResult)
        assert_type(await sdk.init_agent(), AgentInfo | None)


def a_client_is_a_context_manager() -> None:
    """`with` closes a client."""
    with WhyOps("whyops_key", "agent", {"systemPrompt": "Help.", "tools": []}) as sdk:
        assert_type(sdk, WhyOps)
        assert_type(sdk.flush_sync(), FlushResult)
        assert_type(sdk.close_sync(), FlushResult)


def work(number: int) -> str:
    """Run in a thread pool."""
    return str(number)


def bound_functions_keep_their_signature() -> None:
    """`bind_context` returns what it was given, to the type checker."""
    assert_type(whyops.bind_context(work)(1), str)


@whyops.trace
def run_agent(question: str) -> int:
    """Be a trace per call."""
    return len(question)


@whyops.tool(expected=KeyError)
def look_up(sku: str) -> int:
    """Steer by an exception."""
    return len(sku)


def a_trace_decorates_and_a_client_is_configured(sdk: WhyOps) -> None:
    """A function keeps its signature, anything else gives a trace, and `configure` takes what `WhyOps` takes."""
    assert_type(run_agent("hello"), int)
    assert_type(look_up("lamp"), int)
    run_agent(5)  # type: ignore[arg-type]
    assert_type(sdk.trace(run_agent)("hello"), int)
    assert_type(whyops.trace("session-1", metadata={"tier": "a"}), Trace)
    assert_type(sdk.trace(external_user_id=5), Trace)
    assert_type(whyops.configure(agent_name="shop", keep_keys=["pin"]), WhyOps)
    whyops.configure(api_kye="x")  # type: ignore[call-arg]


async def a_trace_goes_on_in_another_process() -> None:
    """What goes along is a dict of text; a block gives the trace, or None."""
    assert_type(whyops.headers({"accept": "*/*"}, user=True), dict[str, str])
    with whyops.continued({}, trust=True) as trace:
        assert_type(trace, Trace | None)
    async with whyops.continued([(b"baggage", b"")], trust=lambda carrier: carrier is not None) as trace:
        assert_type(trace, Trace | None)
