"""The async twins: recorded by the call, and to be awaited or not."""

from __future__ import annotations

import asyncio
import gc
import inspect
import sys
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest
import trio

import whyops
from tests._recording.recording import Recording
from whyops._recording.trace import Trace

CALLS: dict[str, Callable[[Trace], Coroutine[Any, Any, Any]]] = {
    "user_message": lambda trace: trace.user_message([{"role": "user", "content": "x"}]),
    "llm_response": lambda trace: trace.llm_response("m", "p", "x"),
    "llm_thinking": lambda trace: trace.llm_thinking("x"),
    "embedding_request": lambda trace: trace.embedding_request(["x"]),
    "embedding_response": lambda trace: trace.embedding_response("m", "p", 1, 3),
    "tool_call_request": lambda trace: trace.tool_call_request("t", [{"name": "t", "arguments": {}}], span_id="s"),
    "tool_call_response": lambda trace: trace.tool_call_response("t", "s", [{"name": "t", "arguments": {}}], {}),
    "tool_result": lambda trace: trace.tool_result("t", {}),
    "error": lambda trace: trace.error("x"),
}


@pytest.fixture
def recording() -> Recording:
    return Recording()


def is_twin(name: str) -> bool:
    return hasattr(Trace, f"{name}_sync")


def test_all_twins_are_here() -> None:
    """No method that records is left out below."""
    assert set(CALLS) == {name for name in vars(Trace) if is_twin(name)}


@pytest.mark.parametrize("name", CALLS)
def test_a_forgotten_await_loses_nothing(recording: Recording, name: str) -> None:
    """The event is recorded by the call, and nothing complains: the tests turn warnings into errors."""
    CALLS[name](recording.trace("t"))
    gc.collect()
    assert [event["eventType"] for event in recording.events] == [name]


@pytest.mark.parametrize("name", CALLS)
def test_awaiting_gives_what_the_sync_twin_returns(recording: Recording, name: str) -> None:
    """And records nothing a second time."""

    async def main() -> object:
        return await CALLS[name](recording.trace("t"))

    assert asyncio.run(main()) == ("s" if name == "tool_call_request" else None)
    assert len(recording.events) == 1


async def _gathered(trace: Trace) -> None:
    await asyncio.gather(trace.error("1"), trace.error("2"))


async def _in_tasks(trace: Trace) -> None:
    tasks = [asyncio.create_task(trace.error("1")), asyncio.ensure_future(trace.error("2"))]
    await asyncio.wait(tasks)


async def _within_a_limit(trace: Trace) -> None:
    await asyncio.wait_for(trace.error("1"), 10)
    await asyncio.shield(trace.error("2"))


async def _as_completed(trace: Trace) -> None:
    for done in asyncio.as_completed([trace.error("1"), trace.error("2")]):
        await done


async def _from_a_thread(trace: Trace) -> None:
    loop = asyncio.get_running_loop()

    def submit() -> None:
        for text in "12":
            asyncio.run_coroutine_threadsafe(trace.error(text), loop).result(10)

    await asyncio.to_thread(submit)


async def _closed(trace: Trace) -> None:
    trace.error("1").close()
    task = asyncio.create_task(trace.error("2"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def _in_a_group(trace: Trace) -> None:
    if sys.version_info < (3, 11):
        return await _gathered(trace)
    async with asyncio.TaskGroup() as group:
        for text in "12":
            group.create_task(trace.error(text))
    return None


@pytest.mark.parametrize(
    "use", [_gathered, _in_tasks, _within_a_limit, _as_completed, _from_a_thread, _closed, _in_a_group], ids=lambda use: use.__name__
)
@pytest.mark.parametrize("debug", [False, True])
def test_asyncio_takes_it_for_a_coroutine(recording: Recording, use: Callable[[Trace], Coroutine[Any, Any, None]], *, debug: bool) -> None:
    """Wherever it takes one."""
    asyncio.run(use(recording.trace("t")), debug=debug)
    assert sorted(event["content"]["message"] for event in recording.events) == ["1", "2"]


def test_asyncio_runs_it(recording: Recording) -> None:
    """As the whole program, too."""
    assert asyncio.run(recording.trace("t").tool_call_request("t", [], span_id="s")) == "s"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_anyio_takes_it(recording: Recording, backend: str) -> None:
    """And trio's nurseries."""
    trace = recording.trace("t")

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(trace.error, "1")
        if backend == "trio":
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trace.error, "2")
        await trace.error("3")

    anyio.run(main, backend=backend)
    assert len(recording.events) == (3 if backend == "trio" else 2)


def test_an_exception_that_is_thrown_in_comes_out() -> None:
    """As of any coroutine."""
    with pytest.raises(KeyError):
        Recording().trace("t").error("x").throw(KeyError("k"))
    with pytest.raises(KeyError, match="k"):
        Recording().trace("t").error("x").throw(KeyError, KeyError("k"))


def test_a_call_that_can_not_begin_is_said(recording: Recording, caplog: pytest.LogCaptureFixture) -> None:
    """And raises nothing, awaited or not."""
    trace = recording.trace("t")
    wrong: Any = trace.error

    async def main() -> object:
        wrong()
        return await wrong(1, 2, 3)

    assert asyncio.run(main()) is None
    assert recording.events == []
    assert "could not be recorded: Trace.error() missing" in caplog.text


def test_they_look_as_they_are_written() -> None:
    """Signature, docstring and name are the method's own, and from Python 3.12 on they are known as coroutine functions."""
    whyops.WhyOps()  # a client's first use of `inspect`
    for name in CALLS:
        method, sync = getattr(Trace, name), getattr(Trace, f"{name}_sync")
        assert method.__name__ == name
        assert method.__doc__
        assert list(inspect.signature(method).parameters) == list(inspect.signature(sync).parameters)
        if sys.version_info >= (3, 12):
            assert inspect.iscoroutinefunction(method)
            assert inspect.iscoroutinefunction(getattr(Recording().trace("t"), name))


def test_a_forgotten_await_on_what_waits_is_warned_of() -> None:
    """It did nothing, and whoever forgot it is to know."""
    sdk = whyops.WhyOps()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for forgotten in (sdk.flush, sdk.close, sdk.init_agent):
            forgotten()
            gc.collect()
    assert [str(warning.message) for warning in caught] == [
        f"coroutine 'WhyOps.{name}' was never awaited" for name in ("flush", "close", "init_agent")
    ]
