"""Recorded values → JSON that a browser takes for data wherever it stands, and that it reads as they are."""

from __future__ import annotations

import json
import re

from ..._wire.read import RecordedEvent

_ROUNDED_FROM = 16
_ODD = re.compile(r"(?:^|[:\[, ])-?\d{16}|NaN|Infinity", re.ASCII)
_DIGITS = bytes.maketrans(b"123456789+[,- \tE", b"0000000000:::::e")
"""Makes numbers that a browser would round, or take for infinite, alike: a colon and sixteen zeros, or an exponent of three."""
_ROUNDED = b":" + b"0" * _ROUNDED_FROM
_COMPACT = json.JSONEncoder(separators=(",", ":"), check_circular=False, default=str)
TOO_DEEP = "(nested too deeply to be shown here; `whyops export` has it)"


def inert(value: object) -> str:
    """Return a value as JSON that a browser takes for data wherever it stands: no `<`, `>` or `&`, and ASCII alone."""
    return _COMPACT.encode(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def exact(value: object, instead: object) -> object:
    """Return a value as a browser can read it. Numbers that it would round stand between two private characters, as text."""
    try:
        text = json.dumps(value, default=str)
        return json.loads(text, parse_int=_whole, parse_constant=str) if _ODD.search(text) else value
    except (ValueError, TypeError, RecursionError):
        return instead


def exact_event(event: RecordedEvent) -> object:
    """Return an event as `exact` does; of one that is nested too deeply, its type."""
    return exact(event.raw, event.with_content(TOO_DEEP))


def inert_event(event: RecordedEvent) -> str:
    """Return an event as JSON: the line that it was read from, where a browser reads that as it is."""
    line = event.line.strip()
    if not line or not line.isascii() or _may_be_odd(line):
        return inert(exact_event(event))
    return line.decode("ascii").replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _may_be_odd(line: bytes) -> bool:
    digits = line.translate(_DIGITS)
    return _ROUNDED in digits or b"0e000" in digits or b"NaN" in line or b"Infinity" in line or b"\n" in line or b"\r" in line


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) < _ROUNDED_FROM else f"\ue000{digits}\ue001"
