"""LlamaIndex with our `instrument` and instrumentations of others, of LlamaIndex and of the client that its models use."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

import whyops
from tests.integrations.opentelemetry.frameworks.chat_api import answer, chat_api
from tests.integrations.opentelemetry.replayed import asked_and_given, trace_of
from whyops.testing import Captured

of_llama_index: Any = pytest.importorskip("openinference.instrumentation.llama_index")
of_clients: Any = pytest.importorskip("openinference.instrumentation.openai")
llms: Any = pytest.importorskip("llama_index.llms.openai_like")
openai: Any = pytest.importorskip("openai")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # LlamaIndex's own

SCRIPT = [answer(None, ("c1", "add", {"a": 1, "b": 2}), ("c2", "add", {"a": 3, "b": 4})), answer("Three and seven.")]


@pytest.fixture(autouse=True)
def _instrumented(provider: TracerProvider) -> Iterator[None]:
    from whyops.integrations.llama_index import instrument  # noqa: PLC0415  (only where LlamaIndex is installed)

    instrumentors = of_llama_index.LlamaIndexInstrumentor(), of_clients.OpenAIInstrumentor()
    for instrumentor in instrumentors:
        instrumentor.instrument(tracer_provider=provider)
    with instrument():
        yield
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


@whyops.tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def run(url: str, *, streaming: bool, **clients: Any) -> str:
    from llama_index.core.agent.workflow import FunctionAgent  # noqa: PLC0415  (as above)
    from llama_index.core.tools import FunctionTool  # noqa: PLC0415  (as above)

    told = {"is_chat_model": True, "is_function_calling_model": True, "max_retries": 0}
    model = llms.OpenAILike(model="scripted", api_base=url, api_key="x", **told, **clients)
    agent = FunctionAgent(tools=[FunctionTool.from_defaults(add)], llm=model, system_prompt="Be short.", streaming=streaming)
    return str(await agent.run("1 + 2, 3 + 4?"))


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("records", [False, True])
def test_what_our_instrumentation_records_is_recorded_once(captured: Captured, *, streaming: bool, records: bool) -> None:
    """All spans are passed over, of the framework and of the client; and so is a client that records."""
    with chat_api(SCRIPT) as (url, _), whyops.trace("t"):
        made = openai.AsyncOpenAI(base_url=url, api_key="x", max_retries=0)
        clients = {"async_openai_client": captured.client.openai(made)} if records else {}
        assert asyncio.run(run(url, streaming=streaming, **clients)) == "Three and seven."
    counted = Counter(event["eventType"] for event in captured.events)
    assert (counted["llm_response"], counted["tool_call_request"], counted["error"]) == (2, 2, 0)
    assert sorted(str(arguments) for _, arguments, _ in asked_and_given(captured)) == ["{'a': 1, 'b': 2}", "{'a': 3, 'b': 4}"]
    first, second = trace_of(captured).model_calls
    assert [message.role for message in first.prompt or ()] == ["system", "user"]
    assert [message.role for message in second.prompt or ()] == ["system", "user", "assistant", "tool", "tool"]
