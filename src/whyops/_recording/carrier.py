"""What may carry a trace to another process: HTTP headers in any form, a task's headers, MCP's `_meta`. Read without ever raising."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .._runtime.safely import safely_or
from . import carried

BAGGAGE = "baggage"
_MOST_PAIRS = 1_000


def text_in(carrier: object) -> str | None:
    """Return the text that a carrier holds of a trace, unread: of our own key, else of its `baggage`; None where there is none.

    A carrier is a mapping, or pairs, of text or bytes; names count in any case.
    """
    return safely_or(_text_in, carrier, None)


def baggage_in(carrier: object) -> tuple[str, str]:
    """Return the name that a carrier has `baggage` under, and what it holds there; an empty text where there is none."""
    return safely_or(_baggage_in, carrier, (BAGGAGE, ""))


def _text_in(carrier: object) -> str | None:
    pairs = [(name.lower(), value) for name, value in _pairs(carrier)]
    own = next((_text(value) for name, value in pairs if name == carried.KEY and value is not None), None)
    if own is not None:
        return own
    baggage = ",".join(_text(value) for name, value in pairs if name == BAGGAGE)
    return baggage if len(baggage) > carried.MAX_HEADER or carried.own_members(baggage) else None


def _baggage_in(carrier: object) -> tuple[str, str]:
    return next(((name, _text(value)) for name, value in _pairs(carrier) if name.lower() == BAGGAGE), (BAGGAGE, ""))


def _pairs(carrier: object) -> Iterable[tuple[str, object]]:
    if carrier is None:
        return
    items: Iterable[object] = list(carrier.items()) if isinstance(carrier, Mapping) else _items(carrier)
    for place, item in enumerate(items):
        if place >= _MOST_PAIRS:
            return
        if isinstance(item, (tuple, list)) and len(item) == 2:
            name, value = item
            if isinstance(name, (str, bytes)):
                yield _text(name), value


def _items(carrier: object) -> Iterable[object]:
    items = getattr(carrier, "items", None)
    if callable(items):
        carrier = items()
    return carrier if isinstance(carrier, Iterable) and not isinstance(carrier, (str, bytes)) else ()


def _text(value: object) -> str:
    """Return what a header holds as text; nothing, if it is no text."""
    if isinstance(value, bytes):
        return value[: carried.MAX_HEADER + 1].decode("latin-1")
    return value if isinstance(value, str) else ""
