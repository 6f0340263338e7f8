"""The handler for the classic `CallbackManager`: queries and model calls, once each, and never an exception of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from llama_index.core import Settings, VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload
from llama_index.core.llms import MockLLM
from llama_index.core.postprocessor import SimilarityPostprocessor
from llama_index.core.tools import ToolMetadata

import whyops
from tests.integrations.llama_index.scripted import NODES, ScriptedLLM, calls, embedding, in_turn
from tests.integrations.llama_index.test_models import ASKED, STREAMS, WAYS, ask
from whyops.integrations.llama_index import WhyOpsCallbackHandler
from whyops.testing import Captured

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pydantic's, in LlamaIndex's agents

QUERY = [
    "user_message",
    "tool_call_request",
    "embedding_request",
    "embedding_response",
    "tool_call_response",
    "user_message",
    "llm_response",
]


@pytest.fixture
def handler(recorded: Captured) -> Iterator[WhyOpsCallbackHandler]:
    """Give a handler that has nothing open at the end."""
    handler = WhyOpsCallbackHandler()
    yield handler
    assert len(handler._open) == 0
    assert whyops.current_trace() is None


@pytest.fixture
def manager(handler: WhyOpsCallbackHandler) -> Iterator[CallbackManager]:
    """Give the manager that LlamaIndex's settings have: engines hand it to their models."""
    Settings.callback_manager = CallbackManager([handler])
    yield Settings.callback_manager
    Settings._callback_manager = None


def types(captured: Captured) -> list[str]:
    return [event["eventType"] for event in captured.events]


def traces(captured: Captured) -> set[str]:
    return {event["traceId"] for event in captured.events}


MODELS: list[Callable[..., Any]] = [MockLLM, lambda **more: ScriptedLLM(script=in_turn("Hi there you."), **more)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", MODELS, ids=["MockLLM", "native"])
def test_a_call_is_recorded_once(make: Callable[..., Any], way: str, manager: CallbackManager, recorded: Captured) -> None:
    """Also where the model's class makes one method of another, at once or when the stream is read."""
    ask(make(callback_manager=manager), way)
    ask(MockLLM(callback_manager=manager), way)
    assert types(recorded) == ["user_message", "llm_response"] * 2
    assert len(traces(recorded)) == 2


@pytest.mark.parametrize("way", STREAMS)
def test_a_stream_left_early(way: str, manager: CallbackManager, recorded: Captured) -> None:
    """Chunks are not told to classic handlers: the call is closed without its text."""
    ask(ScriptedLLM(script=in_turn("Hi there you."), callback_manager=manager), way, chunks=1)
    assert types(recorded) == ["user_message", "llm_response"]
    assert recorded.events[1]["metadata"]["closedEarly"] is True


def test_a_model_in_use_again_while_its_stream_is_open(manager: CallbackManager, recorded: Captured) -> None:
    """A call of something else is none of the stream's own, also deeper in a query."""
    llm = ScriptedLLM(script=lambda _: "Hi there you.", callback_manager=manager)
    index = VectorStoreIndex(NODES, embed_model=embedding())
    stream = llm.stream_chat(ASKED)
    next(stream)
    index.as_query_engine(llm=llm).query("Who purrs?")
    list(stream)
    assert types(recorded).count("llm_response") == 2


@pytest.mark.parametrize("model", [MockLLM, lambda **more: ScriptedLLM(script=lambda _: "Cats do.", **more)], ids=["MockLLM", "native"])
@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("way", ["query", "aquery"])
def test_a_query_is_one_trace(way: str, *, streaming: bool, model: Any, manager: CallbackManager, recorded: Captured) -> None:
    """Retrieval, embedding and answer; streamed, whenever it is read."""
    model_of_embeddings = embedding()
    model_of_embeddings.callback_manager = manager
    index = VectorStoreIndex(NODES, embed_model=model_of_embeddings, callback_manager=manager)
    before = len(recorded.events)
    engine = index.as_query_engine(llm=model(callback_manager=manager), streaming=streaming)

    async def read() -> None:
        response = await engine.aquery("Who purrs?")
        if streaming:
            async for _ in response.response_gen:
                pass

    asyncio.run(read()) if way == "aquery" else str(engine.query("Who purrs?"))
    events = recorded.events[before:]
    assert [event["eventType"] for event in events] == QUERY
    assert len({event["traceId"] for event in events}) == 1
    assert events[0]["content"] == [{"role": "user", "content": "Who purrs?"}]
    assert events[2]["metadata"]["parentSpanId"] == events[1]["spanId"]
    assert len(events[4]["content"]["toolResults"]["nodes"]) == 2


def test_a_query_that_no_model_answers(manager: CallbackManager, recorded: Captured) -> None:
    """Leaves its caller's question, and the answer; a query in a tool's call leaves neither."""
    index = VectorStoreIndex(NODES, embed_model=embedding(), callback_manager=manager)
    cutoff = SimilarityPostprocessor(similarity_cutoff=2.0)
    engine = index.as_query_engine(llm=ScriptedLLM(script=lambda _: "Cats."), node_postprocessors=[cutoff])
    before = len(recorded.events)
    assert str(engine.query("Who purrs?")) == "Empty Response"
    events = recorded.events[before:]
    assert [event["eventType"] for event in events] == [*QUERY[:5], "tool_result"]
    assert events[0]["content"] == [{"role": "user", "content": "Who purrs?"}]
    assert events[5]["content"] == {"name": "query", "toolName": "query", "output": "Empty Response"}
    assert len({event["traceId"] for event in events}) == 1

    @whyops.tool
    def look_up() -> str:
        return str(engine.query("Who barks?"))

    look_up()
    assert len(recorded.of_type("user_message")) == len(recorded.of_type("tool_result")) == 1


def test_the_steps_of_a_query(recorded: Captured) -> None:
    """With `record_steps=True` query and synthesis are spans, with what is in them below."""
    Settings.callback_manager = manager = CallbackManager([WhyOpsCallbackHandler(record_steps=True)])
    try:
        index = VectorStoreIndex(NODES, embed_model=embedding())
        index.as_query_engine(llm=ScriptedLLM(script=lambda _: "Cats.", callback_manager=manager)).query("Who purrs?")
    finally:
        Settings._callback_manager = None
    asked = [event for event in recorded.of_type("tool_call_request") if event["metadata"].get("stands_for") == "step"]
    assert [event["content"]["name"] for event in asked] == ["query", "synthesize"]
    query, synthesis = (event["spanId"] for event in asked)
    assert asked[1]["metadata"]["parentSpanId"] == query
    (answer,) = recorded.of_type("llm_response")
    assert answer["metadata"]["parentSpanId"] == synthesis
    gave = {event["spanId"]: event["content"]["toolResults"] for event in recorded.of_type("tool_call_response")}
    assert gave[query]["response"] == "Cats."
    assert len(gave[query]["sources"]) == 2
    assert recorded.of_type("tool_result") == []


def test_an_agents_model_calls_are_one_trace(manager: CallbackManager, recorded: Captured) -> None:
    """They are told by the run's id, which is all that a classic handler gets to know of a run."""
    llm = ScriptedLLM(script=in_turn(calls(("add", {"a": 1, "b": 2})), "Three."), callback_manager=manager)

    def add(a: int, b: int) -> int:
        return a + b

    async def run() -> None:
        await FunctionAgent(tools=[add], llm=llm).run("What is 1 + 2?")

    asyncio.run(run())
    assert types(recorded) == ["user_message", "llm_response", "user_message", "llm_response"]
    assert [message["role"] for message in recorded.events[2]["content"]] == ["tool"]
    assert len(traces(recorded)) == 1


def test_a_failing_model_is_one_error(manager: CallbackManager, recorded: Captured) -> None:
    """Classic handlers get the same exception several times over."""
    index = VectorStoreIndex(NODES, embed_model=embedding())
    engine = index.as_query_engine(llm=ScriptedLLM(script=lambda _: RuntimeError("out of order"), callback_manager=manager))
    with pytest.raises(RuntimeError):
        engine.query("Who purrs?")
    assert [event["content"]["message"] for event in recorded.of_type("error")] == ["out of order"]


def test_a_tool_that_an_integration_tells_of(handler: WhyOpsCallbackHandler, recorded: Captured) -> None:
    """Core sends no `function_call`; packages that do send the arguments as JSON."""
    manager = CallbackManager([handler])
    tool = ToolMetadata(name="add", description="Add.")
    with manager.as_trace("chat"):
        for given in (json.dumps({"a": 1}), "no json"):
            with manager.event(CBEventType.FUNCTION_CALL, {EventPayload.FUNCTION_CALL: given, EventPayload.TOOL: tool}) as event:
                event.on_end({EventPayload.FUNCTION_OUTPUT: "3"})
        with pytest.raises(ValueError, match="no"), manager.event(CBEventType.FUNCTION_CALL, {EventPayload.TOOL: tool}):
            raise ValueError("no")
    requests = recorded.of_type("tool_call_request")
    assert [event["content"]["toolCalls"][0]["arguments"] for event in requests[:2]] == [{"a": 1}, {"input": "no json"}]
    results = [event["content"]["toolResults"] for event in recorded.of_type("tool_call_response")]
    assert results == [{"result": "3"}, {"result": "3"}, {"error": "ValueError: no"}]
    assert len(recorded.of_type("error")) == 1


def test_ranking(handler: WhyOpsCallbackHandler, recorded: Captured) -> None:
    """A tool pair with the query and the nodes."""
    manager = CallbackManager([handler])
    payload = {EventPayload.QUERY_STR: "Who?", EventPayload.NODES: NODES, EventPayload.TOP_K: 1, EventPayload.MODEL_NAME: "ranker-1"}
    with manager.event(CBEventType.RERANKING, payload) as event:
        event.on_end({EventPayload.NODES: NODES[:1]})
    (request,) = recorded.of_type("tool_call_request")
    assert request["content"]["toolCalls"][0]["arguments"]["top_n"] == 1
    (response,) = recorded.of_type("tool_call_response")
    assert response["content"]["toolResults"]["nodes"][0]["content"] == "Cats purr."


def test_a_current_trace_and_the_arguments(recorded: Captured) -> None:
    """As with `instrument`."""
    llm = MockLLM(callback_manager=CallbackManager([WhyOpsCallbackHandler()]))
    with whyops.trace("mine"):
        llm.chat(ASKED)
    MockLLM(callback_manager=CallbackManager([WhyOpsCallbackHandler(trace_id="asked-for")])).chat(ASKED)
    MockLLM(callback_manager=CallbackManager([WhyOpsCallbackHandler(llm_events=False)])).chat(ASKED)
    assert [event["traceId"] for event in recorded.events] == ["mine", "mine", "asked-for", "asked-for"]


def test_events_to_ignore(recorded: Captured) -> None:
    """The base class's arguments are LlamaIndex's own."""
    handler = WhyOpsCallbackHandler(event_starts_to_ignore=[CBEventType.LLM], event_ends_to_ignore=[CBEventType.LLM])
    MockLLM(callback_manager=CallbackManager([handler])).chat(ASKED)
    assert recorded.events == []


class Hostile:
    """Fails whatever is done to it."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


@pytest.mark.parametrize("kind", list(CBEventType))
def test_whatever_a_payload_holds_it_never_raises(kind: CBEventType, recorded: Captured, caplog: pytest.LogCaptureFixture) -> None:
    """A callback manager swallows nothing: what a handler raises lands in the application."""
    handler = WhyOpsCallbackHandler()
    for payload in (None, {}, dict.fromkeys(EventPayload, Hostile()), dict.fromkeys(EventPayload, "text"), dict.fromkeys(EventPayload)):
        handler.start_trace("query")
        assert handler.on_event_start(kind, payload, event_id="e1") == "e1"
        handler.on_event_end(kind, payload, event_id="e1")
        handler.end_trace("query")
    handler.on_event_end(kind, {}, event_id="never begun")
    handler.end_trace("never begun")
    assert whyops.current_trace() is None
    caplog.clear()
