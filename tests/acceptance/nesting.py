"""Programs made of nested blocks, tools, generators, tasks, threads and framework runs, and a player that knows what is current where.

A program is a list of nodes; a node is a kind, what it contains, and a few choices. The player carries along in what place (trace and
span) the code stands as one reads it, holds what is current against it before, inside and after each node, and notes where each recorded
call is to be found. It never asks the package what should be.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, NamedTuple, TypedDict

from langchain_core.runnables import RunnableLambda
from langchain_core.tools import StructuredTool
from langgraph.graph import START, StateGraph
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import StartEvent, StopEvent, Workflow, step

import whyops
from whyops._recording import context
from whyops.integrations.langchain import WhyOpsCallbackHandler


class Node(NamedTuple):
    """One thing that a program does. `inside` runs in it, `between` in the pauses of a stream; `how` and `levels` are its choices."""

    kind: str
    inside: tuple[Node, ...] = ()
    between: tuple[Node, ...] = ()
    how: str = ""
    levels: int = 1


SYNC = (
    "block",
    "manager",
    "manager elsewhere",
    "span",
    "tool",
    "generator",
    "stream",
    "copied",
    "thread",
    "bound",
    "chain",
    "chain stream",
    "chain unrecorded",
    "graph",
    "lc tool",
    "li tool",
)
ASYNC = (
    "async block",
    "async manager",
    "async tool",
    "async generator",
    "async stream",
    "task",
    "gather",
    "to_thread",
    "spawn",
    "cancelled",
    "async chain",
    "async chain stream",
    "async graph",
    "async lc tool",
    "async li tool",
    "workflow",
)
ENDS = ("to the end", "break", "close", "throw", "keep", "close elsewhere")
DRIVES = ("here", "elsewhere")


@dataclass(frozen=True)
class Place:
    """Where code stands: in which trace, under which span. `may_spawn`: not directly in or around a stream, whose pauses it can't see."""

    trace: str | None = None
    span: str | None = None
    may_spawn: bool = True
    hang: asyncio.Event | None = None


class Boom(Exception):
    """Leaves as many nodes as it says."""

    def __init__(self, levels: int) -> None:
        super().__init__(levels)
        self.levels = levels


class State(TypedDict):
    job: int


_jobs: dict[int, Callable[[], Any]] = {}
_job_numbers = count()
_names = count()


def _graph(node: Callable[[State], Any]) -> Any:
    graph = StateGraph(State)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    return graph.compile()


def _run_job(state: State) -> dict[str, int]:
    _jobs[state["job"]]()
    return {"job": state["job"]}


async def _run_job_async(state: State) -> dict[str, int]:
    await _jobs[state["job"]]()
    return {"job": state["job"]}


GRAPH, ASYNC_GRAPH = _graph(_run_job), _graph(_run_job_async)


class Flow(Workflow):
    """A workflow of one step, which does a job."""

    @step
    async def only(self, event: StartEvent) -> StopEvent:
        await _jobs[event.job]()
        return StopEvent(result=event.job)


class Player:
    """Plays one program with one client, and knows where each of its calls belongs."""

    def __init__(self, client: whyops.WhyOps, seed: int) -> None:
        self.client = client
        self.handler = WhyOpsCallbackHandler(client)
        self.named = f"program-{seed}"
        self.calls: dict[str, Place] = {}
        self.own: set[str] = set()
        self.kept: list[Any] = []
        self.spawned: list[asyncio.Task[None]] = []

    # What holds

    def check(self, place: Place) -> None:
        """Hold what is current against where the code stands."""
        top = context.top()
        found = (None, None) if top is None else (top.trace.id, top.span_id)
        assert found == (place.trace, place.span), f"current is {found}, and should be {place}"

    def inside(self, place: Place, name: str | None = None) -> Place:
        """Return the place inside a call (`name`) or run that has begun in `place`: in a trace of its own, if there was none."""
        top = context.top()
        assert top is not None, f"nothing is current in {name}"
        if place.trace is None:
            assert not top.trace.id.startswith("program-")
            self.own.add(top.trace.id)
        else:
            assert top.trace.id == place.trace
        if name is None:
            assert top.span_id == place.span
        else:
            assert top.span_id not in {None, place.span}
        may_spawn = place.may_spawn or name is not None  # a run that is no span of its own, inside a stream, is a part of the stream
        return replace(place, trace=top.trace.id, span=top.span_id, may_spawn=may_spawn)

    def name(self, kind: str) -> str:
        return f"{kind.replace(' ', '-')}-{next(_names)}"

    def expects(self, kind: str, place: Place) -> str:
        """Note that a call is made here; its name tells it from all others."""
        name = self.name(kind)
        self.calls[name] = place
        return name

    # Playing

    def play(self, nodes: tuple[Node, ...], place: Place) -> None:
        """Play synchronous nodes."""
        self.check(place)
        for node in nodes:
            if node.kind == "raise":
                raise Boom(node.levels)
            try:
                self.call(place) if node.kind == "call" else getattr(self, "do_" + node.kind.replace(" ", "_"))(node, place)
            except Boom as boom:
                self.check(place)
                boom.levels -= 1
                if boom.levels > 0:
                    raise
            self.check(place)

    async def play_async(self, nodes: tuple[Node, ...], place: Place) -> None:
        """Play nodes of both kinds in a coroutine."""
        self.check(place)
        for node in nodes:
            if node.kind == "raise":
                raise Boom(node.levels)
            if node.kind == "hang":
                if place.hang is not None:
                    place.hang.set()
                    await asyncio.sleep(60)
                continue
            try:
                if node.kind == "call":
                    await self.call_async(place)
                elif node.kind in SYNC:
                    self.play((node,), place)
                else:
                    await getattr(self, "do_" + node.kind.replace(" ", "_"))(node, place)
            except Boom as boom:
                self.check(place)
                boom.levels -= 1
                if boom.levels > 0:
                    raise
            self.check(place)
            await asyncio.sleep(0)
            self.check(place)

    def call(self, place: Place) -> None:
        whyops.tool(lambda: None, name=self.expects("call", place))()

    async def call_async(self, place: Place) -> None:
        async def wait() -> None:
            await asyncio.sleep(0)

        await whyops.tool(wait, name=self.expects("call", place))()

    def job(self, work: Callable[[], Any]) -> int:
        number = next(_job_numbers)
        _jobs[number] = work
        return number

    def config(self) -> Any:
        return {"callbacks": [self.handler]}

    # Blocks

    def trace(self) -> whyops.Trace:
        return self.client.trace(f"{self.named}-{next(_names)}")

    def _in(self, trace: whyops.Trace, place: Place) -> Place:
        return replace(place, trace=trace.id, span=place.span if place.trace == trace.id else None, may_spawn=True)

    def do_block(self, node: Node, place: Place) -> None:
        with self.trace() as trace:
            self.play(node.inside, self._in(trace, place))

    async def do_async_block(self, node: Node, place: Place) -> None:
        async with self.trace() as trace:
            await self.play_async(node.inside, self._in(trace, place))

    def do_manager(self, node: Node, place: Place) -> None:
        @contextmanager
        def run() -> Iterator[whyops.Trace]:
            with self.trace() as trace:
                yield trace

        with run() as trace:
            self.play(node.inside, self._in(trace, place))

    def do_manager_elsewhere(self, node: Node, place: Place) -> None:
        """Enter a block as a web framework enters a synchronous dependency: it is current nowhere but in the generator."""

        @contextmanager
        def run() -> Iterator[None]:
            with self.trace() as trace:
                self.check(self._in(trace, place))
                yield
                self.call(place)

        manager = run()
        entered = contextvars.copy_context()
        entered.run(manager.__enter__)
        self.play(node.inside, place)
        contextvars.copy_context().run(manager.__exit__, None, None, None)
        entered.run(self.check, place)

    async def do_async_manager(self, node: Node, place: Place) -> None:
        @asynccontextmanager
        async def run() -> AsyncIterator[whyops.Trace]:
            async with self.trace() as trace:
                yield trace

        async with run() as trace:
            await self.play_async(node.inside, self._in(trace, place))

    def do_span(self, node: Node, place: Place) -> None:
        trace = whyops.current_trace()
        if trace is None:
            self.play(node.inside, place)
            return
        name = self.expects("span", place)
        with trace.tool_span(name):
            self.play(node.inside, self.inside(place, name))

    # Tools

    def do_tool(self, node: Node, place: Place) -> None:
        name = self.expects("tool", place)
        whyops.tool(lambda: self.play(node.inside, self.inside(place, name)), name=name)()

    async def do_async_tool(self, node: Node, place: Place) -> None:
        name = self.expects("tool", place)

        async def body() -> None:
            await self.play_async(node.inside, self.inside(place, name))

        await whyops.tool(body, name=name)()

    def do_generator(self, node: Node, place: Place) -> None:
        name = self.expects("generator", place)

        def body() -> Iterator[int]:
            inside = self.inside(place, name)
            for number in range(3):
                self.play(node.inside, inside)
                yield number

        self.consume(whyops.tool(body, name=name)(), node, place)

    async def do_async_generator(self, node: Node, place: Place) -> None:
        name = self.expects("generator", place)

        async def body() -> AsyncIterator[int]:
            inside = self.inside(place, name)
            for number in range(3):
                await self.play_async(node.inside, inside)
                yield number

        await self.consume_async(whyops.tool(body, name=name)(), node, place)

    # Streams: generators that hold a block, without a decorator

    def do_stream(self, node: Node, place: Place) -> None:
        def body() -> Iterator[int]:
            with self.trace() as trace:
                inside = replace(self._in(trace, place), may_spawn=False)
                self.play(node.inside, inside)
                yield 0
                name = self.expects("span", inside)
                with trace.tool_span(name):
                    self.play(node.inside, replace(self.inside(inside, name), may_spawn=False))
                    yield 1
                    self.call(replace(inside, span=context.top().span_id))
                self.play(node.inside, inside)
                yield 2

        self.consume(body(), node, place)

    async def do_async_stream(self, node: Node, place: Place) -> None:
        async def body() -> AsyncIterator[int]:
            async with self.trace() as trace:
                inside = replace(self._in(trace, place), may_spawn=False)
                await self.play_async(node.inside, inside)
                yield 0
                name = self.expects("span", inside)
                async with trace.tool_span(name):
                    await self.play_async(node.inside, replace(self.inside(inside, name), may_spawn=False))
                    yield 1
                    await self.call_async(replace(inside, span=context.top().span_id))
                await self.play_async(node.inside, inside)
                yield 2

        await self.consume_async(body(), node, place)

    def consume(self, stream: Any, node: Node, place: Place) -> None:
        end, _, drive = node.how.partition("/")
        outside = replace(place, may_spawn=False)
        for number in range(4):
            try:
                next(stream) if drive == "here" else contextvars.copy_context().run(next, stream)
            except StopIteration:
                return
            self.play(node.between, outside)
            if number == node.levels - 1 and end != "to the end":
                break
        if end == "close":
            stream.close()
        elif end == "throw":
            with suppress(Boom):
                stream.throw(Boom(1))
        elif end == "keep":
            self.kept.append(stream)
        elif end == "close elsewhere":
            thread = threading.Thread(target=stream.close)
            thread.start()
            thread.join()

    async def consume_async(self, stream: Any, node: Node, place: Place) -> None:
        end, _, drive = node.how.partition("/")
        outside = replace(place, may_spawn=False)
        for number in range(4):
            try:
                await (stream.__anext__() if drive == "here" else asyncio.ensure_future(_awaited(stream.__anext__)))
            except StopAsyncIteration:
                return
            await self.play_async(node.between, outside)
            if number == node.levels - 1 and end != "to the end":
                break
        if end == "close":
            await stream.aclose()
        elif end == "throw":
            with suppress(Boom):
                await stream.athrow(Boom(1))
        elif end == "keep":
            self.kept.append(stream)
        elif end == "close elsewhere":
            await asyncio.ensure_future(_awaited(stream.aclose))

    # Tasks and threads

    def do_copied(self, node: Node, place: Place) -> None:
        contextvars.copy_context().run(self.play, node.inside, place)

    def do_thread(self, node: Node, _: Place) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(self.play, node.inside, Place()).result()

    def do_bound(self, node: Node, place: Place) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(whyops.bind_context(self.play), node.inside, place).result()

    async def do_to_thread(self, node: Node, place: Place) -> None:
        await asyncio.to_thread(self.play, tuple(inner for inner in node.inside if inner.kind in {"call", "raise", *SYNC}), place)

    async def do_task(self, node: Node, place: Place) -> None:
        await asyncio.create_task(self.play_async(node.inside, place))

    async def do_gather(self, node: Node, place: Place) -> None:
        await asyncio.gather(*(self.play_async((inner,), place) for inner in node.inside), return_exceptions=False)

    async def do_spawn(self, node: Node, place: Place) -> None:
        if place.may_spawn:
            self.spawned.append(asyncio.create_task(self.play_async(node.inside, replace(place, hang=None))))

    async def do_cancelled(self, node: Node, place: Place) -> None:
        hang = asyncio.Event()
        task = asyncio.create_task(self.play_async((*node.inside, Node("hang")), replace(place, hang=hang)))
        hangs = asyncio.create_task(hang.wait())
        await asyncio.wait({task, hangs}, return_when=asyncio.FIRST_COMPLETED)
        task.cancel()
        hangs.cancel()
        with suppress(asyncio.CancelledError):
            await task

    # LangChain

    def do_chain(self, node: Node, place: Place) -> None:
        RunnableLambda(lambda _: self.play(node.inside, self.inside(place))).invoke(1, self.config())

    def do_chain_unrecorded(self, node: Node, place: Place) -> None:
        RunnableLambda(lambda _: self.play(node.inside, place)).invoke(1)

    async def do_async_chain(self, node: Node, place: Place) -> None:
        async def body(_: int) -> None:
            await self.play_async(node.inside, self.inside(place))

        await RunnableLambda(body).ainvoke(1, self.config())

    def do_chain_stream(self, node: Node, place: Place) -> None:
        def body(_: int) -> Iterator[int]:
            inside = self.inside(place)
            for number in range(3):
                self.play(node.inside, inside)
                yield number

        self.consume(RunnableLambda(body).stream(1, self.config()), node, place)

    async def do_async_chain_stream(self, node: Node, place: Place) -> None:
        async def body(_: int) -> AsyncIterator[int]:
            inside = self.inside(place)
            for number in range(3):
                await self.play_async(node.inside, inside)
                yield number

        await self.consume_async(RunnableLambda(body).astream(1, self.config()), node, place)

    def do_graph(self, node: Node, place: Place) -> None:
        GRAPH.invoke({"job": self.job(lambda: self.play(node.inside, self.inside(place)))}, self.config())

    async def do_async_graph(self, node: Node, place: Place) -> None:
        async def body() -> None:
            await self.play_async(node.inside, self.inside(place))

        await ASYNC_GRAPH.ainvoke({"job": self.job(body)}, self.config())

    def do_lc_tool(self, node: Node, place: Place) -> None:
        name = self.expects("lc", place)
        tool = StructuredTool.from_function(lambda: self.play(node.inside, self.inside(place, name)), name=name, description="Play.")
        tool.invoke({}, self.config())

    async def do_async_lc_tool(self, node: Node, place: Place) -> None:
        name = self.expects("lc", place)

        async def body() -> None:
            await self.play_async(node.inside, self.inside(place, name))

        await StructuredTool.from_function(coroutine=body, name=name, description="Play.").ainvoke({}, self.config())

    # LlamaIndex

    def do_li_tool(self, node: Node, place: Place) -> None:
        name = self.expects("li", place)
        FunctionTool.from_defaults(lambda: self.play(node.inside, self.inside(place, name)), name=name, description="Play.").call()

    async def do_async_li_tool(self, node: Node, place: Place) -> None:
        name = self.expects("li", place)

        async def body() -> None:
            await self.play_async(node.inside, self.inside(place, name))

        await FunctionTool.from_defaults(async_fn=body, name=name, description="Play.").acall()

    async def do_workflow(self, node: Node, place: Place) -> None:
        name = self.expects("flow", place)

        async def body() -> None:
            await self.play_async(node.inside, self.inside(place, name))

        await type(name, (Flow,), {})(timeout=None).run(job=self.job(body))


async def _awaited(start: Callable[[], Any]) -> Any:
    return await start()


def play(client: whyops.WhyOps, nodes: tuple[Node, ...], *, asynchronous: bool) -> Player:
    """Play a program in a context that nothing is current in, and end what it has left open. Return what it expects to be recorded."""
    player = Player(client, next(_names))

    async def main() -> None:
        try:
            await player.play_async(nodes, Place())
        except Boom:
            player.check(Place())
        for task in player.spawned:
            await asyncio.wait({task})
            if not task.cancelled() and task.exception() is not None and not isinstance(task.exception(), Boom):
                raise task.exception()
        player.check(Place())
        for stream in player.kept:
            await stream.aclose() if hasattr(stream, "aclose") else stream.close()
            player.check(Place())

    if asynchronous:
        asyncio.run(main())
        return player
    try:
        player.play(nodes, Place())
    except Boom:
        player.check(Place())
    for stream in player.kept:
        stream.close()
        player.check(Place())
    return player
