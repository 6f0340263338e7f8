"""What a tool call costs its caller: bare, and recorded to the local store inside an open trace."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import whyops

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

ROUNDS = 20
CALLS = 500


def search_orders(order_id: str, limit: int = 10) -> dict[str, Any]:
    """Return about 300 bytes of JSON, as a small tool does."""
    return {"order_id": order_id, "found": [{"sku": f"sku-{number}", "status": "shipped", "carrier": "post"} for number in range(limit)]}


async def search_orders_async(order_id: str, limit: int = 10) -> dict[str, Any]:
    """Return the same, without waiting for anything."""
    return search_orders(order_id, limit)


@pytest.fixture
def open_trace(tmp_path: Path) -> Iterator[None]:
    """Open a trace of a client that records to a store of its own."""
    with whyops.WhyOps(api_key="", agent_name="bench", home=tmp_path) as sdk, sdk.trace("bench"):
        yield


def repeat(tool: Callable[..., Any]) -> None:
    """Call a tool `CALLS` times."""
    for _ in range(CALLS):
        tool("order-00017", limit=5)


def repeat_async(tool: Callable[..., Any]) -> None:
    """Await a tool `CALLS` times."""

    async def calls() -> None:
        for _ in range(CALLS):
            await tool("order-00017", limit=5)

    asyncio.run(calls())


@pytest.mark.parametrize("recorded", [False, True], ids=["bare", "recorded"])
@pytest.mark.usefixtures("open_trace")
def test_500_calls(benchmark: BenchmarkFixture, recorded: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """The caller's cost of 500 sync calls."""
    benchmark.pedantic(repeat, args=(whyops.tool(search_orders) if recorded else search_orders,), rounds=ROUNDS, warmup_rounds=2)


@pytest.mark.parametrize("recorded", [False, True], ids=["bare", "recorded"])
@pytest.mark.usefixtures("open_trace")
def test_500_async_calls(benchmark: BenchmarkFixture, recorded: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """The caller's cost of 500 calls of an async tool."""
    tool = whyops.tool(search_orders_async) if recorded else search_orders_async
    benchmark.pedantic(repeat_async, args=(tool,), rounds=ROUNDS, warmup_rounds=2)
