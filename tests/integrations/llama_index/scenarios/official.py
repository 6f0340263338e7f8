"""LlamaIndex's own classes for OpenAI and Anthropic: the prompts are compared with what came over the wire."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integrations.llama_index.provider import Say, provider
from tests.integrations.llama_index.run import Run, buffer, system, user
from tests.integrations.scenario import scenario

OpenAI = pytest.importorskip("llama_index.llms.openai").OpenAI
Anthropic = pytest.importorskip("llama_index.llms.anthropic").Anthropic


def openai(url: str) -> Any:
    return OpenAI(model="gpt-4o-mini", api_key="key", api_base=f"{url}/v1", max_retries=0, reuse_client=False)


def anthropic(url: str) -> Any:
    return Anthropic(model="claude-sonnet-4-0", api_key="key", base_url=url, max_retries=0)


def find(order: str) -> str:
    """Find an order."""
    return f"order {order} has shipped"


LOOP: tuple[Say, ...] = (("find", {"order": "1"}), "It has shipped.", "Bye now.")


def turns(run: Run, model: Any) -> None:
    with provider(run.given, "Hello there.", "Bye now.") as url:
        llm, said = model(url), [system("Be kind."), user("Hi")]
        said.append(run.ask(llm, said))
        run.ask(llm, [*said, user("Bye")])


def asynchronous_turns(run: Run, model: Any) -> None:
    async def talk(llm: Any) -> None:
        said = [system("Be kind."), user("Hi")]
        said.append(await run.aask(llm, said))
        await run.aask(llm, [*said, user("Bye")])

    with provider(run.given, "Hello there.", "Bye now.") as url:
        run.wait(talk(model(url)))


def agent(run: Run, model: Any) -> None:
    with provider(run.given, *LOOP) as url:
        run.go(run.agent(llm=model(url), tools=[find], system_prompt="Look."), "Where is order 1?", "Thanks", memory=buffer())


@scenario(feature="`OpenAI` of llama-index-llms-openai", recorded="The prompts as they went over the wire", streamed=True)
def openai_turns(run: Run) -> None:
    turns(run, openai)


@scenario(feature="`OpenAI`, from asynchronous code", recorded="The prompts as they went over the wire", streamed=True)
def openai_turns_async(run: Run) -> None:
    asynchronous_turns(run, openai)


@scenario(feature="An agent with `OpenAI`", recorded="Each prompt of the loop, calls and results by their ids", streamed=True)
def openai_agent(run: Run) -> None:
    agent(run, openai)


@scenario(feature="`Anthropic` of llama-index-llms-anthropic", recorded="The prompts as they went over the wire", streamed=True)
def anthropic_turns(run: Run) -> None:
    turns(run, anthropic)


@scenario(feature="`Anthropic`, from asynchronous code", recorded="The prompts as they went over the wire", streamed=True)
def anthropic_turns_async(run: Run) -> None:
    asynchronous_turns(run, anthropic)


@scenario(feature="An agent with `Anthropic`", recorded="Each prompt of the loop, calls and results by their ids", streamed=True)
def anthropic_agent(run: Run) -> None:
    agent(run, anthropic)
