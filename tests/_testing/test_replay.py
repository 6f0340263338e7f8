"""Replay: tools give back what they gave in a recorded run, as what they would have given it, and never run."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypedDict

import pydantic
import pytest

import whyops
from whyops._cli._main import main
from whyops.testing import ReplayedError, ReplayError, Run, record, replay

RAN: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


class Order(pydantic.BaseModel):
    id: str
    total: float


@dataclasses.dataclass
class Parcel:
    id: str
    weight: int


class Address(TypedDict):
    city: str


class BankError(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code


class Retry(Exception):
    pass


@whyops.tool
def find(order_id: str) -> Order:
    RAN.append("find")
    return Order(id=order_id, total=9.5)


@whyops.tool
def weigh(order: Order, unit: str = "kg") -> Parcel:
    RAN.append("weigh")
    return Parcel(order.id, 3)


@whyops.tool
async def where(order_id: str) -> Address:
    RAN.append("where")
    await asyncio.sleep(0)
    return {"city": "Kiel"}


@whyops.tool
def lines(number: int) -> Iterator[Parcel]:
    RAN.append("lines")
    for one in range(number):
        yield Parcel(str(one), one)


@whyops.tool
async def alines(number: int) -> AsyncIterator[int]:
    RAN.append("alines")
    for one in range(number):
        yield one


@whyops.tool(expected=Retry)
def pay(amount: int) -> list[tuple[str, int]]:
    RAN.append("pay")
    if amount > 100:
        raise BankError(402, "too much")
    if amount < 0:
        raise ValueError("negative")
    if amount == 0:
        raise Retry("say how much")
    return [("paid", amount)]


@whyops.tool
def plain(value: Any) -> Any:
    RAN.append("plain")
    return value


def agent() -> list[Any]:
    """Call every kind of tool, and return what each gave."""
    order = find("1")
    results: list[Any] = [order, weigh(order), weigh(order, unit="g"), asyncio.run(where("1")), list(lines(3)), pay(5)]

    async def read() -> list[int]:
        return [one async for one in alines(2)]

    results += [asyncio.run(read()), plain({"a": [1, None]}), plain(None), plain({"error": "none, really"})]
    for amount, kind in ((200, BankError), (-1, ValueError), (0, Retry)):
        with pytest.raises(kind) as failed:
            pay(amount)
        results.append((type(failed.value), str(failed.value)))
    return results


def recorded(what: Callable[[], object] = agent, **settings: Any) -> Run:
    with record(**settings) as run, whyops.trace("the run"):
        what()
    RAN.clear()
    return run


def test_each_kind_gives_what_it_gave() -> None:
    """Models, dataclasses, typed dicts, tuples, items of generators, errors: equal, of the same types, and nothing ran."""
    run = recorded()
    expected = agent()
    RAN.clear()
    with replay(run) as again, record() as second, whyops.trace("again"):
        assert agent() == expected
    assert RAN == []
    assert again.unused == []
    assert second.is_like(run)


def test_afterwards_they_run() -> None:
    """What was replaced is undone at the end of the block, after an error too."""
    run = recorded(lambda: find("1"))
    with pytest.raises(KeyError), replay(run):
        {}[find("1").id]
    find("1")
    assert RAN == ["find"]


def test_a_call_that_the_run_does_not_have() -> None:
    """It raises an error that shows the nearest ones; the tool does not run."""
    run = recorded()
    with (
        pytest.raises(ReplayError, match=r'has no call find\(order_id="2"\), or none left\. Not made again yet: find\(order_id="1"\)\.'),
        replay(run),
    ):
        find("2")
    with pytest.raises(ReplayError, match=r"has no call gone\(\), or none left\. Not called again yet: find, weigh"), replay(run):
        whyops.tool(name="gone")(lambda: 1)()
    assert RAN == []


def find_twice() -> None:
    find("1")
    find("1")


def find_another_if_need_be() -> None:
    with contextlib.suppress(Exception):
        find("2")
    find("1")


def test_a_call_more_than_the_run_has() -> None:
    """Each recorded call is given back once."""
    with pytest.raises(ReplayError, match=r"or none left\. All its calls were made again already"), replay(recorded(lambda: find("1"))):
        find_twice()


def test_an_error_that_the_agent_handles_is_raised_at_the_end() -> None:
    """Else a test would pass with a run that never was."""
    with pytest.raises(ReplayError, match=r'has no call find\(order_id="2"\)'), replay(recorded(lambda: find("1"))):
        find_another_if_need_be()


def test_the_same_call_twice_gives_its_results_in_order() -> None:
    """A poll that gave another result each time does so again."""
    state = iter(["waiting", "waiting", "done"])

    @whyops.tool
    def poll() -> str:
        return next(state)

    run = recorded(lambda: [poll() for _ in range(3)])
    with replay(run):
        assert [poll() for _ in range(3)] == ["waiting", "waiting", "done"]


def test_parallel_calls() -> None:
    """Threads and tasks get what belongs to their arguments, whichever is first."""

    def many() -> list[Any]:
        with ThreadPoolExecutor() as pool:
            return list(pool.map(whyops.bind_context(plain), range(20)))

    run = recorded(many)
    with replay(run):
        assert many() == list(range(20))
    assert RAN == []


def test_two_replays_at_once() -> None:
    """Each task has its own."""
    runs = [recorded(lambda city=city: plain(city)) for city in ("Kiel", "Lübeck")]

    async def one(run: Run, city: str) -> None:
        async with replay(run) as again:
            await asyncio.sleep(0.01)
            assert plain(city) == city
            await asyncio.sleep(0.01)
        assert again.unused == []

    async def both() -> None:
        await asyncio.gather(one(runs[0], "Kiel"), one(runs[1], "Lübeck"))

    asyncio.run(both())
    assert RAN == []
    plain(1)
    assert RAN == ["plain"]


@whyops.tool
def long(characters: int) -> str:
    RAN.append("long")
    return "x" * characters


@pytest.mark.parametrize(
    "settings, what, told",
    [
        ({"max_value_bytes": 1024}, lambda: long(2000), "result of long was cut when it was recorded"),
        ({"redact_keys": ["pin"]}, lambda: plain({"pin": "1234"}), "result of plain was redacted"),
        ({"capture_content": False}, lambda: plain("x"), "was not captured"),
    ],
    ids=["cut", "redacted", "not captured"],
)
def test_what_was_not_recorded_whole(settings: dict[str, Any], what: Callable[[], object], told: str) -> None:
    """It is an error that names the setting, unless the test gives the value."""
    run = recorded(what, **settings)
    with pytest.raises(ReplayError, match=f"{told}.*results="), replay(run):
        what()
    with replay(run, results={"plain": "given", "long": "given"}):
        assert what() == "given"
    assert RAN == []


def test_results_by_function() -> None:
    """A function gets the arguments by name."""
    with replay(recorded(), results={"find": lambda order_id: Order(id=order_id, total=0)}):
        assert find("77").id == "77"


def test_a_class_that_is_not_loaded() -> None:
    """An error of a class that is not here is raised as one that names it."""

    def fail() -> None:
        with contextlib.suppress(BankError):
            pay(200)

    run = recorded(fail)
    trace = whyops.RecordedTrace.from_events(
        [json.loads(json.dumps(event).replace(f"{__name__}.BankError", "nowhere.LostError")) for event in run.events]
    )
    with replay(trace), pytest.raises(ReplayedError, match=r"nowhere\.LostError: 402 too much"):
        pay(200)


def test_an_annotation_that_does_not_fit(caplog: pytest.LogCaptureFixture) -> None:
    """JSON is given back, and that is said once."""

    @whyops.tool
    def odd() -> int:
        return "text"  # type: ignore[return-value]

    run = recorded(lambda: [odd(), odd()])
    with replay(run):
        assert [odd(), odd()] == ["text", "text"]
    assert len([one for one in caplog.messages if "gives JSON in the replay" in one]) == 1


def test_from_the_store_and_from_a_file(home: Path, tmp_path: Path) -> None:
    """By a trace's id, by `last`, and by what `whyops export` wrote."""
    sdk = whyops.WhyOps(agent_name="a", home=home)
    with sdk.trace("stored-run"):
        find("1")
    sdk.close_sync()
    RAN.clear()
    file = tmp_path / "run.jsonl"
    assert main(["export", "stored-run", "-o", str(file)]) == 0
    for source in ("stored-run", "last", file, str(file)):
        with replay(source):
            assert find("1") == Order(id="1", total=9.5)
    assert RAN == []


def test_a_run_that_was_killed_half_way(home: Path) -> None:
    """What it did until then is given back; the call that was running when it died is an error that says so."""
    code = """
import os, whyops
sdk = whyops.configure(agent_name="a")
@whyops.tool
def plain(value): return value
@whyops.tool
def die(): os._exit(9)
with whyops.trace("killed"):
    plain(1); plain(2); die()
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9

    @whyops.tool
    def die() -> None:
        RAN.append("die")

    with replay("killed"):
        assert [plain(1), plain(2)] == [1, 2]
    with pytest.raises(ReplayError, match="The recorded run ended before die gave a result"), replay("killed"):
        die()
    assert RAN == []
