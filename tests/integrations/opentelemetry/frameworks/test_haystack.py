"""Haystack with its own tracer for OpenTelemetry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

import whyops
from tests.integrations.opentelemetry.frameworks.chat_api import answer, chat_api
from tests.integrations.opentelemetry.replayed import asked_and_given, trace_of
from whyops.testing import Captured

haystack: Any = pytest.importorskip("haystack")
tracing: Any = pytest.importorskip("haystack_integrations.tracing.opentelemetry")

SCRIPT = [
    answer("Looking.", ("c1", "weather", {"city": "Paris"}), ("c2", "add", {"a": 1, "b": 2}), ("c3", "weather", {"city": "Nowhere"})),
    answer("Sunny."),
]
FAILED = "Failed to invoke Tool `weather` with parameters {'city': 'Nowhere'}. Error: no such city"


@pytest.fixture(autouse=True)
def _traced(provider: TracerProvider) -> Iterator[None]:
    haystack.tracing.tracer.is_content_tracing_enabled = True
    haystack.tracing.enable_tracing(tracing.OpenTelemetryTracer(provider.get_tracer("haystack")))
    yield
    haystack.tracing.disable_tracing()


def weather(city: str) -> str:
    """Tell the weather."""
    if city == "Nowhere":
        raise ValueError("no such city")
    return "sunny"


@whyops.tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def generator(url: str, **more: Any) -> Any:
    from haystack.components.generators.chat import OpenAIChatGenerator  # noqa: PLC0415  (only where Haystack is installed)
    from haystack.utils import Secret  # noqa: PLC0415  (as above)

    return OpenAIChatGenerator(api_key=Secret.from_token("x"), model="scripted", api_base_url=url, max_retries=0, **more)


def run(url: str, **more: Any) -> str:
    from haystack.components.agents import Agent  # noqa: PLC0415  (as above)
    from haystack.dataclasses import ChatMessage  # noqa: PLC0415  (as above)
    from haystack.tools import create_tool_from_function  # noqa: PLC0415  (as above)

    made = [create_tool_from_function(function) for function in (weather, add)]
    agent = Agent(chat_generator=generator(url, **more), tools=made, system_prompt="Be short.")
    answered: str = agent.run(messages=[ChatMessage.from_user("Weather?")])["messages"][-1].text
    return answered


STREAMED = {"streaming_callback": lambda _: None, "generation_kwargs": {"stream_options": {"include_usage": True}}}


@pytest.mark.parametrize("more", [{}, STREAMED], ids=["whole", "streamed"])
def test_a_run_is_recorded(captured: Captured, more: dict[str, Any]) -> None:
    """Prompts, answers, tokens with the cached, tools that ran side by side, one of them decorated and once, and one that failed."""
    with chat_api(SCRIPT) as (url, given):
        assert run(url, **more) == "Sunny."
    made = sorted(asked_and_given(captured), key=str)
    assert made == [
        ("add", {"a": 1, "b": 2}, {"result": 3}),
        ("weather", {"city": "Nowhere"}, {"error": FAILED}),
        ("weather", {"city": "Paris"}, {"result": "sunny"}),
    ]
    assert [event["content"]["message"] for event in captured.of_type("error")] == [FAILED]
    model_calls = trace_of(captured).model_calls
    assert [len(call.prompt or ()) for call in model_calls] == [len(messages) for messages in given]
    assert [message.role for message in model_calls[1].prompt or ()] == ["system", "user", "assistant", "tool", "tool", "tool"]
    assert [call.tools for call in model_calls] == [("weather", "add")] * 2
    usages = [event["metadata"]["usage"] for event in captured.of_type("llm_response")]
    assert [(usage["promptTokens"], usage["cacheReadTokens"], usage["completionTokens"]) for usage in usages] == [(40, 60, 10)] * 2


def test_a_models_failure_is_recorded_once(captured: Captured) -> None:
    """With the prompt, and no answer."""
    with chat_api([]) as (url, _), pytest.raises(Exception, match="model down"):
        run(url)
    assert [event["content"]["message"] for event in captured.of_type("error")] == ["Error code: 400 - model down"]
    (call,) = trace_of(captured).model_calls
    assert [(message.role, message.content) for message in call.prompt or ()] == [("system", "Be short."), ("user", "Weather?")]


def test_a_pipeline_is_recorded(captured: Captured) -> None:
    """What a retriever found, and what a generator was asked and answered."""
    from haystack.components.builders import ChatPromptBuilder  # noqa: PLC0415  (as above)
    from haystack.components.retrievers.in_memory import InMemoryBM25Retriever  # noqa: PLC0415  (as above)
    from haystack.dataclasses import ChatMessage  # noqa: PLC0415  (as above)
    from haystack.document_stores.in_memory import InMemoryDocumentStore  # noqa: PLC0415  (as above)

    store = InMemoryDocumentStore()
    store.write_documents([haystack.Document(content="Paris is the capital.")])
    template = "{{documents[0].content}} {{question}}"
    with chat_api([answer("Paris.")]) as (url, _):
        pipeline = haystack.Pipeline()
        pipeline.add_component("search", InMemoryBM25Retriever(store))
        pipeline.add_component("build", ChatPromptBuilder([ChatMessage.from_user(template)], required_variables="*"))
        pipeline.add_component("ask", generator(url))
        pipeline.connect("search.documents", "build.documents")
        pipeline.connect("build.prompt", "ask.messages")
        pipeline.run({"search": {"query": "capital"}, "build": {"question": "Which?"}})
    ((name, asked, found),) = asked_and_given(captured)
    assert (name, asked) == ("search", {"query": "capital"})
    assert [document["content"] for document in found["documents"]] == ["Paris is the capital."]
    (call,) = trace_of(captured).model_calls
    assert [message.content for message in call.prompt or ()] == ["Paris is the capital. Which?"]
    assert [event["content"]["content"] for event in captured.of_type("llm_response")] == ["Paris."]
