"""Model calls that are recorded by whoever makes them, and whose request is still to come: a client that records leaves it out.

A framework's handler records a call of its model, and the model asks through such a client; or a block of `model_call` is around one's
call. Who records a call lets its request be expected, in the context in which it is made. One call of a model stands for one request: a
second one, as of a stream's reader between two chunks, is a call of its own; an embedding may take several. After the call's first token,
after its end, and once nobody holds it any more, none is expected.

A call that learns at its end alone what was asked gives way: a client that records its request in full does so in its place.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar


class Expected:
    """One call, which holds this. `is_open` tells whether a request is still to come for it, and `awaits_span` whether a span is.

    `is_here` tells whether what runs now belongs to it: a span's context can outlast the call that is made in it. `is_left` tells that
    it gave way, and is recorded by its client.
    """

    __slots__ = ("__weakref__", "awaits_span", "embeds", "gives_way", "is_here", "is_left", "is_open")

    def __init__(self, is_here: Callable[[], bool], *, embeds: bool, gives_way: bool) -> None:
        self.is_open = True
        self.awaits_span = not gives_way
        self.is_left = False
        self.is_here = is_here
        self.embeds = embeds
        self.gives_way = gives_way

    def close(self) -> None:
        """Let what is requested from now on be a call of its own."""
        self.is_open = self.awaits_span = False


_around: ContextVar[tuple[weakref.ref[Expected], ...]] = ContextVar("whyops_expected", default=())
"""The calls around what runs here, from the inside out."""


def _everywhere() -> bool:
    return True


def expect(*, embeds: bool, is_here: Callable[[], bool] = _everywhere, gives_way: bool = False) -> Expected:
    """Let a request that is made from here on be taken as that of a call which is recorded already; `embeds` tells of which kind."""
    expected = Expected(is_here, embeds=embeds, gives_way=gives_way)
    _around.set((weakref.ref(expected), *(held for held in _around.get() if _is_awaited(held()))))
    return expected


def is_expected(*, embeds: bool) -> bool:
    """Tell whether a request that is made here is that of a call which is recorded already; a call of a model stands for no other then."""
    expected = next((each for each in _found(embeds=embeds) if each.is_open and each.is_here()), None)
    if expected is None:
        return False
    if expected.gives_way:
        expected.is_left = True
        expected.close()
        return False
    expected.is_open = embeds
    return True


def awaiting_span(*, embeds: bool) -> Expected | None:
    """Return the call which is recorded already and whose span starts here; None for a span that tells of a call of its own."""
    expected = next((each for each in _found(embeds=embeds) if each.awaits_span and each.is_here()), None)
    if expected is not None:
        expected.awaits_span = embeds
    return expected


def _found(*, embeds: bool) -> Iterator[Expected]:
    return (each for held in _around.get() if (each := held()) is not None and each.embeds is embeds)


def _is_awaited(expected: Expected | None) -> bool:
    return expected is not None and (expected.is_open or expected.awaits_span)
