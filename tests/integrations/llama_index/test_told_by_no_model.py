"""Runs without a model, and answers that no model gave: what was asked, what came out, and by whom."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.embeddings.base_sparse import BaseSparseEmbedding
from llama_index.core.embeddings import MultiModalEmbedding
from llama_index.core.postprocessor import SimilarityPostprocessor
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.query_engine import CustomQueryEngine
from llama_index.core.schema import NodeWithScore, QueryBundle
from llama_index.core.tools import QueryEngineTool
from llama_index.core.workflow import Context, Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, step

import whyops
from tests.integrations.llama_index.scripted import NODES, ScriptedLLM, calls, embedding, in_turn
from whyops._trace.steps import LLMResponse
from whyops.integrations.llama_index import instrument
from whyops.testing import Captured

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

INDEX = VectorStoreIndex(NODES, embed_model=embedding())


def types(captured: Captured) -> list[str]:
    return [event["eventType"] for event in captured.events]


def llm(answer: str = "Cats.") -> ScriptedLLM:
    return ScriptedLLM(script=lambda _: answer)


class Reverse(BaseNodePostprocessor):
    """Asks a model, and turns the order round."""

    def _postprocess_nodes(self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None) -> list[NodeWithScore]:  # noqa: ARG002  (LlamaIndex's signature)
        llm("Which way?").complete("Round?")
        return nodes[::-1]


class Keep(BaseNodePostprocessor):
    """Does nothing."""

    def _postprocess_nodes(self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None) -> list[NodeWithScore]:  # noqa: ARG002  (LlamaIndex's signature)
        return nodes


@pytest.mark.parametrize("way", ["query", "aquery"])
def test_a_cutoff_that_drops_all_nodes_is_seen_and_so_is_the_empty_answer(way: str, captured: Captured) -> None:
    """What was asked; which nodes went into the postprocessor, and that none came out; what the caller got, and from whom."""
    engine = INDEX.as_query_engine(llm=llm(), node_postprocessors=[SimilarityPostprocessor(similarity_cutoff=2.0)])
    answer = engine.query("Who purrs?") if way == "query" else asyncio.run(engine.aquery("Who purrs?"))
    assert str(answer) == "Empty Response"
    assert captured.events[0]["content"] == [{"role": "user", "content": "Who purrs?"}]
    assert captured.tool_names() == ["VectorIndexRetriever", "SimilarityPostprocessor"]
    request, response = (captured.of_type(name)[1] for name in ("tool_call_request", "tool_call_response"))
    arguments = request["content"]["toolCalls"][0]["arguments"]
    assert arguments["query"] == "Who purrs?"
    assert [set(node) for node in arguments["nodes"]] == [{"id", "score"}] * 2
    assert response["content"]["toolResults"] == {"nodes": []}
    assert types(captured)[-1] == "tool_result"
    assert captured.events[-1]["content"] == {
        "name": "RetrieverQueryEngine",
        "toolName": "RetrieverQueryEngine",
        "output": "Empty Response",
    }


def test_a_postprocessor_that_changes_nothing_is_no_call(captured: Captured) -> None:
    """One that does is, also where it only changes the order; what its model is asked says whose it is."""
    INDEX.as_query_engine(llm=llm(), node_postprocessors=[Keep(), Reverse()]).query("Who purrs?")
    assert captured.tool_names() == ["VectorIndexRetriever", "Reverse"]
    assert [event["metadata"].get("postprocessor") for event in captured.of_type("llm_response")] == ["Reverse", None]
    assert "tool_result" not in types(captured)  # the model gave the answer


class Canned(CustomQueryEngine):
    """Answers without a model."""

    def custom_query(self, query_str: str) -> str:
        return f"No idea about {query_str}"


def test_an_engine_of_ones_own_leaves_question_and_answer(captured: Captured) -> None:
    """Though nothing else happens."""
    Canned().query("cats?")
    assert types(captured) == ["user_message", "tool_result"]
    assert captured.events[1]["content"]["output"] == "No idea about cats?"
    assert len({event["traceId"] for event in captured.events}) == 1


def test_what_a_tool_asks_is_not_in_the_users_name(captured: Captured) -> None:
    """A query below an agent's tool, or in a decorated function, is the tool's own: its arguments and its result tell of it."""
    tool = QueryEngineTool.from_defaults(Canned(), name="book", description="A book.")
    asyncio.run(
        _awaited(FunctionAgent(tools=[tool], llm=ScriptedLLM(script=in_turn(calls(("book", {"input": "cats?"})), "None."))), "Who?")
    )
    asked = captured.of_type("user_message")
    assert [message["content"] for event in asked for message in event["content"] if message["role"] == "user"] == ["Who?"]
    assert "tool_result" not in types(captured)

    @whyops.tool
    def ask() -> str:
        return str(Canned().query("dogs?"))

    ask()
    assert len(captured.of_type("user_message")) == len(asked)


async def _awaited(workflow: Workflow, *args: Any, **kwargs: Any) -> Any:
    return await workflow.run(*args, **kwargs)


class Counted(Event):
    """Between the two steps."""

    number: int


class Adding(Workflow):
    """Two steps without a model or a tool."""

    @step
    async def begin(self, ev: StartEvent) -> Counted:
        return Counted(number=ev.n + 1)

    @step
    async def end(self, ev: Counted) -> StopEvent:
        if ev.number < 0:
            raise ValueError("too small")
        if ev.number == 0:
            await asyncio.sleep(30)
        return StopEvent(result=ev.number * 2)


def test_a_workflow_without_models_leaves_its_start_and_its_result(captured: Captured) -> None:
    """As one call, with the fields that it was given."""
    assert asyncio.run(_awaited(Adding(), n=3)) == 8
    assert types(captured) == ["tool_call_request", "tool_call_response"]
    request, response = captured.events
    assert request["content"]["toolCalls"] == [{"name": "Adding", "arguments": {"n": 3}}]
    assert response["content"]["toolResults"] == {"result": 8}
    assert request["spanId"] == response["spanId"]


def test_a_workflow_that_fails_says_in_which_step(captured: Captured) -> None:
    """The error is the step's, inside the call, which is closed."""
    with pytest.raises(Exception, match="too small"):
        asyncio.run(_awaited(Adding(), n=-3))
    assert types(captured) == ["tool_call_request", "error", "tool_call_response"]
    assert captured.events[1]["metadata"]["step"] == "end"
    assert captured.events[1]["metadata"]["parentSpanId"] == captured.events[0]["spanId"]
    assert "too small" in captured.events[2]["content"]["toolResults"]["error"]


def test_a_workflow_that_is_cancelled_is_interrupted(captured: Captured) -> None:
    """Its call is closed all the same."""

    async def cancelled() -> None:
        handler = Adding().run(n=-1)
        await asyncio.sleep(0.05)
        await handler.cancel_run()
        await asyncio.gather(handler, return_exceptions=True)

    asyncio.run(cancelled())
    assert types(captured) == ["tool_call_request", "tool_call_response"]
    assert captured.events[1]["metadata"]["interrupted"]


def test_each_step_is_a_span_where_that_is_asked_for(recorded: Captured) -> None:
    """With the event that it was given and the one that it gave, inside the run; what fails is one error, in its step."""
    with instrument(record_steps=True):
        asyncio.run(_awaited(Adding(), n=3))
        with pytest.raises(Exception, match="too small"):
            asyncio.run(_awaited(Adding(), n=-3))
    asked = [event for event in recorded.of_type("tool_call_request") if event["metadata"]["stands_for"] == "step"]
    assert [event["content"]["name"] for event in asked] == ["begin", "end"] * 2
    assert asked[1]["content"]["toolCalls"][0]["arguments"] == {"event": "Counted", "number": 4}
    runs = [event["spanId"] for event in recorded.of_type("tool_call_request") if event["metadata"]["stands_for"] == "run"]
    assert [event["metadata"]["parentSpanId"] for event in asked] == [runs[0], runs[0], runs[1], runs[1]]
    gave = {event["spanId"]: event["content"]["toolResults"] for event in recorded.of_type("tool_call_response")}
    assert gave[asked[1]["spanId"]] == {"event": "StopEvent", "result": 8}
    (error,) = recorded.of_type("error")
    assert error["spanId"] == asked[3]["spanId"]
    for trace_id in {event["traceId"] for event in recorded.events}:
        events = [event for event in recorded.events if event["traceId"] == trace_id]
        trace = whyops.RecordedTrace.from_events(events)
        assert (trace.totals.calls, trace.totals.errors) == (0, events.count(error))


def test_an_agents_models_and_tools_are_below_its_steps(recorded: Captured) -> None:
    """And no complete run looks incomplete for it."""

    def add(a: int, b: int) -> int:
        return a + b

    llm = ScriptedLLM(script=in_turn(calls(("add", {"a": 1, "b": 2})), "Three."))
    with instrument(record_steps=True):
        asyncio.run(_awaited(FunctionAgent(name="clerk", tools=[add], llm=llm), "1 + 2?"))
    names = {event["spanId"]: event["content"]["name"] for event in recorded.of_type("tool_call_request")}
    (added,) = (event for event in recorded.of_type("tool_call_request") if event["content"]["name"] == "add")
    assert names[added["metadata"]["parentSpanId"]] == "call_tool"
    assert {names[event["metadata"]["parentSpanId"]] for event in recorded.of_type("llm_response")} == {"run_agent_step"}
    trace = whyops.RecordedTrace.from_events(recorded.events)
    assert [call.name for call in trace.calls] == ["add"]
    assert all(not step.not_called for step in trace.walk() if isinstance(step, LLMResponse))


class Outcome(StopEvent):
    """An end of the application's own."""

    words: int


class Asking(Workflow):
    """Asks a human."""

    @step
    async def ask(self, ev: StartEvent) -> InputRequiredEvent:  # noqa: ARG002  (its type says when it runs)
        return InputRequiredEvent(prefix="Really?")

    @step
    async def told(self, ev: HumanResponseEvent) -> Outcome:
        return Outcome(words=len(ev.response.split()))


async def drop(ctx: Context, table: str) -> str:
    """Drop a table."""
    answer = await ctx.wait_for_event(HumanResponseEvent, waiter_event=InputRequiredEvent(prefix="Really?"))
    return f"{table}: {answer.response}"


drop.__annotations__["ctx"] = Context


def _dba() -> FunctionAgent:
    return FunctionAgent(name="dba", tools=[drop], llm=ScriptedLLM(script=in_turn(calls(("drop", {"table": "users"})), "Done.")))


@pytest.mark.parametrize("make", [Asking, _dba])
def test_what_a_human_is_asked_and_says_is_recorded(make: Any, captured: Captured) -> None:
    """By a step, or by a tool that waits: once each, the answer in the user's name."""

    async def with_a_human() -> None:
        handler = make().run("Drop it.") if make is _dba else make().run()
        async for event in handler.stream_events():
            if isinstance(event, InputRequiredEvent):
                handler.ctx.send_event(HumanResponseEvent(response="no, only tmp"))
        await handler

    asyncio.run(with_a_human())
    (question,) = captured.of_type("tool_result")
    assert question["content"]["output"] == {"prefix": "Really?"}
    reply = captured.of_type("user_message")[-1]
    assert reply["content"] == [{"role": "user", "content": "no, only tmp"}]
    assert reply["metadata"]["event"] == "HumanResponseEvent"
    assert types(captured).index("tool_result") < types(captured).index("user_message", 1 if make is _dba else 0)
    if make is Asking:
        assert captured.events[-1]["content"]["toolResults"] == {"words": 3}


async def move(ctx: Context, table: str) -> str:
    """Move a table."""
    for number in (1, 2):
        asked = InputRequiredEvent(prefix=table, number=number)
        await ctx.wait_for_event(HumanResponseEvent, waiter_id=str(number), waiter_event=asked, requirements={"number": number})
    return "moved"


move.__annotations__["ctx"] = Context


def test_each_reply_is_recorded_once(captured: Captured) -> None:
    """A tool that waits twice runs three times; the first reply is there again at the third. What comes along with the words stays."""

    async def with_a_human() -> None:
        llm = ScriptedLLM(script=in_turn(calls(("move", {"table": "users"})), "Done."))
        handler = FunctionAgent(tools=[move], llm=llm).run("Move it.")
        async for event in handler.stream_events():
            if isinstance(event, InputRequiredEvent):
                handler.ctx.send_event(HumanResponseEvent(response="yes", number=event.number))
        await handler

    asyncio.run(with_a_human())
    replies = captured.of_type("user_message")[1:]
    assert [event["content"] for event in replies] == [[{"role": "user", "content": "yes"}]] * 2
    assert [event["metadata"]["fields"] for event in replies] == [{"number": 1}, {"number": 2}]


def test_a_workflows_events_show_what_they_were_given(captured: Captured) -> None:
    """Also as arguments of a decorated function: what is not declared they hold privately."""

    @whyops.tool
    def look(event: Event) -> Event:
        return event

    look(StartEvent(n=3))
    look(StopEvent(result=4))
    look(Counted(number=5, note="odd"))
    look(Event())
    shown = [event["content"]["toolResults"]["result"] for event in captured.of_type("tool_call_response")]
    assert shown == [{"n": 3}, {"result": 4}, {"number": 5, "note": "odd"}, {}]


# Embeddings that are told by spans alone


class Sparse(BaseSparseEmbedding):
    """Weights by their place."""

    def _get_query_embedding(self, query: str) -> dict[int, float]:
        return {len(query): 1.0}

    async def _aget_query_embedding(self, query: str) -> dict[int, float]:
        return {len(query): 1.0}

    def _get_text_embedding(self, text: str) -> dict[int, float]:
        return {1: 0.5, len(text): 1.0}

    async def _aget_text_embedding(self, text: str) -> dict[int, float]:
        return {1: 0.5, len(text): 1.0}


def test_a_sparse_embedding_is_one_pair(captured: Captured) -> None:
    """Texts, how many there are, and how many weights the first has."""
    model = Sparse(model_name="sparse-1")
    model.get_text_embedding_batch(["cat", "horse"])
    asyncio.run(model.aget_query_embedding("dog"))
    assert types(captured) == ["embedding_request", "embedding_response"] * 2
    assert [event["content"]["input"] for event in captured.of_type("embedding_request")] == [["cat", "horse"], ["dog"]]
    counts = [(event["content"]["embeddingCount"], event["content"]["firstEmbeddingDimensions"]) for event in captured.events[1::2]]
    assert counts == [(2, 2), (1, 1)]
    assert {event["metadata"]["model"] for event in captured.of_type("embedding_response")} == {"sparse-1"}


class Pictures(MultiModalEmbedding):
    """Embeds texts and images."""

    def _get_image_embedding(self, img_file_path: Any) -> list[float]:  # noqa: ARG002  (LlamaIndex's signature)
        return [0.1, 0.2]

    async def _aget_image_embedding(self, img_file_path: Any) -> list[float]:
        return self._get_image_embedding(img_file_path)

    def _get_query_embedding(self, query: str) -> list[float]:
        return [float(len(query)), 0.0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_query_embedding(text)


def test_an_image_embedding_is_one_pair(captured: Captured) -> None:
    """Where the image is, not what it holds."""
    model = Pictures(model_name="pictures-1")
    model.get_image_embedding("cat.png")
    asyncio.run(model.aget_image_embedding("dog.png"))
    assert types(captured) == ["embedding_request", "embedding_response"] * 2
    assert [event["content"]["input"] for event in captured.of_type("embedding_request")] == [["cat.png"], ["dog.png"]]
    assert {event["content"]["firstEmbeddingDimensions"] for event in captured.of_type("embedding_response")} == {2}
    model.get_image_embedding(base64.b64encode(bytes(9_000)))
    assert captured.of_type("embedding_request")[-1]["content"]["input"] == ["[12000 bytes]"]
