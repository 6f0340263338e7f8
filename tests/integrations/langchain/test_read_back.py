"""A run with LangChain, kept here and read back from the service, is shown the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import before_model
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

import whyops
from tests.acceptance.test_read_back import KEY, compare
from tests.integrations.langchain.parts import Scripted, Streaming, ask, calls, hands_config_on
from tests.server import StrictServer
from whyops._store.reader import StoreReader
from whyops.integrations.langchain import WhyOpsCallbackHandler


class Order(TypedDict):
    """A state without messages."""

    number: int


@whyops.tool
def price_of(item: str) -> int:
    """Give a price in cents."""
    return {"lamp": 5770}[item]


@tool
def reckon(item: str, count: int) -> int:
    """Reckon what several cost."""
    return price_of(item) * count


@tool
def failing(item: str) -> str:
    """Fail."""
    raise ValueError(f"no {item}")


@pytest.mark.parametrize("model", [Scripted, Streaming])
@pytest.mark.parametrize("streamed", [False, True])
def test_an_agent(home: Path, tmp_path: Path, handler: WhyOpsCallbackHandler, model: type[Scripted], *, streamed: bool) -> None:
    """With parallel tools, one inside another, an answer with usage, a second turn, and a tool that fails the third."""
    usage: Any = {"input_tokens": 40, "output_tokens": 8, "total_tokens": 48, "input_token_details": {"cache_read": 30}}
    answers = [
        calls(("reckon", {"item": "lamp", "count": 2}), ("reckon", {"item": "lamp", "count": 3})),
        AIMessage("115.40 EUR, or 173.10.", usage_metadata=usage, response_metadata={"finish_reason": "stop"}),
        "You are welcome.",
        calls(("failing", {"item": "lamp"})),
    ]
    with StrictServer() as server:
        sdk = whyops.configure(
            api_key=KEY, agent_name="agent", analyse_base_url=server.url, proxy_base_url=server.proxy_url, keep_local=True
        )
        agent: Any = create_agent(model(answers=answers), [reckon, failing], system_prompt="You sell lamps.")
        config = {"callbacks": [handler], "configurable": {"thread_id": "lamps"}, "metadata": {"user_id": "ada"}}
        for question in ("What do two cost, and three?", "Thank you!"):
            if streamed:
                list(agent.stream(ask(question), config))
            else:
                agent.invoke(ask(question), config)
        with pytest.raises(ValueError, match="no lamp"):
            agent.invoke(ask("Fail."), config)
        told = sdk.flush_sync(timeout=10)
        assert (told.waiting, told.rejected) == (0, 0)
        assert compare(server, home, tmp_path / "elsewhere") == ["lamps"]
        trace = whyops.load_trace("lamps")
        assert [call.name for call in trace.calls].count("price_of") == 2
        assert trace.totals.usage.cache_read == 30
        assert trace.external_user_id == "ada"
        sdk.close_sync()


@hands_config_on
def test_an_answer_that_was_cut_off_and_the_providers_own_tool(home: Path, tmp_path: Path, handler: WhyOpsCallbackHandler) -> None:
    """The service takes them, and they read back as they were recorded: a call that was cancelled, and a search that the provider made."""
    parts: list[Any] = [
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "lamps"}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"url": "https://example.com/lamps"}]},
        {"type": "text", "text": "Found.", "citations": [{"cited_text": "Lamps", "document_title": "Lamps"}]},
    ]

    class Waiting(Scripted):
        async def _agenerate(self, *_: Any, **__: Any) -> Any:
            await asyncio.Event().wait()

    async def cancelled(config: Any) -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(create_agent(Waiting(), [], name="desk").ainvoke(ask("And two?"), config), 0.1)

    with StrictServer() as server:
        sdk = whyops.configure(
            api_key=KEY, agent_name="agent", analyse_base_url=server.url, proxy_base_url=server.proxy_url, keep_local=True
        )
        config: Any = {"callbacks": [handler], "configurable": {"thread_id": "lamps"}, "tags": ["beta"], "metadata": {"release": "1.2"}}
        create_agent(Scripted(answers=[AIMessage(parts)]), [], name="desk").invoke(ask("What lamps are there?"), config)
        asyncio.run(cancelled(config))
        told = sdk.flush_sync(timeout=10)
        assert (told.waiting, told.rejected) == (0, 0)
        assert compare(server, home, tmp_path / "elsewhere") == ["lamps"]
        trace = whyops.load_trace("lamps")
        assert [call.name for call in trace.calls] == ["web_search"]
        assert trace.events[-1].interrupted == "CancelledError"
        assert {event.metadata["agent"] for event in trace.events} == {"desk"}
        sdk.close_sync()


def test_what_no_model_said(home: Path, tmp_path: Path) -> None:
    """An answer of a guard rail, a plain graph that asks a human and is resumed, and an agent with its steps as spans."""
    built = StateGraph(Order)
    built.add_node("ask", lambda _: {"number": int(interrupt("How many?"))})
    built.add_edge(START, "ask")
    plain = built.compile(checkpointer=InMemorySaver())

    @before_model(can_jump_to=["end"])
    def guard(state: Any, runtime: Any) -> dict[str, Any]:
        return {"jump_to": "end", "messages": [AIMessage("Not about that.")]}

    def config(trace_id: str, *, steps: bool = False) -> Any:
        return {"callbacks": [WhyOpsCallbackHandler(record_steps=steps)], "configurable": {"thread_id": trace_id}}

    with StrictServer() as server:
        sdk = whyops.configure(
            api_key=KEY, agent_name="agent", analyse_base_url=server.url, proxy_base_url=server.proxy_url, keep_local=True
        )
        create_agent(Scripted(), [], middleware=[guard]).invoke(ask("Who are you?"), config("guarded"))
        plain.invoke({"number": 0}, config("plain"))
        plain.invoke(Command(resume="7"), config("plain"))
        answers = [calls(("reckon", {"item": "lamp", "count": 2})), "115.40 EUR."]
        create_agent(Scripted(answers=answers), [reckon]).invoke(ask(), config("steps", steps=True))
        told = sdk.flush_sync(timeout=10)
        assert (told.waiting, told.rejected) == (0, 0)
        assert compare(server, home, tmp_path / "elsewhere") == ["guarded", "plain", "steps"]
        assert [event.type for event in whyops.load_trace("guarded").events] == ["user_message", "tool_result"]
        interrupted = whyops.load_trace("plain")
        assert [step.kind for step in interrupted.steps] == ["tool", "user", "tool"]
        assert interrupted.calls == ()
        assert [call.name for call in whyops.load_trace("steps").calls] == ["reckon", "price_of"]
        assert {row.trace_id: row.calls for row in StoreReader(home).summaries()} == {"guarded": 0, "plain": 0, "steps": 2}
        sdk.close_sync()
