"""Model calls that are recorded by whoever makes them, and whose request is still to come: a client that records leaves it out.

A framework's handler records a call of its model, and the model asks through such a client; or a block of `model_call` is around one's
call. Who records a call lets its request be expected, in the context in which it is made. One call of a model stands for one request: a
second one, as of a stream's reader between two chunks, is a call of its own; an embedding may take several. After the call's first token,
after its end, and once nobody holds it any more, none is expected.
"""

from __future__ import annotations

import weakref
from contextvars import ContextVar


class Expected:
    """One call, which holds this. `is_open` tells whether a request is still to come for it."""

    __slots__ = ("__weakref__", "before", "embeds", "is_open")

    def __init__(self, before: Expected | None, *, embeds: bool) -> None:
        self.is_open = True
        self.embeds = embeds
        self.before: weakref.ref[Expected] | None = None if before is None else weakref.ref(before)


_innermost: ContextVar[weakref.ref[Expected] | None] = ContextVar("whyops_expected", default=None)


def expect(*, embeds: bool) -> Expected:
    """Let a request that is made from here on be taken as that of a call which is recorded already; `embeds` tells of which kind."""
    expected = Expected(_open(_innermost.get()), embeds=embeds)
    _innermost.set(weakref.ref(expected))
    return expected


def is_expected(*, embeds: bool) -> bool:
    """Tell whether a request that is made here is that of a call which is recorded already; a call of a model stands for no other then."""
    expected = _open(_innermost.get())
    while expected is not None and expected.embeds is not embeds:
        expected = _open(expected.before)
    if expected is not None and not embeds:
        expected.is_open = False
    return expected is not None


def _open(innermost: weakref.ref[Expected] | None) -> Expected | None:
    """Return the innermost call for which a request is still to come."""
    while innermost is not None:
        expected = innermost()
        if expected is None or expected.is_open:
            return expected
        innermost = expected.before
    return None
