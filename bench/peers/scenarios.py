"""What is done to each SDK, and what is measured meanwhile. Runs in the SDK's environment, with the standard library alone."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import work

Figures = dict[str, float]

WARM_UP = 20
INTERVAL = 0.002
"""Seconds from one paced call to the next: 500 a second."""

SETTLED = 1.5
"""Seconds for which a busy process has been running when it is measured."""

LIMIT = 5

Tool = Callable[..., Any]


class Peer(Protocol):
    """One SDK, set up: each module of `adapters` has one."""

    def tool(self, function: Tool) -> Tool:
        """Have each call recorded, with arguments and result."""
        ...

    def async_tool(self, function: Tool) -> Tool:
        """Have each call of a coroutine function recorded."""
        ...

    def trace(self) -> AbstractContextManager[object]:
        """Open what the calls belong to."""
        ...

    def flush(self) -> None:
        """Wait until all is delivered."""
        ...


def burst(peer: Peer, calls: int) -> Figures:
    """Call in a loop."""
    tool = peer.tool(work.search_orders)
    with peer.trace():
        warm_up(tool)
        peer.flush()
        meter = Meter()
        times = timed_loop(tool, calls)
        caller_cpu = meter.caller_cpu(calls)
    peer.flush()
    return {**spread(times), "caller_cpu_us": caller_cpu, "cpu_us": meter.cpu(calls)}


def paced(peer: Peer, calls: int) -> Figures:
    """Call 500 times a second: after each sleep the caches are cold, as in an agent that waits for its model."""
    tool = peer.tool(work.search_orders)
    arguments = work.orders(calls)
    times = []
    with peer.trace():
        warm_up(tool)
        peer.flush()
        meter = Meter()
        due = time.perf_counter()
        for order in arguments:
            due += INTERVAL
            time.sleep(max(0.0, due - time.perf_counter()))
            started = time.perf_counter_ns()
            tool(order, limit=LIMIT)
            times.append(time.perf_counter_ns() - started)
    peer.flush()
    return {**spread(times), "cpu_us": meter.cpu(calls)}


def loop_async(peer: Peer, calls: int) -> Figures:
    """Await in a loop."""
    tool = peer.async_tool(work.search_orders_async)
    arguments = work.orders(calls)
    times: list[int] = []

    async def await_calls() -> None:
        for order in arguments:
            started = time.perf_counter_ns()
            await tool(order, limit=LIMIT)
            times.append(time.perf_counter_ns() - started)

    with peer.trace():
        asyncio.run(await_calls())
    peer.flush()
    return spread(times[WARM_UP:])


def beside(peer: Peer, calls: int) -> Figures:
    """Call in a loop while another thread computes without a pause, and has done so for a while."""
    tool = peer.tool(work.search_orders)
    over = threading.Event()

    def compute() -> None:
        while not over.is_set():
            sum(range(1000))

    with peer.trace():
        thread = threading.Thread(target=compute)
        thread.start()
        warm_up(tool)
        time.sleep(SETTLED)
        times = timed_loop(tool, calls)
        over.set()
        thread.join()
    peer.flush()
    return spread(times)


def volume(peer: Peer, calls: int) -> Figures:
    """Call in a loop, then flush, and end."""
    tool = peer.tool(work.search_orders)
    with peer.trace():
        times = timed_loop(tool, calls)
    started = time.perf_counter()
    peer.flush()
    return {
        "mean_us": sum(times) / calls / 1000,
        "worst_ms": max(times) / 1e6,
        "flush_s": time.perf_counter() - started,
        "mb": peak_memory(),
    }


def kill(peer: Peer, calls: int) -> Figures:
    """Call, and be killed."""
    tool = peer.tool(work.search_orders)
    with peer.trace():
        timed_loop(tool, calls)
        print("{}", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    return {}


def recover(peer: Peer, _calls: int) -> Figures:
    """Be the process after one that was killed: it makes a call of its own, one that the other had made too."""
    tool = peer.tool(work.search_orders)
    with peer.trace():
        warm_up(tool)
    peer.flush()
    return {}


def faults(peer: Peer, calls: int) -> Figures:
    """Call in a loop, and end as a script does."""
    tool = peer.tool(work.search_orders)
    with peer.trace():
        times = timed_loop(tool, calls)
    return {"mean_us": sum(times) / calls / 1000, "worst_ms": max(times) / 1e6, "ended": time.monotonic()}


SCENARIOS: dict[str, Callable[[Peer, int], Figures]] = {
    "burst": burst,
    "paced": paced,
    "async": loop_async,
    "beside": beside,
    "near": volume,
    "far": volume,
    "kill": kill,
    "recover": recover,
    "well": faults,
    "down": faults,
    "hang": faults,
}


class Meter:
    """Measures CPU time since it was made, in microseconds per call."""

    def __init__(self) -> None:
        gc.collect()
        self._process, self._thread = time.process_time_ns(), time.thread_time_ns()

    def caller_cpu(self, calls: int) -> float:
        """Return that of this thread."""
        return (time.thread_time_ns() - self._thread) / calls / 1000

    def cpu(self, calls: int) -> float:
        """Return that of all threads."""
        return (time.process_time_ns() - self._process) / calls / 1000


def warm_up(tool: Tool) -> None:
    """Make the calls that are not measured. Their orders are among the measured ones, so they count nothing twice."""
    for order in work.orders(WARM_UP):
        tool(order, limit=LIMIT)


def timed_loop(tool: Tool, calls: int) -> list[int]:
    """Call with a different order each time, and return the nanoseconds of each call."""
    times = []
    now = time.perf_counter_ns
    for order in work.orders(calls):
        started = now()
        tool(order, limit=LIMIT)
        times.append(now() - started)
    return times


def spread(times: list[int]) -> Figures:
    """Return what an ordinary call took, a mean one, and one in a hundred, in microseconds."""
    ordered = sorted(times)
    return {
        "p50_us": ordered[len(times) // 2] / 1000,
        "mean_us": sum(times) / len(times) / 1000,
        "p99_us": ordered[len(times) * 99 // 100] / 1000,
    }


def peak_memory() -> float:
    """Return the most memory that this process held, in MB. `getrusage` would tell the parent's, if that was larger."""
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
