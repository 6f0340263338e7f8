"""What LangChain's events cost: a chain, a model, a tool, with and without the handler; the difference is the handler's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.tools import tool

import whyops
from whyops.integrations.langchain import WhyOpsCallbackHandler

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

ROUNDS = 20
RUNS = 100

PROMPT = [HumanMessage("Where is order 17? " * 10)]
ANSWER = AIMessage("It has shipped. " * 10, usage_metadata={"input_tokens": 60, "output_tokens": 40, "total_tokens": 100})


@tool
def search_orders(order_id: str) -> dict[str, Any]:
    """Return about 300 bytes of JSON, as a small tool does."""
    return {"order_id": order_id, "found": [{"sku": f"sku-{number}", "status": "shipped", "carrier": "post"} for number in range(5)]}


def chain(config: RunnableConfig) -> None:
    """Run a chain of one step: its two events record nothing."""
    RunnableLambda(str).invoke(17, config)


def model(config: RunnableConfig) -> None:
    """Ask a model: two events, two recorded."""
    GenericFakeChatModel(messages=repeat(ANSWER)).invoke(PROMPT, config)


def tool_call(config: RunnableConfig) -> None:
    """Call a tool: two events, two recorded."""
    search_orders.invoke({"order_id": "order-00017"}, config)


@pytest.fixture
def open_trace(tmp_path: Path) -> Iterator[None]:
    """Open a trace of a client that records to a store of its own."""
    with whyops.WhyOps(api_key="", agent_name="bench", home=tmp_path) as sdk, sdk.trace("bench"):
        yield


@pytest.mark.parametrize("recorded", [False, True], ids=["bare", "recorded"])
@pytest.mark.parametrize("run", [chain, model, tool_call], ids=lambda run: run.__name__)
@pytest.mark.usefixtures("open_trace")
def test_100_runs(benchmark: BenchmarkFixture, run: Callable[[RunnableConfig], None], recorded: bool) -> None:  # noqa: FBT001 - a parameter
    """The caller's cost of 100 runs, which are 200 events."""
    config: RunnableConfig = {"callbacks": [WhyOpsCallbackHandler()] if recorded else []}

    def runs() -> None:
        for _ in range(RUNS):
            run(config)

    benchmark.pedantic(runs, rounds=ROUNDS, warmup_rounds=2)
