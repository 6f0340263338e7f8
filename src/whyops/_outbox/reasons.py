"""Why events did not get through, in words that may stand for events of several traces. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .._wire.line import trace_id_of, trace_of

LEFT_OUT = "…"
_LEAST_OF_AN_ID = 4
"""A shorter id may be a word of the sentence."""

_HASHES = (
    r"(?<=\bhash\b)(\W{0,3})[\w.]+"  # what is called so
    r"|\b(?=[0-9a-f-]*\d)(?=[0-9-]*[a-f])[0-9a-f]{8,}(?:-[0-9a-f]+)*\b"  # a UUID, or an id of our own making
    r"|\b\d+\.\d{5,}"
)


def general(reason: str, lines: Iterable[bytes] = ()) -> str:
    """Return a reason without the ids of the traces that these lines are of, and without hashes."""
    for trace in dict.fromkeys(map(trace_of, lines)):
        trace_id = trace_id_of(trace)
        if len(trace_id) >= _LEAST_OF_AN_ID and trace_id in reason:
            reason = re.sub(rf"(?<![\w-]){re.escape(trace_id)}(?![\w-])", LEFT_OUT, reason)
    return re.sub(_HASHES, lambda found: f"{found[1] or ''}{LEFT_OUT}", reason, flags=re.ASCII | re.IGNORECASE)


def together(reasons: Mapping[str, int]) -> dict[str, int]:
    """Return the numbers of reasons that differ in ids and hashes alone as one, the greatest first."""
    sums: dict[str, int] = {}
    for reason, number in reasons.items():
        sums[general(reason)] = sums.get(general(reason), 0) + number
    return dict(sorted(sums.items(), key=lambda one: -one[1]))
