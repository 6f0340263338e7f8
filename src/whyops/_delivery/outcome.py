"""What an answer of the service means: done, again later, or something in it is refused. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import NamedTuple

from whyops.events import BatchRefused, Receipt, TryLater

MAX_REASON = 300
BUSY = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})

KEY_REMEDY = (
    "Check WHYOPS_API_KEY: it must be a living key of an active project. Events recorded under another key wait apart; "
    "`whyops status` lists them, and `whyops deliver --from FOLDER` sends them with the present key."
)
URL_REMEDY = "Check WHYOPS_ANALYSE_BASE_URL: what answers there is not the WhyOps service."


class Answer(NamedTuple):
    """What came back for a request. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def judge(answer: Answer, count: int, now: datetime) -> Receipt | TryLater | BatchRefused:
    """Tell what an answer to `count` events means.

    `now` is the time of day, against which the answer's own times are read.
    """
    if answer.status == HTTPStatus.CREATED and _says_saved_of_all(answer.body, count):
        return Receipt(stored=count)
    body = _json(answer.body)
    reason = f"{answer.status} {_message(body)}".rstrip()
    match answer.status:
        case 200 | 201 | 202:
            return _accepted(answer.status, body, count)
        case 400 | 409 | 413 | 422:
            return BatchRefused(reason, indexes=_indexes(body, count))
        case 401 | 403:
            return TryLater(f"the service refuses the API key ({reason})", remedy=KEY_REMEDY, kind="key")
        case 500:
            return BatchRefused(reason, perhaps_passing=True)
        case status if status in BUSY or status > HTTPStatus.INTERNAL_SERVER_ERROR:
            return TryLater(f"the service answers {reason}", after=_asked(answer.headers, body, now), kind="busy")
        case _:
            return TryLater(f"the answer is {reason}", remedy=URL_REMEDY, kind="url")


def _says_saved_of_all(body: bytes, count: int) -> bool:
    """Tell whether a list of results says of each event that it was saved, as nearly all lists do; False if that takes a parser to see.

    The quotes of a member can't be part of a text, where JSON escapes them: so each of these stands for one event.
    """
    return body.startswith(b"[") and body.endswith(b"]") and body.count(b'"status":"saved"') == count


def _accepted(status: int, body: object, count: int) -> Receipt | TryLater:
    results = body if isinstance(body, list) else [body] if isinstance(body, dict) else None
    if results is None:
        return TryLater(f"the answer {status} is not the service's", remedy=URL_REMEDY, kind="url")
    sampled = [result for result in results if isinstance(result, dict) and result.get("status") == "sampled_out"]
    if not sampled:
        return Receipt(stored=count)
    return Receipt(stored=max(0, count - len(sampled)), sampled_out=len(sampled), sampled_out_reason=_text(sampled[0].get("message")))


def _json(body: bytes) -> object:
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value


def _message(body: object) -> str:
    """Return what the service says about a refusal, on one line."""
    if not isinstance(body, dict):
        return ""
    parts = []
    for name in ("error", "message"):
        value = body.get(name)
        parts.append(_text(value.get("message") if isinstance(value, dict) else value))
    parts += [f"{_text(detail.get('field'))}: {_text(detail.get('message'))}".strip(": ") for detail in _details(body)[:3]]
    return " - ".join(dict.fromkeys(part for part in parts if part))[:MAX_REASON]


def _text(value: object) -> str:
    return " ".join(value.split())[:MAX_REASON] if isinstance(value, str) else ""


def _details(body: object) -> list[dict[str, object]]:
    details = body.get("details") if isinstance(body, dict) else None
    return [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []


def _indexes(body: object, count: int) -> list[int]:
    """Return which events a refusal names, as in `"field": "1.timestamp"`."""
    found = set()
    for detail in _details(body):
        head = _text(detail.get("field")).partition(".")[0]
        if head.isascii() and head.isdigit() and int(head) < count:
            found.add(int(head))
    return sorted(found)


def _asked(headers: Mapping[str, str], body: object, now: datetime) -> float | None:
    """Return for how many seconds the service asks to be left alone, as seconds or as a time, in a header or in the body."""
    told = [headers.get("retry-after"), body.get("retryAfter") if isinstance(body, dict) else None]
    for value in (*told, headers.get("x-ratelimit-reset")):
        seconds = _seconds(value, now)
        if seconds is not None:
            return seconds
    return None


def _seconds(value: object, now: datetime) -> float | None:
    if isinstance(value, (int, float)):
        return max(0.0, float(value))
    if not isinstance(value, str):
        return None
    if value.strip().isdigit():
        return float(value)
    for parse in (parsedate_to_datetime, _iso):
        try:
            moment = parse(value)
        except (ValueError, TypeError, IndexError):
            continue
        aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        return max(0.0, (aware - now).total_seconds())
    return None


def _iso(value: str) -> datetime:
    return datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
