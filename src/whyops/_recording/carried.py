"""What one process tells another of the trace that its work belongs to, as text: members of a `baggage` header. Pure.

The text is `whyops.trace=ID,whyops.span=ID,whyops.agent=NAME`, values percent-encoded; a signed one ends with a time and a signature.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple
from urllib.parse import quote, unquote

from .ids import MAX_ID, MAX_USER_ID, safe_id

KEY = "dev.whyops/trace"
"""Under which MCP's `_meta` holds the text."""

MAX_TEXT = 4096
"""Characters of the text. A longer one is not read."""

MAX_HEADER = 8192
"""Characters of a `baggage` header, with others' members. A longer one is not read; W3C has servers pass on at least as much."""

SIGNED_SECONDS = 86_400
"""For how long a signature holds: as long as a task may wait in a queue."""

_AHEAD_SECONDS = 300
_ROOM_TO_SIGN = 150
_PREFIX = "whyops."
_MAX_AGENT_NAME = 255
_TIME, _SIGNATURE = "time", "signature"


class Carried(NamedTuple):
    """A trace, the span in it that work is sent from, its agent and, if it is to be told, its user.

    `parent_id` is the trace of another agent that this one is a part of, `root_id` the one in which all began, if that is yet another.
    """

    trace_id: str
    span_id: str | None = None
    agent_name: str | None = None
    run_id: str | None = None
    user_id: str | None = None
    parent_id: str | None = None
    root_id: str | None = None


_NAMES = {
    "trace": MAX_ID,
    "span": MAX_ID,
    "agent": _MAX_AGENT_NAME,
    "run": MAX_ID,
    "user": MAX_USER_ID,
    "parent": MAX_ID,
    "root": MAX_ID,
}
"""What the members of `Carried` are called in the text, in their order, and how long they may be."""


def to_text(carried: Carried, secret: str | None = None, now: float = 0.0) -> str:
    """Return the text of what is carried; with a secret, signed at `now`, in seconds since 1970.

    A user who makes it too long is left out.
    """
    text = ",".join(f"{_PREFIX}{name}={_quoted(value)}" for name, value in zip(_NAMES, carried, strict=True) if value)
    if carried.user_id and len(text) > MAX_TEXT - _ROOM_TO_SIGN:
        return to_text(carried._replace(user_id=None), secret, now)
    if secret is None:
        return text
    dated = f"{text},{_PREFIX}{_TIME}={int(now)}"
    return f"{dated},{_PREFIX}{_SIGNATURE}={_signature(dated, secret)}"


def from_text(text: object) -> Carried | None:
    """Return what a text carries, be it signed or not; None for what is no such text, or holds something that `to_text` never writes."""
    members = _members(text)
    if members is None:
        return None
    values: list[str | None] = []
    for name, limit in _NAMES.items():
        value = members.get(name)
        if value is not None:
            value = unquote(value, errors="replace")
            if not 0 < len(value) <= limit or not value.isprintable() or (name != "user" and safe_id(value[:MAX_ID]) != value[:MAX_ID]):
                return None
        values.append(value)
    trace_id, *others = values
    return None if trace_id is None else Carried(trace_id, *others)


def is_signed(text: object, secret: str, now: float) -> bool:
    """Tell whether a text was signed with `secret`, within the last day, as seen at `now`, in seconds since 1970."""
    members = _members(text)
    if members is None or not isinstance(text, str):
        return False
    time, signature = members.get(_TIME, ""), members.get(_SIGNATURE, "")
    dated, _, end = own_members(text).rpartition(",")
    if end != f"{_PREFIX}{_SIGNATURE}={signature}" or not hmac.compare_digest(signature.encode(), _signature(dated, secret).encode()):
        return False
    return time.isdecimal() and time.isascii() and len(time) < MAX_ID and -_AHEAD_SECONDS <= now - int(time) <= SIGNED_SECONDS


def own_members(baggage: str) -> str:
    """Return those members of a `baggage` header that are ours, as they stand there."""
    return ",".join(member for member in map(str.strip, baggage.split(",")) if member.startswith(_PREFIX))


def merged(baggage: str, text: str) -> str:
    """Return a `baggage` header with ours in place of those of ours that it had; others stay, in their order."""
    others = [member for member in map(str.strip, baggage.split(",")) if member and not member.startswith(_PREFIX)]
    return ",".join([*others, text])


def own_trace_id(carried: Carried, agent_name: str) -> str:
    """Return the id of the trace that another agent keeps of what a carried one's asked of it: always the same for both."""
    return hashlib.sha256(f"{carried.trace_id}\0{agent_name}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _members(text: object) -> dict[str, str] | None:
    """Return the values of our members, by name without the prefix. None for no text, one that is too long, or a name that comes twice."""
    if not isinstance(text, str) or len(text) > MAX_HEADER:
        return None
    own = own_members(text)
    if not own or len(own) > MAX_TEXT or not own.isascii():
        return None
    pairs = [member.removeprefix(_PREFIX).partition("=")[::2] for member in own.split(",")]
    members = {name.strip(): value.partition(";")[0].strip() for name, value in pairs}
    return members if len(members) == len(pairs) else None


def _quoted(value: str) -> str:
    return quote(value, safe="", errors="replace")


def _signature(text: str, secret: str) -> str:
    return hmac.new(secret.encode("utf-8", "surrogatepass"), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
