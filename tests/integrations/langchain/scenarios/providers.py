"""OpenAI's and Anthropic's own classes, against the strict server, which answers as the providers do."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

pytest.importorskip("langchain_openai")
pytest.importorskip("langchain_anthropic")

from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.utils import message_chunk_to_message
from langchain_openai import ChatOpenAI
from openai import DefaultAsyncHttpxClient
from pydantic import BaseModel, PrivateAttr

from tests.acceptance.test_read_back import KEY
from tests.integrations.langchain.parts import ask
from tests.integrations.langchain.running import Kept, Run
from tests.integrations.langchain.tools import find
from tests.integrations.scenario import scenario
from tests.server.model import NO_SUCH_MODEL

NEEDS = "python>=3.11"
WANTED = json.dumps({"order": "1"})
"""Said to the server's model, it is what that calls its first tool with."""


class Keeps:
    """Keeps what a model of a provider's is given, whichever way it is asked."""

    _run: Run = PrivateAttr()

    def for_run(self, run: Run) -> Any:
        self._run = run
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Any:
        kept = self._run.keep(messages)
        return self._answered(kept, super()._generate(messages, *args, **kwargs))  # type: ignore[misc]  # beside a model's class

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Any:
        kept = self._run.keep(messages)
        return self._answered(kept, await super()._agenerate(messages, *args, **kwargs))  # type: ignore[misc]  # as above

    def _stream(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Iterator[Any]:
        kept = self._run.keep(messages)
        for chunk in super()._stream(messages, *args, **kwargs):  # type: ignore[misc]  # as above
            kept.hears(chunk.message)
            yield chunk

    async def _astream(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        kept = self._run.keep(messages)
        async for chunk in super()._astream(messages, *args, **kwargs):  # type: ignore[misc]  # as above
            kept.hears(chunk.message)
            yield chunk

    @staticmethod
    def _answered(kept: Kept, result: Any) -> Any:
        kept.hears(result.generations[0].message)
        return result


class ChatOpenAIThatKeeps(Keeps, ChatOpenAI):
    """OpenAI's."""


class ChatAnthropicThatKeeps(Keeps, ChatAnthropic):
    """Anthropic's."""


def openai(run: Run, model: str = "gpt-4o-mini", **more: Any) -> Any:
    headers = {"X-Agent-Name": "provider"}
    return ChatOpenAIThatKeeps(model=model, base_url=f"{run.url}/v1", api_key=KEY, default_headers=headers, max_retries=0, **more).for_run(
        run
    )


def anthropic(run: Run, model: str = "claude-sonnet-4", **more: Any) -> Any:
    headers = {"X-Agent-Name": "provider"}
    return ChatAnthropicThatKeeps(model_name=model, base_url=run.url, api_key=KEY, default_headers=headers, max_retries=0, **more).for_run(
        run
    )


def two_turns(run: Run, model: Any) -> None:
    said: list[BaseMessage] = [SystemMessage("Help."), HumanMessage("Hello")]
    said.append(message_chunk_to_message(run.invoke(model, said)))
    run.invoke(model, [*said, HumanMessage("Thanks")])


async def two_turns_in_async_code(run: Run, model: Any) -> None:
    said: list[BaseMessage] = [SystemMessage("Help."), HumanMessage("Hello")]
    said.append(await model.ainvoke(said, run.config))
    async for _ in model.astream([*said, HumanMessage("Thanks")], run.config):
        pass


@scenario(feature="OpenAI (`ChatOpenAI`)", recorded="Prompts, answers, tokens", streamed=True)
def openai_chat(run: Run) -> None:
    two_turns(run, openai(run))


@scenario(feature="OpenAI (`ChatOpenAI`)", recorded="The same in async code, also streamed", needs=NEEDS)
async def openai_chat_in_async_code(run: Run) -> None:
    async with DefaultAsyncHttpxClient() as client:  # the package's own would outlive the event loop
        await two_turns_in_async_code(run, openai(run, http_async_client=client))


@scenario(feature="OpenAI (`ChatOpenAI`)", recorded="Tool calls, without what the proxy adds to them", streamed=True)
def openai_agent(run: Run) -> None:
    run.invoke(create_agent(openai(run), [find], system_prompt="Look."), ask(WANTED))


@scenario(feature="OpenAI (`ChatOpenAI`)", recorded="A request that is refused, with its prompt and its error")
def openai_refused(run: Run) -> None:
    with contextlib.suppress(Exception):
        openai(run, NO_SUCH_MODEL).invoke("Hello", run.config)


@scenario(feature="OpenAI (`ChatOpenAI`, Responses)", recorded="Prompts, answers, tokens", streamed=True)
def openai_responses(run: Run) -> None:
    two_turns(run, openai(run, use_responses_api=True))


@scenario(feature="OpenAI (`ChatOpenAI`, Responses)", recorded="The same in async code, also streamed", needs=NEEDS)
async def openai_responses_in_async_code(run: Run) -> None:
    async with DefaultAsyncHttpxClient() as client:
        await two_turns_in_async_code(run, openai(run, http_async_client=client, use_responses_api=True))


@scenario(feature="OpenAI (`ChatOpenAI`, Responses)", recorded="Tool calls, without what the proxy adds to them")
def openai_responses_agent(run: Run) -> None:
    run.invoke(create_agent(openai(run, use_responses_api=True), [find], system_prompt="Look."), ask(WANTED))


@scenario(feature="Anthropic (`ChatAnthropic`)", recorded="Prompts, answers, tokens", streamed=True)
def anthropic_chat(run: Run) -> None:
    two_turns(run, anthropic(run))


@scenario(feature="Anthropic (`ChatAnthropic`)", recorded="The same in async code, also streamed", needs=NEEDS)
async def anthropic_chat_in_async_code(run: Run) -> None:
    await two_turns_in_async_code(run, anthropic(run))


@scenario(
    feature="Anthropic (`ChatAnthropic`)", recorded="Tool calls and their results, not twice where parts tell them too", streamed=True
)
def anthropic_agent(run: Run) -> None:
    run.invoke(create_agent(anthropic(run), [find], system_prompt="Look."), ask(WANTED))


@scenario(feature="Changed model", recorded="The models of each provider, with the same prompt by ids")
def from_one_provider_to_another(run: Run) -> None:
    said: list[BaseMessage] = [HumanMessage("Hello")]
    for model in (openai(run), anthropic(run), openai(run, use_responses_api=True)):
        said.extend((model.invoke(said, run.config), HumanMessage("And you?")))


class Order(BaseModel):
    """An order."""

    order: str


@scenario(feature="Structured answer by function calling", recorded="The call's arguments, as the answer")
def openai_function_calling(run: Run) -> None:
    openai(run).with_structured_output(Order, method="function_calling").invoke(WANTED, run.config)


@scenario(feature="Structured answer in JSON", recorded="The answer's text; the form among the parameters")
def openai_json_mode(run: Run) -> None:
    openai(run).with_structured_output(Order, method="json_mode", include_raw=True).invoke(WANTED, run.config)


@scenario(feature="Structured answer by function calling", recorded="The call's arguments, as the answer")
def anthropic_function_calling(run: Run) -> None:
    anthropic(run).with_structured_output(Order).invoke(WANTED, run.config)


@scenario(feature="Structured answer of an agent (`ToolStrategy`)", recorded="The call, and what the agent told the model of it")
def openai_tool_strategy(run: Run) -> None:
    run.invoke(create_agent(openai(run), [], response_format=ToolStrategy(Order)), ask(WANTED))


@scenario(feature="Structured answer of an agent (`ProviderStrategy`)", recorded="The answer's text; the form among the parameters")
def openai_provider_strategy(run: Run) -> None:
    with contextlib.suppress(Exception):
        run.invoke(create_agent(openai(run), [], response_format=ProviderStrategy(Order)), ask("Hello"))
