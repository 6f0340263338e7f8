"""Ids of OpenTelemetry's form, derived from ours: nothing is drawn, so a line maps to the same span in any process, at any time. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256

_HEX_32 = re.compile("[0-9a-f]{32}", re.ASCII)
_HEX_16 = re.compile("[0-9a-f]{16}", re.ASCII)
_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_TRACEPARENT = re.compile("[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}", re.ASCII)


@lru_cache(maxsize=256)
def trace_id_of(trace_id: str, run_id: str | None) -> bytes:
    """Return the 16 bytes of a turn's trace: of one that has no name, those of our trace, in which 32 hex digits stay as they are."""
    if run_id is not None:
        return _digest(f"{trace_id}\0{run_id}")[:16]
    digits = trace_id.replace("-", "") if _UUID.fullmatch(trace_id) else trace_id
    if _HEX_32.fullmatch(digits) and digits != _NO_TRACE:
        return bytes.fromhex(digits)
    return _digest(trace_id)[:16]


@lru_cache(maxsize=1024)
def span_id_of(trace_id: str, span_id: str) -> bytes:
    """Return the 8 bytes of a span; 16 hex digits stay as they are."""
    if _HEX_16.fullmatch(span_id) and span_id != _NO_SPAN:
        return bytes.fromhex(span_id)
    return _digest(f"{trace_id}\0{span_id}")[:8]


@lru_cache(maxsize=256)
def root_id_of(trace_id: str, run_id: str | None) -> bytes:
    """Return the 8 bytes of the span that is around all others of a turn."""
    return _digest(f"{trace_id}\0{run_id or ''}\0turn")[:8]


def linked(traceparent: str | None) -> tuple[bytes, bytes] | None:
    """Return the ids of trace and span that a W3C `traceparent` names; None if it is none."""
    found = _TRACEPARENT.fullmatch(traceparent or "")
    return None if found is None else (bytes.fromhex(found[1]), bytes.fromhex(found[2]))


def _digest(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
