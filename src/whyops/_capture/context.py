"""Which trace and span are current: one context variable that holds an immutable chain of frames.

asyncio tasks and `to_thread` inherit the chain by themselves; a plain thread pool needs `bind_context`. Leaving looks for its own frame
instead of resetting a token, so a block may be left in another context than it was entered in, entered twice, or shared by tasks.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from .trace import Trace

P = ParamSpec("P")
R = TypeVar("R")


class Frame:
    """One level of what is going on: a trace's block, or a span in it. `owner` is the object that entered it."""

    __slots__ = ("owner", "previous", "span_id", "trace")

    def __init__(self, trace: Trace, span_id: str | None, owner: object, previous: Frame | None) -> None:
        self.trace: Trace = trace
        self.span_id: str | None = span_id
        self.owner: object = owner
        self.previous: Frame | None = previous

    def is_live(self) -> bool:
        """Tell whether what entered the frame still runs here. A handler whose framework does not always say so overrides this."""
        return True

    def claims(self, observer: object) -> bool:  # noqa: ARG002  (for frames of spans that a framework's handler records)
        """Tell whether the call that `observer` sees is the very one that the frame's span stands for, and is recorded already."""
        return False


current: ContextVar[Frame | None] = ContextVar("whyops_frame", default=None)


def _no_fallback(_trace_id: str | None) -> Trace | None:
    return None


find_trace: Callable[[str | None], Trace | None] = _no_fallback
"""Where a call outside any trace finds one; the client's module sets it. Takes the id that the call names, if it names one."""


def set_fallback(find: Callable[[str | None], Trace | None]) -> None:
    """Say where calls outside any trace find theirs."""
    global find_trace  # noqa: PLW0603  (one function, set once when the client's module is imported)
    find_trace = find


def top() -> Frame | None:
    """Return the frame that is current here; one that was left behind by what entered it is passed over."""
    frame = current.get()
    while frame is not None and type(frame) is not Frame and not frame.is_live():
        frame = frame.previous
    return frame


def enter(trace: Trace, span_id: str | None, owner: object) -> None:
    """Make `trace` and `span_id` current until `leave(owner)`."""
    current.set(Frame(trace, span_id, owner, top()))


def leave(owner: object) -> bool:
    """Take the nearest frame that `owner` entered out of the chain; True if that was the outermost frame.

    Frames above it stay. Where the chain has no such frame (the block was entered in another context) nothing changes.
    """
    top = current.get()
    if top is not None and top.owner is owner:
        current.set(top.previous)
        return top.previous is None
    above = []
    frame = top
    while frame is not None and frame.owner is not owner:
        above.append(frame)
        frame = frame.previous
    if frame is None:
        return False
    rest = frame.previous
    for kept in reversed(above):
        rest = Frame(kept.trace, kept.span_id, kept.owner, rest)
    current.set(rest)
    return frame.previous is None


def current_trace() -> Trace | None:
    """Return the trace whose block is running here, or None."""
    frame = top()
    return None if frame is None else frame.trace


def bind_context(function: Callable[P, R]) -> Callable[P, R]:
    """Return `function` bound to the trace and span that are current now, wherever it runs: `pool.map(whyops.bind_context(f), items)`.

    Only WhyOps' own variable is carried over; it is set before each call and restored after it.
    """
    bound = top()
    if bound is not None:  # what is live here is to be live there
        bound = Frame(bound.trace, bound.span_id, bound.owner, bound.previous)

    @functools.wraps(function)
    def in_context(*args: P.args, **kwargs: P.kwargs) -> R:
        before = current.get()
        current.set(bound)
        try:
            return function(*args, **kwargs)
        finally:
            current.set(before)

    return in_context
