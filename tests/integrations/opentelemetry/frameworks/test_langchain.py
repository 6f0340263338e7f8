"""LangChain with an instrumentation of its own, OpenInference's or Traceloop's, beside those of the client and what else records."""

from __future__ import annotations

import asyncio
import importlib.util
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

import whyops
from tests.integrations.opentelemetry.frameworks.chat_api import answer, chat_api
from tests.integrations.opentelemetry.replayed import asked_and_given, trace_of
from whyops.testing import Captured

openai: Any = pytest.importorskip("openai")
langchain_openai: Any = pytest.importorskip("langchain_openai")
agents: Any = pytest.importorskip("langchain.agents")
tools: Any = pytest.importorskip("langchain_core.tools")

OF_LANGCHAIN = [
    ("openinference.instrumentation.langchain", "LangChainInstrumentor"),
    ("opentelemetry.instrumentation.langchain", "LangchainInstrumentor"),
]
OF_CLIENTS = {
    None: None,
    "openinference": ("openinference.instrumentation.openai", "OpenAIInstrumentor"),
    "contrib": ("opentelemetry.instrumentation.openai_v2", "OpenAIInstrumentor"),
}
SCRIPT = [answer(None, ("c1", "add", {"a": 1, "b": 2}), ("c2", "add", {"a": 3, "b": 4})), answer("Three and seven.")]


@pytest.fixture
def _instrumented(provider: TracerProvider) -> Iterator[None]:
    """Instrument LangChain by the package that is installed; of two the first, for Traceloop's doesn't let go of it again."""
    named = next((each for each in OF_LANGCHAIN if is_installed(each[0])), None)
    if named is None:
        pytest.skip("no instrumentation of LangChain is installed")
    yield from instrument(named, provider)


@pytest.fixture(params=OF_CLIENTS)
def _instrumented_clients(request: pytest.FixtureRequest, provider: TracerProvider) -> Iterator[None]:
    yield from instrument(OF_CLIENTS[request.param], provider)


def is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def instrument(named: tuple[str, str] | None, provider: TracerProvider) -> Iterator[None]:
    if named is None:
        yield
        return
    pytest.importorskip(named[0])
    instrumentor = getattr(importlib.import_module(named[0]), named[1])()
    instrumentor.instrument(tracer_provider=provider)
    yield
    instrumentor.uninstrument()


@whyops.tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def run(model: Any, *, waits: bool = False, callbacks: Any = ()) -> None:
    agent = agents.create_agent(model, [tools.tool(add)], system_prompt="Be short.")
    asked: Any = {"messages": [("user", "1 + 2, 3 + 4?")]}, {"callbacks": list(callbacks)}
    if waits:
        asyncio.run(agent.ainvoke(*asked))
    else:
        agent.invoke(*asked)


def recorded_once(captured: Captured) -> None:
    """Hold that there are two calls of the model with their prompts, and two of the tool, which ran side by side."""
    assert Counter(event["eventType"] for event in captured.events)["llm_response"] == 2
    first, second = trace_of(captured).model_calls
    assert first.tools == ("add",)
    assert [(message.role, message.content) for message in first.prompt or ()] == [("system", "Be short."), ("user", "1 + 2, 3 + 4?")]
    assert [message.role for message in second.prompt or ()] == ["system", "user", "assistant", "tool", "tool"]
    assert [message.content for message in (second.prompt or ())[3:]] == ["3", "7"]
    told = sorted((str(arguments), str(result["result"])) for _, arguments, result in asked_and_given(captured))
    assert told == [("{'a': 1, 'b': 2}", "3"), ("{'a': 3, 'b': 4}", "7")]


@pytest.mark.usefixtures("_instrumented", "_instrumented_clients")
@pytest.mark.parametrize("waits", [False, True])
def test_a_model_that_is_traced_by_both_is_recorded_once(captured: Captured, *, waits: bool) -> None:
    """By LangChain's instrumentation and by the client's; a decorated tool is the call that the span stands for."""
    with chat_api(SCRIPT) as (url, _):
        run(langchain_openai.ChatOpenAI(model="scripted", base_url=url, api_key="x", max_retries=0), waits=waits)
        recorded_once(captured)


@pytest.mark.usefixtures("_instrumented", "_instrumented_clients")
def test_beside_a_client_that_records_it_is_recorded_once(captured: Captured) -> None:
    """The span is recorded, and the client's request is a part of its call."""
    with chat_api(SCRIPT) as (url, _), whyops.trace("t"):
        client = captured.client.openai(openai.OpenAI(base_url=url, api_key="x", max_retries=0))
        run(langchain_openai.ChatOpenAI(model="scripted", root_client=client, client=client.chat.completions, api_key="x"))
        recorded_once(captured)


@pytest.mark.usefixtures("_instrumented", "_instrumented_clients")
@pytest.mark.parametrize("waits", [False, True])
def test_beside_our_handler_it_is_recorded_once(captured: Captured, *, waits: bool) -> None:
    """The handler records, and all spans are passed over."""
    from whyops.integrations.langchain import WhyOpsCallbackHandler  # noqa: PLC0415  (while it is there, spans are passed over)

    with chat_api(SCRIPT) as (url, _):
        model = langchain_openai.ChatOpenAI(model="scripted", base_url=url, api_key="x", max_retries=0)
        run(model, waits=waits, callbacks=[WhyOpsCallbackHandler()])
        recorded_once(captured)
