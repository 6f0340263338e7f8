"""Which trace and span are current."""

from __future__ import annotations

import asyncio
import contextvars
from contextlib import contextmanager

import whyops
from tests._recording.recording import Recording
from whyops._recording import context
from whyops._recording.trace import writer_of


def test_blocks_nest_and_unwind():
    """Leaving a block makes the one around it current again."""
    recording = Recording()
    with recording.trace("outer") as outer:
        with recording.trace("inner") as inner:
            assert whyops.current_trace() is inner
        assert whyops.current_trace() is outer
    assert whyops.current_trace() is None


def test_a_block_may_be_entered_again_inside_itself():
    """Each exit undoes one entry of the same trace object."""
    trace = Recording().trace("t")
    with trace:
        with trace:
            assert whyops.current_trace() is trace
        assert whyops.current_trace() is trace
    assert whyops.current_trace() is None


def test_leaving_out_of_order_keeps_the_other_block():
    """A block that is left while another is open above it leaves that one current."""
    recording = Recording()
    first, second = recording.trace("first"), recording.trace("second")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert whyops.current_trace() is second
    second.__exit__(None, None, None)
    assert whyops.current_trace() is None


def test_a_span_that_was_left_open_ends_with_the_block_of_its_trace():
    """After a trace's block, what was before is current, whatever span somebody forgot to leave; leaving it later changes nothing."""
    recording = Recording()
    with recording.trace("outer") as outer:
        with recording.trace("inner") as inner:
            span = inner.tool_span("forgotten")
            span.__enter__()
        assert (whyops.current_trace(), context.span_id_in(writer_of(outer))) == (outer, None)
        with recording.trace("later") as later:
            span.__exit__(None, None, None)
            assert (whyops.current_trace(), context.span_id_in(writer_of(later))) == (later, None)
        assert whyops.current_trace() is outer
    assert whyops.current_trace() is None


def test_a_span_that_was_left_open_ends_with_the_call_of_a_tool():
    """After a call, its caller's span is current again, whatever the function left open in the same trace."""
    recording = Recording()

    @whyops.tool
    def forgetful():
        whyops.current_trace().tool_span("forgotten").__enter__()

    with recording.trace("t") as trace, trace.tool_span("caller") as caller:
        forgetful()
        assert context.span_id_in(writer_of(trace)) == caller.span_id


def test_a_trace_that_was_entered_again_keeps_its_spans():
    """Of a trace that is entered twice, leaving the first block leaves the second one, and what is open in it, current."""
    trace = Recording().trace("t")
    trace.__enter__()
    trace.__enter__()
    with trace.tool_span("inside") as span:
        outer_block = context.current.get().previous.previous
        context.take_out(outer_block, and_spans=True)
        assert context.span_id_in(writer_of(trace)) == span.span_id
    assert whyops.current_trace() is trace
    trace.__exit__(None, None, None)
    assert whyops.current_trace() is None


def test_leaving_by_hand_in_another_context_changes_nothing_there():
    """A block that is entered by hand in one context, and left by hand in another, disturbs neither."""
    recording = Recording()
    trace, other = recording.trace("t"), recording.trace("other")
    inside = contextvars.copy_context()
    inside.run(trace.__enter__)
    with other:
        trace.__exit__(None, None, None)
        assert whyops.current_trace() is other
    assert inside.run(whyops.current_trace) is trace
    inside.run(trace.__exit__, None, None, None)
    assert inside.run(whyops.current_trace) is None


def test_a_block_that_a_generator_leaves_in_another_context_is_over_in_both(caplog):
    """A dependency that is entered in one context and left in another is current in neither afterwards, and that is said once."""
    recording = Recording()
    other = recording.trace("other")

    @contextmanager
    def dependency():
        with recording.trace("t") as trace:
            yield trace

    first, second = contextvars.copy_context(), contextvars.copy_context()
    managers = [dependency(), dependency()]
    traces = [first.run(manager.__enter__) for manager in managers]
    assert first.run(whyops.current_trace) is traces[1]
    with other:
        for manager in managers:
            second.run(manager.__exit__, None, None, None)
            assert whyops.current_trace() is other
    assert [there.run(whyops.current_trace) for there in (first, second)] == [None, None]
    (said,) = caplog.messages
    assert "block of trace t was left in another context" in said


def test_one_trace_object_is_entered_by_many_tasks_at_once():
    """Tasks that share a trace object each have it current until they leave it."""
    trace = Recording().trace("shared")
    everyone_is_in = asyncio.Event()
    inside = 0

    async def enter_and_wait() -> bool:
        nonlocal inside
        async with trace:
            inside += 1
            if inside == 20:
                everyone_is_in.set()
            await everyone_is_in.wait()
            current = whyops.current_trace()
        return current is trace and whyops.current_trace() is None

    async def all_at_once() -> list[bool]:
        return await asyncio.gather(*(enter_and_wait() for _ in range(20)))

    assert all(asyncio.run(all_at_once()))


def test_a_task_keeps_the_trace_it_was_started_in():
    """What a block started goes on under its trace after the block was left."""
    trace = Recording().trace("t")

    async def main() -> bool:
        left = asyncio.Event()

        async def later() -> bool:
            await left.wait()
            return whyops.current_trace() is trace

        with trace:
            task = asyncio.create_task(later())
        left.set()
        return await task

    assert asyncio.run(main())
