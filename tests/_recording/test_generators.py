"""Blocks of traces and spans in generators that carry no decorator."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import itertools
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager

import pytest

import whyops
from tests._recording.recording import Recording
from whyops._recording.bind_context import bind_context
from whyops._recording.open_generators import open_generators
from whyops._recording.tool import tool


@pytest.fixture(autouse=True)
def _nothing_stays():
    """Hold after each test: nothing is current, and no generator's block is open."""
    yield
    gc.collect()
    assert whyops.current_trace() is None
    assert not open_generators


@pytest.fixture
def recording():
    return Recording()


@tool
def helper(key="key"):
    return whyops.current_trace()


@tool
async def helper_async(key="key"):
    await asyncio.sleep(0)
    return whyops.current_trace()


def numbers(recording, name="inside", steps=3):
    """Hold a trace open over all steps, and yield what is current."""
    with recording.trace(name):
        for _ in range(steps):
            yield helper()


async def numbers_async(recording, name="inside", steps=3):
    """Do so in an asynchronous generator, waiting before and after each step."""
    async with recording.trace(name):
        for _ in range(steps):
            await asyncio.sleep(0)
            yield await helper_async()
            await asyncio.sleep(0)


def ids(traces):
    return [trace.id for trace in traces]


def placed(recording):
    """Return the trace and the name of the parent of each call, in order."""
    requests = recording.of_type("tool_call_request")
    names = {event["spanId"]: event["metadata"]["tool"] for event in requests}
    return [(event["traceId"], event["metadata"]["tool"], names.get(event["metadata"].get("parentSpanId"))) for event in requests]


def test_the_consumer_keeps_what_it_has_current(recording):
    """Between two steps the consumer's own trace is current; in each step the generator's."""
    with recording.trace("outside") as outside:
        for trace in numbers(recording):
            assert trace.id == "inside"
            assert whyops.current_trace() is outside
            assert helper() is outside
        assert whyops.current_trace() is outside


def test_the_consumer_of_an_asynchronous_generator_keeps_what_it_has_current(recording):
    """The same for `async for`; what the consumer waits for and starts in a step's pause is its own."""

    async def main():
        with recording.trace("outside") as outside:
            async for trace in numbers_async(recording):
                assert trace.id == "inside"
                assert await helper_async() is outside
                assert await asyncio.gather(helper_async(), asyncio.to_thread(helper)) == [outside, outside]

    asyncio.run(main())


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "dropped"])
def test_a_stream_that_is_left_by_break(recording, kept):
    """After `break` what was before is current, whether the generator is closed at once, or never."""
    with recording.trace("outside") as outside:
        stream = numbers(recording)
        for _ in stream:
            if not kept:
                del stream
            break
        assert whyops.current_trace() is outside
        assert helper() is outside
    assert whyops.current_trace() is None
    if kept:
        stream.close()


def test_a_stream_is_closed_elsewhere(recording):
    """A generator that is closed or collected in another thread or context disturbs neither that one nor its own."""
    with recording.trace("outside") as outside:
        streams = [numbers(recording) for _ in range(3)]
        for stream in streams:
            next(stream)
        contextvars.copy_context().run(streams[0].close)
        thread = threading.Thread(target=streams[1].close)
        thread.start()
        thread.join()
        assert whyops.current_trace() is outside
        assert next(streams[2]).id == "inside"
        assert whyops.current_trace() is outside
        streams[2].close()


def test_an_error_that_ends_a_stream(recording):
    """An exception that leaves a generator's block leaves nothing current, and is recorded in the block's trace."""

    def failing():
        with recording.trace("inside"):
            yield helper()
            raise ValueError("oh")

    with recording.trace("outside") as outside:
        stream = failing()
        next(stream)
        with pytest.raises(ValueError, match="oh"):
            next(stream)
        assert whyops.current_trace() is outside
    assert [event["traceId"] for event in recording.of_type("error")] == ["inside", "outside"][:1]


def test_what_the_consumer_records_in_a_pause_takes_nothing_from_the_next_step(recording):
    """Tasks that a step begins with are in the generator's trace, whatever its consumer has entered and left since the step before."""

    async def body():
        async with recording.trace("inside"):
            yield await asyncio.gather(helper_async(), helper_async())
            yield await asyncio.gather(helper_async(), helper_async())
            yield await asyncio.gather(helper_async(), helper_async())

    async def main():
        other = numbers(recording, "other", 4)
        async for traces in body():
            assert ids(traces) == ["inside"] * 2
            assert ids([await helper_async(), next(other)])[1:] == ["other"]
            with recording.trace("block") as block:
                assert helper() is block
            assert whyops.current_trace() is outside
        other.close()

    with recording.trace("outside") as outside:
        asyncio.run(main())


def test_each_step_in_a_context_of_its_own(recording):
    """A step finds the block wherever it is taken: in fresh copies of a context, in threads, with a span opened in one of them."""

    def body():
        with recording.trace("inside") as trace:
            yield helper("first")
            with trace.tool_span("span"):
                yield helper("second")
                yield helper("third")
            yield helper("fourth")

    for run in (lambda step: contextvars.copy_context().run(next, step), in_thread):
        recording.lines.clear()
        stream = body()
        assert ids(itertools.islice(iter(lambda stream=stream, run=run: run(stream), None), 4)) == ["inside"] * 4
        assert next(stream, None) is None
        assert [parent for _, name, parent in placed(recording) if name == "helper"] == [None, "span", "span", None]


def in_thread(stream):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(next, stream).result()


def test_each_step_in_a_task_of_its_own(recording):
    """Steps of an asynchronous generator that are awaited with a time limit run in tasks of their own before Python 3.12."""

    async def body():
        with recording.trace("inside") as trace:
            yield await helper_async()
            with trace.tool_span("span"):
                yield await helper_async()
                yield await helper_async()

    async def main():
        stream = body()
        for _ in range(3):
            trace = await asyncio.create_task(stream.__anext__())
            assert trace.id == "inside"
            assert whyops.current_trace() is None
        await asyncio.create_task(stream.aclose())

    asyncio.run(main())
    assert [parent for _, name, parent in placed(recording) if name == "helper_async"] == [None, "span", "span"]


def test_what_a_step_starts_and_waits_for(recording):
    """Tasks and threads that a generator starts in a step, and waits for, are in its trace, while the consumer waits."""

    async def body():
        async with recording.trace("inside"):
            yield await asyncio.gather(helper_async(), asyncio.create_task(helper_async()), asyncio.to_thread(helper))

    def body_sync():
        with recording.trace("inside"), ThreadPoolExecutor(2) as pool:
            bound = pool.submit(bind_context(helper))
            copied = pool.submit(contextvars.copy_context().run, helper)
            yield [bound.result(), copied.result(), asyncio.run(helper_async())]

    async def main():
        async for traces in body():
            assert ids(traces) == ["inside"] * 3
            assert whyops.current_trace() is None

    asyncio.run(main())
    for traces in body_sync():
        assert ids(traces) == ["inside"] * 3
        assert whyops.current_trace() is None


def test_an_unrelated_task_does_not_see_a_waiting_generator(recording):
    """A task that was started before the block was opened goes on in what was current for it."""

    async def main():
        stop = asyncio.Event()

        async def other():
            while not stop.is_set():
                assert whyops.current_trace() is None
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        async for _ in numbers_async(recording):
            await asyncio.sleep(0)
        stop.set()
        await task

    asyncio.run(main())


def test_streams_are_read_in_turn(recording):
    """Generators that one consumer reads in turn each have their own trace in their steps."""
    streams = [numbers(recording, f"trace-{number}") for number in range(3)]
    for step in zip(*streams, strict=True):
        assert ids(step) == ["trace-0", "trace-1", "trace-2"]
        assert whyops.current_trace() is None


def test_a_generator_reads_another(recording):
    """A generator that reads another has its own trace between the other's steps, and `yield from` hands the steps through."""

    def reads():
        with recording.trace("reader") as reader:
            for trace in numbers(recording):
                assert trace.id == "inside"
                assert whyops.current_trace() is reader
                yield helper()
            yield from numbers(recording)
            assert whyops.current_trace() is reader

    for trace in reads():
        assert trace.id in {"reader", "inside"}
        assert whyops.current_trace() is None


def test_the_block_is_open_inside_and_left_before_the_end(recording):
    """Before and after a block in it, a generator has its consumer's trace current."""

    def body():
        yield helper()
        with recording.trace("inside"):
            yield helper()
        yield helper()

    with recording.trace("outside"):
        assert ids(body()) == ["outside", "inside", "outside"]


def test_a_block_around_a_step(recording):
    """The consumer's block is no child of the generator's: in the step the generator's is current, whatever was opened since."""
    stream = numbers(recording)
    next(stream)
    with recording.trace("outside") as outside:
        assert next(stream).id == "inside"
        assert whyops.current_trace() is outside
    assert next(stream).id == "inside"
    stream.close()


@tool
def decorated(recording):
    with recording.trace("inside"):
        yield helper()
        yield helper()


@tool
async def decorated_async(recording):
    async with recording.trace("inside"):
        yield await helper_async()
        yield await helper_async()


def test_a_block_in_a_decorated_generator(recording):
    """The same holds for generators that are tools, whose steps are current for themselves."""

    async def main():
        async for trace in decorated_async(recording):
            assert trace.id == "inside"
            assert whyops.current_trace() is outside

    with recording.trace("outside") as outside:
        for trace in decorated(recording):
            assert trace.id == "inside"
            assert whyops.current_trace() is outside
        asyncio.run(main())
    parents = {(trace, name): parent for trace, name, parent in placed(recording)}
    assert parents[("outside", "decorated")] is parents[("outside", "decorated_async")] is None


def test_a_decorated_generator_in_a_block_of_another(recording):
    """A tool's steps keep its own place, though a generator with a block takes them."""

    @tool
    def pieces():
        yield helper()
        yield helper()

    def body(inner):
        with recording.trace("inside"):
            yield from inner

    with recording.trace("outside"):
        inner = pieces()
        assert next(inner).id == "outside"
        assert ids(body(inner)) == ["outside"]


def test_what_is_bound_wins_over_the_generator_that_calls_it(recording):
    """A function that is bound to a trace runs in that, also where a generator with a block of its own calls it."""

    def body(function):
        with recording.trace("inside"):
            yield 1
            yield function()

    with recording.trace("bound"):
        bound = bind_context(helper)
    stream = body(bound)
    contextvars.copy_context().run(next, stream)
    assert next(stream).id == "bound"
    stream.close()


class Run:
    """A context manager of the user's own around a block."""

    def __init__(self, recording):
        self.trace = recording.trace("inside")

    def __enter__(self):
        return self.trace.__enter__()

    def __exit__(self, *error):
        self.trace.__exit__(*error)


@contextmanager
def run(recording):
    with recording.trace("inside") as trace:
        yield trace


@asynccontextmanager
async def run_async(recording):
    async with recording.trace("inside") as trace:
        yield trace


def test_a_generator_that_is_a_context_manager(recording):
    """What `@contextmanager` makes current is so in the body of its `with`, and no longer."""

    async def main():
        async with run_async(recording) as trace:
            assert await helper_async() is trace
            assert await asyncio.gather(helper_async()) == [trace]
        async with AsyncExitStack() as stack:
            trace = await stack.enter_async_context(run_async(recording))
            assert await helper_async() is trace
        assert whyops.current_trace() is outside

    with recording.trace("outside") as outside:
        with run(recording) as trace:
            assert helper() is trace
        assert whyops.current_trace() is outside
        with ExitStack() as stack:
            trace = stack.enter_context(run(recording))
            assert helper() is trace
        assert whyops.current_trace() is outside
        asyncio.run(main())


@pytest.mark.parametrize("manager", [Run, run], ids=["class", "contextmanager"])
def test_a_context_manager_in_a_generator(recording, manager):
    """A block that a context manager opens inside a generator is tied to that generator as its own would be."""

    def body():
        with manager(recording):
            yield helper()
            yield helper()

    def body_with_stack():
        with ExitStack() as stack:
            stack.enter_context(manager(recording))
            yield helper()
            yield helper()

    for make in (body, body_with_stack):
        for trace in make():
            assert trace.id == "inside"
            assert whyops.current_trace() is None
        stream = make()
        assert [contextvars.copy_context().run(next, stream).id for _ in range(2)] == ["inside"] * 2
        stream.close()


@pytest.fixture
def in_trace(recording):
    with recording.trace("fixture") as trace:
        yield trace


def test_a_fixture_holds_for_its_test(in_trace):
    """What a fixture with `yield` makes current is current in the test."""
    assert helper() is in_trace


no_frame_is_left = pytest.mark.skipif(sys.version_info < (3, 11), reason="there, a frame owns what its generator refers to")


@pytest.mark.parametrize("cyclic", [False, pytest.param(True, marks=no_frame_is_left)])
def test_an_abandoned_generator_is_collected(recording, cyclic):
    """Nothing of a generator that nobody closes is kept: not its frame, not its trace, also where it refers to itself."""

    class Agent:
        def __init__(self):
            self.stream = self.run() if cyclic else None

        def run(self):
            with recording.trace("inside"):
                yield helper()
                yield helper()

    gone = []
    for _ in range(1000):
        agent = Agent()
        stream = agent.stream or agent.run()
        trace = next(stream)
        gone.append((weakref.ref(agent), weakref.ref(trace)))
        del agent, stream, trace
    gc.collect()
    with recording.trace("other"):
        pass
    gc.collect()
    assert [alive for pair in gone for alive in pair if alive() is not None] == []
    assert not open_generators


CLOSED_AT_ANY_MOMENT = """
import gc, sys, whyops
from whyops.testing import capture

gc.set_threshold(50, 2, 2)

class Agent:
    def __init__(self, how):
        self.stream = getattr(self, how)()

    def block(self):
        with whyops.trace("inside"):
            yield

    @whyops.tool
    def tool(self):
        try:
            yield
        finally:
            whyops.current_trace()

    @whyops.trace
    def trace(self):
        yield from self.tool()

with capture():
    for _ in range(4_000):
        next(Agent(sys.argv[1]).stream)
        with whyops.trace("other") as other:
            assert whyops.current_trace() is other
        assert whyops.current_trace() is None
"""


@pytest.mark.parametrize("how", ["block", "tool", "trace"])
def test_a_generator_that_is_collected_leaves_its_block_at_any_moment(how):
    """The garbage collector may close a generator in the middle of whatever else enters and leaves blocks."""
    subprocess.run([sys.executable, "-c", CLOSED_AT_ANY_MOMENT, how], check=True, timeout=50)


def test_asynchronous_generators_that_the_loop_closes(recording):
    """Streams that are left by `break`, and closed by the loop in tasks of its own, leave no frame and nothing current."""

    async def main():
        for _ in range(200):
            async for _ in numbers_async(recording):
                break
            assert whyops.current_trace() is None
        kept = numbers_async(recording)
        async for _ in kept:
            break
        assert whyops.current_trace() is None

    asyncio.run(main())


def test_an_asynchronous_generator_that_is_collected_with_the_function_s_own(recording):
    """The garbage collector may close the function's generator before the loop closes the one around it: that ends, too."""

    class Agent:
        def __init__(self):
            self.stream = self.run()

        @tool
        async def run(self):
            yield self
            yield self

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(context))
        for _ in range(5):
            await Agent().stream.__anext__()
            gc.collect()
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    failed = []
    with recording.trace():
        asyncio.run(main())
    assert failed == []
