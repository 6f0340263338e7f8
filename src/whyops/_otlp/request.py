"""Spans → the bodies of requests, none larger than need be. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from . import protobuf
from .span import Span, attributes_bytes, span_bytes

MAX_BYTES = 1_000_000
"""Of one request, if a single span is not larger: some engines take a second for as much, and none takes any size."""


class Body(NamedTuple):
    """What one request brings, and the places of its spans among those that were given."""

    content: bytes
    places: Sequence[int]


def bodies(spans: Sequence[Span], most: int = MAX_BYTES) -> Iterator[Body]:
    """Yield requests that bring all spans, in their order; where none is given, none."""
    held: list[bytes] = []
    places: list[int] = []
    size = 0
    for place, span in enumerate(spans):
        written = span_bytes(span)
        if places and size + len(written) > most:
            yield Body(_content(spans, places, held), places)
            held, places, size = [], [], 0
        held.append(written)
        places.append(place)
        size += len(written)
    if places:
        yield Body(_content(spans, places, held), places)


def _content(spans: Sequence[Span], places: Sequence[int], written: Sequence[bytes]) -> bytes:
    """Return the request: the spans of each agent under a resource of its own."""
    by_agent: dict[str, list[bytes]] = {}
    for place, one in zip(places, written, strict=True):
        by_agent.setdefault(spans[place].resource, []).append(protobuf.message(2, one))
    scope = protobuf.message(1, protobuf.text(1, "whyops"))
    return b"".join(
        protobuf.message(1, _resource(agent) + protobuf.message(2, scope + b"".join(members))) for agent, members in by_agent.items()
    )


def _resource(agent: str) -> bytes:
    named = {"service.name": agent, "openinference.project.name": agent}
    return protobuf.message(1, attributes_bytes(1, named))
