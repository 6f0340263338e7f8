"""Without contents, and with a tool's values left out: what LangChain tells of a run is no way around it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import StructuredTool, ToolException
from langchain_core.tools import tool as langchain_tool

import whyops
from tests.integrations.langchain.parts import Scripted, Streaming, calls, only
from tests.planted import WORD
from whyops.integrations.langchain import WhyOpsCallbackHandler
from whyops.testing import capture


class Library(BaseRetriever):
    """Finds documents that are all about the word."""

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:  # noqa: ARG002  (LangChain's signature)
        return [Document(WORD, metadata={"title": WORD, WORD: WORD}, id=WORD)]


def answer(**more: Any) -> AIMessage:
    """Make an answer with the word in each place."""
    return AIMessage(
        content=[{"type": "thinking", "thinking": WORD, "signature": WORD}, {"type": "text", "text": WORD}],
        response_metadata={"model_name": "m", "finish_reason": f"{WORD} made it stop", "odd": WORD},
        additional_kwargs={"reasoning_content": WORD, "odd": WORD},
        usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
        **more,
    )


def config(handler: WhyOpsCallbackHandler) -> dict[str, Any]:
    return {
        "callbacks": [handler],
        "tags": [WORD],
        "metadata": {"note": WORD, "thread_id": "t"},
        "run_name": f"a run that is all about {WORD}",
    }


def ask() -> dict[str, Any]:
    image = {"type": "image_url", "image_url": {"url": f"https://x.test/{WORD}"}}
    return {"messages": [SystemMessage(WORD), HumanMessage([{"type": "text", "text": WORD}, image], name="n")]}


def run_everything(handler: WhyOpsCallbackHandler) -> None:
    @langchain_tool
    def look_up(query: str, deep: dict[str, Any]) -> dict[str, Any]:
        """Look up Zebrafish 7."""
        return {"found": query, **deep}

    @langchain_tool(response_format="content_and_artifact")
    def with_artifact(query: str) -> Any:
        """Look up."""
        return query, {"artifact": query}

    @langchain_tool
    def fails(query: str) -> str:
        """Fail."""
        raise ValueError(query)

    def refuses(query: str) -> str:
        raise ToolException(query)

    refusing = StructuredTool.from_function(refuses, name="refuses", description=WORD, handle_tool_error=True)
    arguments = {"query": WORD}
    asked = calls(
        ("look_up", {**arguments, "deep": {WORD: WORD}}), ("with_artifact", arguments), ("refuses", arguments), ("unknown", {"x": WORD})
    )
    for model in (Scripted, Streaming):
        agent = create_agent(
            model(answers=[asked, answer()]), [look_up, with_artifact, refusing], system_prompt=f"{WORD} is what you know about"
        )
        agent.invoke(ask(), config(handler))
        list(create_agent(model(answers=[asked, answer()]), [look_up, with_artifact, refusing]).stream(ask(), config(handler)))
    for failing in (fails.bind(), RunnableLambda(lambda _: fails.invoke(arguments)), Scripted(answers=[ValueError(WORD)])):
        with pytest.raises(ValueError, match=WORD):
            failing.invoke({"query": WORD} if failing.__class__.__name__ != "Scripted" else WORD, config(handler))
    Library().invoke(WORD, config(handler))
    prompt = ChatPromptTemplate([("system", WORD), ("user", "{question}")])
    history = [HumanMessage(WORD), answer(tool_calls=asked.tool_calls), ToolMessage(WORD, tool_call_id="c", artifact=WORD)]
    (prompt | Scripted(answers=[answer()])).invoke({"question": WORD}, config(handler))
    Scripted(answers=[answer()]).invoke([*history, HumanMessage(WORD)], config(handler), stop=[WORD], odd={"a": WORD})
    asyncio.run(Streaming(answers=[answer()]).ainvoke([HumanMessage(WORD)], config(handler)))


def test_no_word_of_a_run_is_recorded(handler):
    """Prompts, answers, reasoning, tools and what they are called with, documents, errors, metadata, tags: names and sizes are left."""
    with capture(capture_content=False) as captured:
        run_everything(handler)
        events = captured.events
    assert {event["eventType"] for event in events} >= {"user_message", "llm_response", "llm_thinking", "tool_call_response", "error"}
    holding = [event for event in events if WORD in json.dumps(event)]
    assert holding == []
    assert {event["metadata"]["tool"] for event in captured.of_type("tool_call_request")} >= {"look_up", "with_artifact", "fails"}


@pytest.mark.parametrize("options", [{"capture_arguments": False}, {"capture_result": False}, {"ignore": "query"}], ids=str)
def test_a_tools_own_switches_hold_where_the_handler_records(captured, handler, options):
    """What `@whyops.tool` says of a function is true of its LangChain tool: values, and the texts of errors."""

    @langchain_tool
    @whyops.tool(**options)
    def fails(query: str) -> str:
        """Fail."""
        raise ValueError(query)

    def refuses(query: str) -> str:
        raise ToolException(query)

    refusing = StructuredTool.from_function(whyops.tool(**options)(refuses), name="refuses", description="x", handle_tool_error=True)
    with pytest.raises(ValueError, match=WORD):
        fails.invoke({"query": WORD}, {"callbacks": [handler]})
    refusing.invoke({"name": "refuses", "args": {"query": WORD}, "id": "c", "type": "tool_call"}, {"callbacks": [handler]})
    told = captured.of_type("tool_call_response")
    arguments = [event["content"]["toolCalls"][0]["arguments"] for event in told]
    expected = {"capture_arguments": {"query": "[not captured]"}, "capture_result": {"query": WORD}, "ignore": {}}
    assert arguments == [expected[next(iter(options))]] * 2
    if "ignore" in options:
        assert only(captured, "error")["content"]["message"] == WORD
        return
    assert only(captured, "error")["content"]["message"] == "[not captured]"
    assert [event["content"]["toolResults"] for event in told] == [{"error": "ValueError: [not captured]"}, {"error": "[not captured]"}]
