"""Which trace and span are current: one context variable that holds a chain of frames.

asyncio tasks and `to_thread` inherit the chain by themselves, and go on with what was current when they were started, also after that has
ended: it is where they come from. A plain thread pool needs `bind_context`. Leaving takes a frame out wherever it stands in the chain, so
a block may be left before one inside it, entered twice, or shared by tasks. Left in another context than it was entered in, a frame is
over where it lies: whoever looks at the chain passes over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar, Token
from typing import Any

from .frames import Covered, Frame, Rehung
from .open_generators import innermost_block, open_generators
from .trace_writer import TraceWriter

_MOST_COVERED = 16

current: ContextVar[Frame | None] = ContextVar("whyops_frame", default=None)


def _no_fallback(_trace_id: str | None) -> TraceWriter | None:
    """Find none."""


find_trace: Callable[[str | None], TraceWriter | None] = _no_fallback
"""Where a call outside any trace finds one; the default client's module sets it. Takes the id that the call names, if it names one."""


def top() -> Frame | None:
    """Return the frame that is current here.

    One that is over, or not current here, is passed over. A block that a generator on this call stack holds counts also where the
    generator's step is taken in another context than the block was entered in.
    """
    return live_of(beneath())


def live_of(chain: Frame | None) -> Frame | None:
    """Return what of `beneath` is current here."""
    return chain.live if type(chain) is Covered else chain


def beneath() -> Frame | None:
    """Return what a frame that is entered here is to have as its previous one."""
    frame = current.get()
    if (frame is None or (type(frame) is Frame and not frame.over)) and not open_generators:
        return frame
    frame = covered(frame)
    if open_generators:
        block = innermost_block()
        if block is not None and not holds(frame, block):
            frame = Rehung(block, frame)
            current.set(frame)  # so that what this step starts finds it, too
    return frame


def covered(chain: Frame | None) -> Frame | None:
    """Return a chain without what is over at its top, and with what is not live there covered."""
    if chain is not None and not chain.over and chain.is_live():
        return chain
    while chain is not None and chain.is_over():
        chain = chain.previous
    live, passed = chain, 0
    while live is not None and (live.over or not live.is_live()):
        live = live.previous
        passed += 1
    if chain is None or live is chain or passed > _MOST_COVERED:
        return live
    return Covered(chain, live)


def holds(chain: Frame | None, frame: Frame) -> bool:
    """Tell whether `frame` is around what is at the top of a chain, or is that itself."""
    link = live_of(chain)
    while link is not None and not _is(link, frame):
        link = around(link)
    return link is not None


def around(frame: Frame) -> Frame | None:
    """Return the frame that was current where `frame` was entered."""
    return frame.previous.live if type(frame.previous) is Covered else frame.previous


def outward(frame: Frame | None) -> Iterator[Frame]:
    """Return a frame, if there is one, and those around it, from the inside out."""
    while frame is not None:
        yield frame
        frame = around(frame)


def enter(trace: TraceWriter, span_id: str | None, owner: object) -> None:
    """Make `trace` and `span_id` current, until the frame of it is left."""
    current.set(Frame(trace, span_id, owner, beneath()))


def leave(frame: Frame) -> None:
    """Take the frame of a call out of what is current here. Where it is not (it was entered in another context) it is over."""
    if current.get() is frame:
        current.set(frame.previous)
    elif take_out(frame, and_spans=True) is None:
        frame.over = True


def take_out(frame: Frame, and_spans: bool = False) -> Frame | None:  # noqa: FBT001, FBT002  (a keyword costs each block more)
    """Take `frame` out of what is current here, and with it what is over above it. Return its place, or None if it is not here.

    `and_spans` takes out also the spans of its trace that were left open in it. Blocks that were entered in it and not left stay.
    """
    place = chain = current.get()
    if chain is frame:
        current.set(frame.previous)
        return frame
    above = []
    while place is not None and not _is(place, frame):
        above.append(place)
        place = place.previous
    if place is None:
        return None
    chain = place.previous
    for kept in reversed(above):
        if kept.is_trace and kept.trace is frame.trace:
            and_spans = False  # the trace was entered again: what is above belongs to that block
        elif and_spans and kept.trace is frame.trace:
            continue
        if not kept.is_over():
            chain = Rehung(kept, covered(chain))
    current.set(chain)
    return place


def is_here(frame: Frame) -> bool:
    """Tell whether `frame` is in this context's chain, live or not."""
    chain = current.get()
    while chain is not None and not _is(chain, frame):
        chain = chain.previous
    return chain is not None


def _is(link: Frame, frame: Frame) -> bool:
    return link is frame or (type(link) is Rehung and link.frame is frame)


def put_back(token: Token[Any]) -> bool:
    """Give a variable the value that it had before `token` was made; False, and nothing is changed, if that was in another context."""
    try:
        token.var.reset(token)
    except ValueError:
        return False
    return True


class Stay:
    """The stay of a frame, from where it is entered to where it is left, be that in another context. Making it makes the frame current."""

    __slots__ = ("_entered", "frame")

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self._entered = _place.set(None)
        current.set(frame)

    def leave(self) -> tuple[bool, bool]:
        """End it. Tell whether that is where it began, and whether nothing was current around it.

        Where it is not, the frame is over: in the context that it was entered in, and for all that was started there.
        """
        is_here = put_back(self._entered)
        if not is_here:
            self.frame.over = True
        return is_here, around(take_out(self.frame, and_spans=self.frame.is_trace) or self.frame) is None


_place: ContextVar[None] = ContextVar("whyops_place", default=None)
"""Holds nothing. Its tokens tell whether a context is the one in which they were made, and refer to no frame."""


def current_writer() -> TraceWriter | None:
    """Return what writes the events of the trace whose block is running here, or None."""
    frame = top()
    return None if frame is None else frame.trace


def span_id_in(trace: TraceWriter) -> str | None:
    """Return the span that runs here, if it is one of this trace; else the one that the trace was sent from to this process."""
    return span_id_under(top(), trace)


def span_id_under(frame: Frame | None, trace: TraceWriter) -> str | None:
    """Return the span of a frame that is current, if it is one of this trace; else as `span_id_in` does."""
    return frame.span_id if frame is not None and trace.is_same_as(frame.trace) else trace.sent_from


def here(trace: TraceWriter) -> tuple[TraceWriter, str | None]:
    """Return what writes an event of a trace that is told here, and the span around it: as the block that runs here, if it is its own."""
    frame = top()
    if frame is None:
        return trace.outside(), trace.sent_from
    run = frame.trace
    is_made_of_it = run is trace or run.made_of is trace
    if not is_made_of_it and not trace.is_same_as(run):
        return trace.outside(), trace.sent_from
    if run.run is None:
        return trace.outside(), frame.span_id
    return (run if is_made_of_it or (run.made_of or run) is (trace.made_of or trace) else trace.within(run)), frame.span_id


def hides_text() -> bool:
    """Tell whether the call whose body runs here hides the texts of errors."""
    told = (getattr(frame.owner, "hides_text", None) for frame in outward(top()))
    return bool(next((hides for hides in told if hides is not None), False))


def bound_frame() -> Frame | None:
    """Return what is current here as a frame that is live wherever it is made current."""
    frame = top()
    if frame is None:
        return None
    bound = Frame(frame.trace, frame.span_id, frame.owner, around(frame), frame.is_trace)
    bound.labels = frame.labels
    return bound
