"""Models that ask through a recorded client: each call is recorded once, by the handler if there is one, else by the client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("langchain_openai", reason="run by `nox -s langchain`")

import openai
from langchain_openai import ChatOpenAI

from tests.server.unproxied import ModelProvider

if TYPE_CHECKING:
    from whyops.integrations.langchain import WhyOpsCallbackHandler
    from whyops.testing import Captured

Ask = Callable[[ChatOpenAI, Any], Any]
AskLater = Callable[[ChatOpenAI, Any], Coroutine[Any, Any, Any]]

MINE = [{"role": "user", "content": "Mine!"}]


@pytest.fixture(scope="module")
def provider() -> Iterator[ModelProvider]:
    with ModelProvider() as running:
        yield running


@pytest.fixture
def client(captured: Captured, provider: ModelProvider) -> Iterator[openai.OpenAI]:
    plain = openai.DefaultHttpxClient(verify=False)  # nothing here speaks TLS
    with captured.client.openai(openai.OpenAI(api_key="sk-1", base_url=f"{provider.origin}/v1", http_client=plain)) as client:
        yield client


@pytest.fixture
def model(captured: Captured, provider: ModelProvider, client: openai.OpenAI) -> ChatOpenAI:
    plain = openai.DefaultAsyncHttpxClient(verify=False)
    other = captured.client.openai(openai.AsyncOpenAI(api_key="sk-1", base_url=f"{provider.origin}/v1", http_client=plain))
    return ChatOpenAI(
        model="m-1",
        api_key="sk-1",  # type: ignore[arg-type]  # a text is taken
        client=client.chat.completions,
        async_client=other.chat.completions,
        root_client=client,
        root_async_client=other,
    )


def texts(captured: Captured, event_type: str) -> list[str]:
    told = [event["content"] for event in captured.of_type(event_type)]
    return sorted(each["content"] if isinstance(each, dict) else each[-1]["content"] for each in told)


async def astream(model: ChatOpenAI, config: Any) -> list[Any]:
    return [chunk async for chunk in model.astream("one", config)]


WAYS: list[tuple[str, Ask, list[str]]] = [
    ("invoke", lambda model, config: model.invoke("one", config), ["one"]),
    ("stream", lambda model, config: list(model.stream("one", config)), ["one"]),
    ("batch", lambda model, config: model.batch(["one", "two"], config), ["one", "two"]),
    ("tools", lambda model, config: model.bind_tools([{"name": "t", "description": "t"}]).invoke("one", config), ["one"]),
]
LATER: list[tuple[str, AskLater, list[str]]] = [
    ("ainvoke", lambda model, config: model.ainvoke("one", config), ["one"]),
    ("astream", astream, ["one"]),
    ("abatch", lambda model, config: model.abatch(["one", "two"], config), ["one", "two"]),
]


@pytest.mark.parametrize("handled", [True, False])
@pytest.mark.parametrize("ask, asked", [way[1:] for way in WAYS], ids=[way[0] for way in WAYS])
def test_each_call_is_recorded_once(
    captured: Captured, handler: WhyOpsCallbackHandler, model: ChatOpenAI, ask: Ask, asked: list[str], *, handled: bool
) -> None:
    """Whoever records it."""
    with captured.client.trace("t-1"):
        ask(model, {"callbacks": [handler]} if handled else {})
    assert texts(captured, "user_message") == asked
    assert len(captured.of_type("llm_response")) == len(asked)


@pytest.mark.parametrize("handled", [True, False])
@pytest.mark.parametrize("ask, asked", [way[1:] for way in LATER], ids=[way[0] for way in LATER])
def test_each_asynchronous_call_is_recorded_once(
    captured: Captured, handler: WhyOpsCallbackHandler, model: ChatOpenAI, ask: AskLater, asked: list[str], *, handled: bool
) -> None:
    """As above."""

    async def asking() -> None:
        async with captured.client.trace("t-1"):
            await ask(model, {"callbacks": [handler]} if handled else {})
        await model.root_async_client.close()

    asyncio.run(asking())
    assert texts(captured, "user_message") == asked
    assert len(captured.of_type("llm_response")) == len(asked)


def test_a_call_between_two_chunks_of_a_handled_stream_is_one_of_its_own(
    captured: Captured, handler: WhyOpsCallbackHandler, model: ChatOpenAI, client: openai.OpenAI
) -> None:
    """The stream's own request has been made: what its reader asks is another call."""
    with captured.client.trace("t-1"):
        for place, _ in enumerate(model.stream("one", {"callbacks": [handler]})):
            if place == 0:
                client.chat.completions.create(model="m-1", messages=MINE)  # type: ignore[arg-type]  # dicts are taken
        client.chat.completions.create(model="m-1", messages=MINE)  # type: ignore[arg-type]  # as above
    assert texts(captured, "user_message") == ["Mine!", "Mine!", "one"]
    assert len(captured.of_type("llm_response")) == 3


def test_a_handler_that_leaves_models_out_leaves_them_to_the_client(captured: Captured, model: ChatOpenAI) -> None:
    """Nobody else records them then."""
    from whyops.integrations.langchain import WhyOpsCallbackHandler  # noqa: PLC0415  (as in the fixture)

    with captured.client.trace("t-1"):
        model.invoke("one", {"callbacks": [WhyOpsCallbackHandler(llm_events=False)]})
    assert texts(captured, "user_message") == ["one"]
