"""LlamaIndex's queries and chat turns: retrieval, ranking and answer in one trace, also where the answer is read later."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Any

import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import StreamingResponse
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.llms import MockLLM
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.query_engine import CustomQueryEngine, RetrieverQueryEngine
from llama_index.core.schema import NodeWithScore, QueryBundle

import whyops
from tests.integrations.llama_index.scripted import NODES, ScriptedLLM, embedding
from whyops.integrations.llama_index import _dispatch
from whyops.testing import Captured

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of asyncio's, in LlamaIndex's engines

INDEX = VectorStoreIndex(NODES, embed_model=embedding())
QUERY = [
    "user_message",
    "tool_call_request",
    "embedding_request",
    "embedding_response",
    "tool_call_response",
    "user_message",
    "llm_response",
]


def llm() -> ScriptedLLM:
    return ScriptedLLM(script=lambda _: "Cats do, says the book.")


def types(captured: Captured) -> list[str]:
    return [event["eventType"] for event in captured.events]


def traces(captured: Captured) -> set[str]:
    return {event["traceId"] for event in captured.events}


def test_building_an_index_is_one_embedding_call(captured: Captured) -> None:
    """The texts that were embedded, in one trace."""
    VectorStoreIndex(NODES, embed_model=embedding())
    assert types(captured) == ["embedding_request", "embedding_response"]
    assert len(traces(captured)) == 1


@pytest.mark.parametrize("model", [llm, MockLLM], ids=["native", "MockLLM"])
@pytest.mark.parametrize("way", ["query", "aquery"])
def test_a_query_is_one_trace(way: str, model: Any, captured: Captured) -> None:
    """Retrieval with the query and the nodes, the embedding inside it, then the question to the model and its answer."""
    engine = INDEX.as_query_engine(llm=model())
    engine.query("Who purrs?") if way == "query" else asyncio.run(engine.aquery("Who purrs?"))
    assert types(captured) == QUERY
    assert len(traces(captured)) == 1
    question, request, embedded, _, response, asked, answered = captured.events
    assert question["content"] == [{"role": "user", "content": "Who purrs?"}]
    assert {event["metadata"]["query_engine"] for event in captured.events} == {"RetrieverQueryEngine"}
    assert request["metadata"]["tool"] == "VectorIndexRetriever"
    assert request["content"]["toolCalls"][0]["arguments"] == {"query": "Who purrs?"}
    assert embedded["metadata"]["parentSpanId"] == request["spanId"] == response["spanId"]
    nodes = {node["content"]: node for node in response["content"]["toolResults"]["nodes"]}
    assert set(nodes) == {"Cats purr.", "Dogs bark."}
    assert nodes["Cats purr."]["metadata"] == {"page": 1}
    assert isinstance(nodes["Dogs bark."]["score"], float)
    assert "parentSpanId" not in {**asked.get("metadata", {}), **answered["metadata"]}


def reads_ahead() -> bool:
    """Tell whether this version of LlamaIndex reads a streaming answer by itself: 0.14.22 to 0.14.24 do."""
    return version("llama-index-core") in {"0.14.22", "0.14.23", "0.14.24"}


@pytest.mark.parametrize("model", [llm, MockLLM], ids=["native", "MockLLM"])
@pytest.mark.parametrize("way", ["query", "aquery"])
def test_a_streaming_query_is_one_trace_whenever_it_is_read(way: str, model: Any, captured: Captured) -> None:
    """The model is asked when the caller reads, outside the query and in no span of LlamaIndex's."""
    engine = INDEX.as_query_engine(llm=model(), streaming=True)

    async def read() -> None:
        response = await engine.aquery("Who purrs?")
        async for _ in response.async_response_gen():
            pass

    if way == "query":
        response = engine.query("Who purrs?")
        assert isinstance(response, StreamingResponse)
        assert whyops.current_trace() is None
        str(response)
    else:
        asyncio.run(read())
    assert types(captured) == QUERY
    assert len(traces(captured)) == 1


@pytest.mark.parametrize("way", ["query", "aquery"])
def test_a_streaming_answer_left_early_is_recorded_with_what_came(way: str, captured: Captured) -> None:
    """And the consumer's own trace is current again between the steps."""
    engine = INDEX.as_query_engine(llm=llm(), streaming=True)

    async def first_word() -> None:
        response = await engine.aquery("Who purrs?")
        async for _ in response.response_gen:
            break
        await response.response_gen.aclose()

    if way == "aquery":
        asyncio.run(first_word())
    else:
        response = engine.query("Who purrs?")
        with whyops.trace("reader") as reader:
            next(response.response_gen)
            assert whyops.current_trace() is reader
            response.response_gen.close()
    (answered,) = captured.of_type("llm_response")
    assert len(traces(captured)) == 1
    if not reads_ahead():
        assert answered["metadata"]["closedEarly"] is True
        assert answered["content"]["content"] == "Cats"


def test_a_streaming_answer_that_nobody_reads_is_not_read(captured: Captured) -> None:
    """It is never consumed, nor made a string."""
    response = INDEX.as_query_engine(llm=llm(), streaming=True).query("Who purrs?")
    assert reads_ahead() or "llm_response" not in types(captured)
    assert str(response) == "Cats do, says the book."


def test_a_question_in_a_trace_belongs_to_it(captured: Captured) -> None:
    """The trace that is current wins over one of its own."""
    with whyops.trace("mine", external_user_id="u1"):
        INDEX.as_query_engine(llm=llm()).query("Who purrs?")
    assert traces(captured) == {"mine"}
    assert {event["externalUserId"] for event in captured.events} == {"u1"}


def test_two_questions_are_two_traces(captured: Captured) -> None:
    """One for each root operation."""
    engine = INDEX.as_query_engine(llm=llm())
    engine.query("Who purrs?")
    engine.query("Who barks?")
    assert len(traces(captured)) == 2
    assert whyops.current_trace() is None


CHATS = ["context", "condense_question", "condense_plus_context", "simple"]


def chat_engine(mode: str) -> Any:
    memory = ChatMemoryBuffer.from_defaults(token_limit=1000)  # the default one leaves its database open
    if mode == "simple":
        return SimpleChatEngine.from_defaults(llm=llm(), memory=memory)
    return INDEX.as_chat_engine(chat_mode=mode, llm=llm(), memory=memory)


@pytest.mark.parametrize("mode", CHATS)
@pytest.mark.parametrize("way", ["chat", "stream_chat", "achat", "astream_chat"])
def test_a_chat_turn_is_one_trace(way: str, mode: str, captured: Captured) -> None:
    """Streamed or not, and in whatever thread or task the engine reads its model."""
    engine = chat_engine(mode)

    async def turn() -> None:
        answer = await getattr(engine, way)("Who purrs?")
        if way == "astream_chat":
            async for _ in answer.async_response_gen():
                pass

    if way.startswith("a"):
        asyncio.run(turn())
    else:
        answer = getattr(engine, way)("Who purrs?")
        if way == "stream_chat":
            list(answer.response_gen)
    assert len(traces(captured)) == 1
    assert types(captured)[-1] == "llm_response"
    assert captured.events[-1]["content"]["content"] == "Cats do, says the book."
    assert len(captured.of_type("llm_response")) == 1
    assert len(captured.tool_names()) == (0 if mode == "simple" else 1)


class Ranker(BaseNodePostprocessor):
    """Ranks as the integrations' rerankers do."""

    def _postprocess_nodes(self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None) -> list[NodeWithScore]:
        dispatcher = get_dispatcher(__name__)
        dispatcher.event(ReRankStartEvent(query=query_bundle, nodes=nodes, top_n=1, model_name="ranker-1"))
        if not nodes:
            return []
        if query_bundle is not None and query_bundle.query_str == "fail":
            raise ConnectionError("the ranker is down")
        best = [NodeWithScore(node=NODES[1], score=0.9)]
        dispatcher.event(ReRankEndEvent(nodes=best))
        return best


def test_ranking_is_a_tool_call_with_the_query_and_the_nodes(captured: Captured) -> None:
    """Which nodes went in, with their scores, and what came out."""
    INDEX.as_query_engine(llm=llm(), node_postprocessors=[Ranker()]).query("Who barks?")
    assert captured.tool_names() == ["VectorIndexRetriever", "Ranker"]
    request = captured.of_type("tool_call_request")[1]
    arguments = request["content"]["toolCalls"][0]["arguments"]
    assert (arguments["query"], arguments["top_n"], arguments["model"]) == ("Who barks?", 1, "ranker-1")
    assert [set(node) for node in arguments["nodes"]] == [{"id", "score"}] * 2
    (node,) = captured.of_type("tool_call_response")[1]["content"]["toolResults"]["nodes"]
    assert (node["content"], node["score"]) == ("Dogs bark.", 0.9)
    assert len(traces(captured)) == 1


def test_ranking_nothing_ends_too(captured: Captured) -> None:
    """A reranker sends no end for an empty list."""
    Ranker().postprocess_nodes([], query_str="Who barks?")
    assert captured.of_type("tool_call_response")[0]["content"]["toolResults"] == {"nodes": []}


def test_a_failing_ranker_is_one_error_and_a_closed_call(captured: Captured) -> None:
    """The exception passes through four spans, and goes on to the caller."""
    with pytest.raises(ConnectionError):
        INDEX.as_query_engine(llm=llm(), node_postprocessors=[Ranker()]).query("fail")
    assert len(captured.of_type("error")) == 1
    assert "error" in captured.of_type("tool_call_response")[1]["content"]["toolResults"]


def test_a_failing_model_is_one_error_for_the_whole_query(captured: Captured) -> None:
    """The same exception drops each span up to the root, and leaves the block of the trace as well."""
    engine = INDEX.as_query_engine(llm=ScriptedLLM(script=lambda _: RuntimeError("out of order")))
    with pytest.raises(RuntimeError), whyops.trace("t"):
        engine.query("Who purrs?")
    assert [event["content"]["message"] for event in captured.of_type("error")] == ["out of order"]


class Broken(BaseRetriever):
    """Finds nothing, ever."""

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        raise LookupError(query_bundle.query_str)


def test_a_failing_retrieval_is_closed(captured: Captured) -> None:
    """LlamaIndex sends no end of it: the span that is dropped tells."""
    with pytest.raises(LookupError):
        RetrieverQueryEngine.from_args(Broken(), llm=llm()).query("Who purrs?")
    assert types(captured) == ["user_message", "tool_call_request", "error", "tool_call_response"]
    assert len({event["spanId"] for event in captured.events[1:]}) == 1


@whyops.tool
def look_up(word: str) -> str:
    return word.upper()


class Own(CustomQueryEngine):
    """An engine of the application's own."""

    def custom_query(self, query_str: str) -> str:
        return look_up(query_str)


def test_a_decorated_function_below_a_query_is_in_its_trace(captured: Captured) -> None:
    """With no `with` block open."""
    Own().query("purr")
    Own().query("bark")
    assert captured.tool_names() == ["look_up", "look_up"]
    assert len(traces(captured)) == 2
    assert len(_dispatch._spans) == 0
