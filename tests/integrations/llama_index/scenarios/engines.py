"""Query engines and chat engines: what is asked and found, and the prompts that are made of it."""

from __future__ import annotations

import asyncio
from typing import Any

from llama_index.core import PromptTemplate, VectorStoreIndex
from llama_index.core.chat_engine import CondensePlusContextChatEngine, CondenseQuestionChatEngine
from llama_index.core.postprocessor import LLMRerank
from llama_index.core.query_engine import RouterQueryEngine
from llama_index.core.selectors import LLMSingleSelector
from llama_index.core.tools import QueryEngineTool

from tests.integrations.llama_index.run import Run, buffer
from tests.integrations.llama_index.scripted import NODES, ScriptedLLM, calls, embedding
from tests.integrations.scenario import scenario


def index() -> VectorStoreIndex:
    return VectorStoreIndex(NODES, embed_model=embedding())


def engine_of(run: Run, llm: ScriptedLLM, **options: Any) -> Any:
    return index().as_query_engine(llm=llm, streaming=run.streamed, **options)


@scenario(feature="A query", recorded="The question, what was found, and the prompt with it", streamed=True)
def a_query(run: Run) -> None:
    engine = engine_of(run, run.llm())
    for text in ("What do cats do?", "And dogs?"):
        assert str(engine.query(text))


@scenario(feature="A query from asynchronous code", recorded="The question, what was found, and the prompt with it", streamed=True)
def awaited(run: Run) -> None:
    engine = engine_of(run, run.llm())

    async def ask() -> None:
        response = await engine.aquery("What do cats do?")
        if run.streamed:
            assert [token async for token in response.async_response_gen()]

    run.wait(ask())


@scenario(feature="Response mode `refine`", recorded="Each prompt, with the answer so far")
def refined(run: Run) -> None:
    assert str(engine_of(run, run.llm(), response_mode="refine").query("What do they do?"))


@scenario(feature="Response mode `tree_summarize`", recorded="The prompt of each summary")
def summarised(run: Run) -> None:
    assert str(engine_of(run, run.llm(), response_mode="tree_summarize").query("What do they do?"))


@scenario(feature="A template of one's own", recorded="The prompt as it was filled in")
def with_a_template(run: Run) -> None:
    template = PromptTemplate("Known: {context_str}. Asked: {query_str}")
    assert str(engine_of(run, run.llm(), text_qa_template=template).query("What do they do?"))


@scenario(feature="`LLMRerank`", recorded="The prompt that ranks, the ranking, and the prompt that answers")
def reranked(run: Run) -> None:
    rerank = LLMRerank(llm=run.llm("Doc: 2, Relevance: 9"), top_n=1)
    assert str(engine_of(run, run.llm(), node_postprocessors=[rerank]).query("What do dogs do?"))


@scenario(feature="A router", recorded="The prompt that chooses, and the engine's own")
def routed(run: Run) -> None:
    tools = [QueryEngineTool.from_defaults(engine_of(run, run.llm()), name=name, description=name) for name in ("cats", "dogs")]
    selector = LLMSingleSelector.from_defaults(llm=run.llm('[{"choice": 2, "reason": "dogs"}]'))
    assert str(RouterQueryEngine(selector, tools, llm=run.llm()).query("What do dogs do?"))


@scenario(feature="A chat engine that condenses the question", recorded="The prompt that condenses, and the query's", streamed=True)
def condensed(run: Run) -> None:
    llm = run.llm("They purr.", "What do dogs do?", "They bark.")
    engine = CondenseQuestionChatEngine.from_defaults(engine_of(run, llm), llm=llm, memory=buffer())
    engine._memory = buffer()
    run.talk(engine, "What do cats do?", "And dogs?")


@scenario(
    feature="A chat engine that condenses and looks up",
    recorded="The prompt that condenses, and the query's",
    streamed=True,
)
def condensed_with_context(run: Run) -> None:
    llm = run.llm("They purr.", "What do dogs do?", "They bark.")
    engine = CondensePlusContextChatEngine.from_defaults(index().as_retriever(), llm=llm, memory=buffer())
    run.talk(engine, "What do cats do?", "And dogs?")


@scenario(feature="A query engine as an agent's tool", recorded="The agent's prompts, and the query's inside the call", streamed=True)
def as_a_tool(run: Run) -> None:
    tool = QueryEngineTool.from_defaults(index().as_query_engine(llm=run.llm("They purr.")), name="animals", description="Animals.")
    run.go(run.agent(calls(("animals", {"input": "What do cats do?"})), "They purr.", tools=[tool]), "What do cats do?")


@scenario(feature="Queries at the same time", recorded="Each question with its own prompt")
def at_the_same_time(run: Run) -> None:
    engine = index().as_query_engine(llm=run.llm())

    async def ask() -> None:
        await asyncio.gather(*(engine.aquery(f"Question {number}?") for number in range(3)))

    run.wait(ask())
