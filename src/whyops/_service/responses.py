"""What an answer of the service means: done, again later, or something in it is refused. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from json.encoder import encode_basestring_ascii as _quote

from .._http.answer import Answer, described, details_of, json_of, message_of, quoted
from .._wire.read import decode
from ..events import BatchRejected, Receipt, Refusal, RetryLater

SAMPLED_OUT = "sampled_out"
KNOWN = frozenset({"saved", "skipped", SAMPLED_OUT})
_IDS = {"idempotencyKey": b'"idempotencyKey":', "traceId": b'"traceId":', "spanId": b'"spanId":'}
_SPAN = b'"spanId":"'
_LOOKED_AT = 32

KEY_REMEDY = (
    "Check WHYOPS_API_KEY: it must be a living key of an active project. Events recorded under another key wait apart; "
    "`whyops status` lists them, and `whyops deliver --from FOLDER` sends them with the present key."
)
URL_REMEDY = "Check WHYOPS_ANALYSE_BASE_URL: what answers there is not the WhyOps service."


def judge(answer: Answer, lines: Sequence[bytes], now: datetime) -> Receipt | RetryLater | BatchRejected:
    """Tell what an answer to these lines means. Settled is only what it settles, event by event or by their number.

    `now` is the time of day, against which the answer's own times are read. What is quoted of the answer is printable and short.
    """
    if answer.status == 201 and _says_saved_of_all(answer.body, lines):
        return Receipt(stored=len(lines))
    body = json_of(answer.body)
    reason = f"{answer.status} {message_of(body)}".rstrip()
    match answer.status:
        case 200 | 201 | 202:
            return _accepted(answer, body, lines)
        case 400 | 409 | 422:
            return BatchRejected(reason, indexes=_indexes(body, len(lines)), perhaps_passing=not _is_refusal(body))
        case 413:
            return BatchRejected(reason)
        case 401 | 403:
            return RetryLater(f"the service refuses the API key ({reason})", remedy=KEY_REMEDY, kind="key")
        case 500:
            return BatchRejected(reason, perhaps_passing=True)
        case status if status in {408, 425, 429} or status > 500:
            return RetryLater(f"the service answers {reason}", after=_asked(answer.headers, body, now), kind="busy")
        case _:
            return no_answer(answer)


def no_answer(answer: Answer, asked: str = "events") -> RetryLater:
    """Return why nothing is settled by an answer that the service does not give to what was `asked`."""
    reason = f"the answer {answer.status} is not one to {asked}: {described(answer, json_of(answer.body))}"
    return RetryLater(reason, remedy=URL_REMEDY, kind="url")


# --- 2xx: what is settled ----------------------------------------------------------------------------


def _says_saved_of_all(body: bytes, lines: Sequence[bytes]) -> bool:
    """Tell whether a list says of each event that it was saved, as nearly all lists do; False if that takes a parser to see.

    The quotes of a member can't be part of a text, where JSON escapes them: so each of these stands for one event. That they are these
    events is seen from their spans, in order; of many, some are looked at: an answer to another request has none of them.
    """
    count = len(lines)
    is_list = body.startswith(b"[{") and body.endswith(b"}]") and body.count(b"},{") == count - 1
    if not (is_list and count == body.count(b'"status":"saved"') == body.count(b"{")):
        return False
    position = 0
    for line in lines[:: count // _LOOKED_AT + 1] if _SPAN in body else ():
        start = line.find(_SPAN, 0, line.find(b',"content":'))
        if start >= 0:
            position = body.find(line[start : line.find(b'"', start + len(_SPAN)) + 1], position)
        if position < 0 or (start < 0 and _SPAN in line):
            return False
    return True


def _accepted(answer: Answer, body: object, lines: Sequence[bytes]) -> Receipt | RetryLater:
    match body:
        case {"success": False}:
            return no_answer(answer)
        case {"accepted": accepted, "queuedCount": int(queued)} if accepted:
            if queued == len(lines) and queued is not True:
                return Receipt(stored=queued)
            return RetryLater(f"the service's queue took {str(queued)[:20]} of {len(lines)} events", remedy=URL_REMEDY, kind="queue")
        case {"status": status} if len(lines) == 1 and _is_known(status):
            body = [body]
    if not isinstance(body, list) or not lines:
        return no_answer(answer)
    results = [result if isinstance(result, dict) else {} for result in body]
    found = (
        [result if _may_be_of(result, line) else {} for result, line in zip(results, lines, strict=True)]
        if len(results) == len(lines)  # in order; empty where one names another event
        else _by_id(results, lines)
    )
    is_of_one = not results and len(lines) == 1  # which may be left out for what it is, and must not hold up all others for good
    return _receipt(found) if is_of_one or any(map(_is_result, found)) else no_answer(answer, f"{len(lines)} events")


def _receipt(results: Sequence[Mapping[str, object]]) -> Receipt:
    """Count what the results say, one for each event."""
    statuses = [result.get("status") for result in results]
    unsettled = tuple(
        Refusal(
            index, f"the answer's status {quoted(status)!r} is not known" if isinstance(status, str) else "the answer says nothing of it"
        )
        for index, status in enumerate(statuses)
        if not _is_known(status)
    )
    sampled_out = statuses.count(SAMPLED_OUT)
    reason = quoted(results[statuses.index(SAMPLED_OUT)].get("message")) if sampled_out else ""
    return Receipt(len(results) - len(unsettled) - sampled_out, sampled_out, reason, unsettled=unsettled)


def _is_result(result: Mapping[str, object]) -> bool:
    """Tell whether this is what the service says of an event, also where it has a word for it that is not known here."""
    status = result.get("status")
    return _is_known(status) or (isinstance(status, str) and not result.keys().isdisjoint({"spanId", "stepId"}))


def _is_known(status: object) -> bool:
    return isinstance(status, str) and status in KNOWN


def _may_be_of(result: Mapping[str, object], line: bytes) -> bool:
    """Tell whether a result names no other event. One that was skipped is told with the ids of the first that had its key."""
    if result.get("status") == "skipped":
        return True
    told = {name: value for name in _IDS if isinstance(value := result.get(name), str)}
    if all(_IDS[name] + _quote(value).encode() in line or _IDS[name] not in line for name, value in told.items()):
        return True
    event = decode(line) or {}  # it may be written otherwise there, or stand in the contents
    return all(event.get(name, value) == value for name, value in told.items())


def _by_id(results: Sequence[dict[str, object]], lines: Sequence[bytes]) -> list[dict[str, object]]:
    """Return a result for each event, an empty one where there is none for it, or not as many as there are events of that name."""
    found: list[dict[str, object]] = [{} for _ in lines]
    events = [decode(line) or {} for line in lines]
    for name in ("spanId", "idempotencyKey"):
        theirs = _by_name(results, name)
        for value, indexes in _by_name(events, name).items():
            if len(theirs.get(value, ())) == len(indexes):
                for index, their in zip(indexes, theirs[value], strict=True):
                    found[index] = results[their]
    return found


def _by_name(values: Sequence[Mapping[str, object]], name: str) -> dict[str, list[int]]:
    indexes: dict[str, list[int]] = {}
    for index, value in enumerate(values):
        if isinstance(told := value.get(name), str):
            indexes.setdefault(told, []).append(index)
    return indexes


# --- refusals, and being asked to wait ---------------------------------------------------------------


def _is_refusal(body: object) -> bool:
    """Tell whether a refusal has the service's form: what else stands in between may refuse all that there is, for a while."""
    return isinstance(body, dict) and not body.keys().isdisjoint({"error", "details"})


def _indexes(body: object, count: int) -> list[int]:
    """Return which events a refusal names, as in `"field": "1.timestamp"`."""
    heads = [quoted(detail.get("field")).partition(".")[0] for detail in details_of(body)]
    return sorted({int(head) for head in heads if head.isascii() and head.isdigit() and int(head) < count})


def _asked(headers: Mapping[str, str], body: object, now: datetime) -> float | None:
    """Return for how many seconds the service asks to be left alone, as seconds or as a time, in a header or in the body."""
    in_body = body.get("retryAfter") if isinstance(body, dict) else None
    told = (_seconds(value, now) for value in (headers.get("retry-after"), in_body, headers.get("x-ratelimit-reset")))
    return next((seconds for seconds in told if seconds is not None), None)


def _seconds(value: object, now: datetime) -> float | None:
    if not isinstance(value, (int, float, str)):
        return None
    try:
        is_number = not isinstance(value, str) or value.strip().isdecimal()
        seconds = float(value) if is_number else _timestamp(str(value)) - now.timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _timestamp(value: str) -> float:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        moment = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
