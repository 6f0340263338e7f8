"""A run with LlamaIndex, kept here and read back from the service, is shown the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.postprocessor import SimilarityPostprocessor

import whyops
from tests.acceptance.test_read_back import KEY, compare
from tests.integrations.llama_index.scripted import NODES, ScriptedLLM, calls, embedding, in_turn
from tests.server import StrictServer
from whyops._trace.incomplete import gaps
from whyops.integrations.llama_index import instrument

# LlamaIndex's agents look at attributes that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


def divide(a: int, b: int) -> float:
    """Divide two numbers."""
    return a / b


def test_an_agent_and_a_query(home: Path, tmp_path: Path) -> None:
    """With parallel tools, one of which fails, usage, retrieval and embeddings, each run a trace of its own."""
    usage = {"usage": {"prompt_tokens": 42, "completion_tokens": 9, "total_tokens": 51, "prompt_tokens_details": {"cached_tokens": 20}}}
    with StrictServer() as server, instrument():
        sdk = whyops.configure(
            api_key=KEY, agent_name="agent", analyse_base_url=server.url, proxy_base_url=server.proxy_url, keep_local=True
        )
        script = in_turn(calls(("add", {"a": 1}), ("divide", {"a": 1, "b": 0})), "Three, and nothing.")
        agent = FunctionAgent(tools=[add, divide], llm=ScriptedLLM(script=script, raw=usage), system_prompt="You reckon.")

        async def run() -> Any:
            return await agent.run("What is 1 + 2, and 1 / 0?")

        asyncio.run(run())
        index = VectorStoreIndex(NODES, embed_model=embedding())
        with whyops.trace("animals", external_user_id="ada"):
            index.as_query_engine(llm=ScriptedLLM(script=in_turn("They purr."))).query("What do cats do?")
        told = sdk.flush_sync(timeout=10)
        assert (told.waiting, told.rejected) == (0, 0)
        ids = compare(server, home, tmp_path / "elsewhere")
        (of_agent,) = [one for one in ids if any(call.name == "divide" for call in whyops.load_trace(one).calls)]
        assert whyops.load_trace(of_agent).totals.usage.cache_read == 40
        assert "animals" in ids
        sdk.close_sync()


def test_what_no_model_said(home: Path, tmp_path: Path) -> None:
    """An engine's own answer, and an agent with its steps as spans."""
    with StrictServer() as server, instrument(record_steps=True):
        sdk = whyops.configure(
            api_key=KEY, agent_name="agent", analyse_base_url=server.url, proxy_base_url=server.proxy_url, keep_local=True
        )

        async def run() -> Any:
            script = in_turn(calls(("add", {"a": 1})), "Three.")
            return await FunctionAgent(tools=[add], llm=ScriptedLLM(script=script)).run("What is 1 + 2?")

        with whyops.trace("animals"):
            cutoff = SimilarityPostprocessor(similarity_cutoff=2.0)
            index = VectorStoreIndex(NODES, embed_model=embedding())
            index.as_query_engine(llm=ScriptedLLM(script=in_turn("No.")), node_postprocessors=[cutoff]).query("What do cats do?")
        with whyops.trace("steps"):
            asyncio.run(run())
        told = sdk.flush_sync(timeout=10)
        assert (told.waiting, told.rejected) == (0, 0)
        assert compare(server, home, tmp_path / "elsewhere") == ["animals", "steps"]
        assert whyops.load_trace("animals").events[-1].result == "Empty Response"
        steps = whyops.load_trace("steps")
        assert [call.name for call in steps.calls] == ["add"]
        assert gaps(steps) == []
        sdk.close_sync()
