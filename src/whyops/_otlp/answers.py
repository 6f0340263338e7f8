"""What the answer of a receiver of spans means: done, again later, or something in it is refused. Pure."""

from __future__ import annotations

import math
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from .._http.answer import MAX_REASON, Answer, json_of, message_of
from .._printable import shortened
from ..events import BatchRejected, RetryLater
from . import protobuf

HEADERS_REMEDY = (
    "Check the headers for OTLP: they carry the receiver's key, or the project. OTEL_EXPORTER_OTLP_HEADERS holds them as name=value; "
    "a client reads it where WHYOPS_OTLP=1 is set too."
)
ADDRESS_REMEDY = "Check the OTLP address: what answers there takes no spans in protobuf over HTTP (usually port 4318, path /v1/traces)."


class Taken(NamedTuple):
    """What a receiver says of spans that it took: how many not, and why."""

    rejected: int = 0
    reason: str = ""


def judge(answer: Answer, now: float) -> Taken:
    """Return what became of the spans of a request that was answered. `now` is in seconds since 1970.

    Raises:
        RetryLater: They are to be sent again.
        BatchRejected: At least one of them is refused.
    """
    reason = f"{answer.status} {_said(answer)}".rstrip()
    match answer.status:
        case 200 | 202 | 204:
            return _partly(answer.body)
        case 400 | 413 | 422:
            raise BatchRejected(reason)
        case 401 | 403:
            raise RetryLater(f"the receiver of spans refuses the headers ({reason})", remedy=HEADERS_REMEDY, kind="key")
        case 408 | 425 | 429:
            raise RetryLater(f"the receiver of spans answers {reason}", after=asked(answer, now), kind="busy")
        case status if status >= 500 and status not in {501, 505}:
            raise RetryLater(f"the receiver of spans answers {reason}", after=asked(answer, now), kind="busy")
        case _:
            raise RetryLater(f"the answer {reason} is not one to spans", remedy=ADDRESS_REMEDY, kind="url")


def asked(answer: Answer, now: float) -> float | None:
    """Return for how many seconds a receiver asks to be left alone: as seconds, or as a time."""
    told = answer.headers.get("retry-after", "").strip()
    try:
        seconds = float(told) if told[:1].isdigit() and "," not in told else _moment(told) - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _moment(told: str) -> float:
    moment = parsedate_to_datetime(told)
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def _partly(body: bytes) -> Taken:
    """Read how many spans were not taken, from an answer that is `ExportTraceServiceResponse`; what is none says nothing."""
    try:
        for number, value in protobuf.fields(body):
            if number == 1 and isinstance(value, bytes):
                told = dict(protobuf.fields(value))
                rejected, reason = told.get(1), told.get(2)
                said = shortened(reason.decode(errors="replace"), MAX_REASON) if isinstance(reason, bytes) else ""
                return Taken(rejected if isinstance(rejected, int) and rejected < 1 << 63 else 0, said)
    except protobuf.Malformed:
        pass
    return Taken()


def _said(answer: Answer) -> str:
    """Return what a refusal says, on one line: JSON's message, or that of the protobuf `Status`, or a short text."""
    if told := message_of(json_of(answer.body)):
        return told
    kind = answer.headers.get("content-type", "")
    text = answer.body
    if kind.startswith("application/x-protobuf"):
        try:
            text = next((value for number, value in protobuf.fields(answer.body) if number == 2 and isinstance(value, bytes)), b"")
        except protobuf.Malformed:
            text = b""
    return (
        "" if text.lstrip().startswith(b"<") else shortened(" ".join(text[: 4 * MAX_REASON].decode(errors="replace").split()), MAX_REASON)
    )
