"""What an answer of the service means: done, again later, or something in it is refused. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from json.encoder import encode_basestring_ascii as _quote

from .._http.answer import Answer, described, details_of, json_of, message_of, quoted
from ..events import BatchRejected, Receipt, Refusal, RetryLater
from .session import Session

BUSY = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
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
    if answer.status == HTTPStatus.CREATED and _says_saved_of_all(answer.body, lines):
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
        case status if status in BUSY or status > HTTPStatus.INTERNAL_SERVER_ERROR:
            return RetryLater(f"the service answers {reason}", after=_asked(answer.headers, body, now), kind="busy")
        case _:
            return no_answer(answer)


def judge_now(answer: Answer, session: Session, lines: Sequence[bytes] = ()) -> Receipt | RetryLater | BatchRejected:
    """Tell what an answer that came just now means, without the key, should it quote that.

    Without its database the service refuses every key: it is asked about that before a refusal is believed.
    """
    outcome = judge(answer, lines, datetime.fromtimestamp(session.clock.wall(), timezone.utc))
    if isinstance(outcome, Receipt):
        unsettled = tuple(one._replace(reason=session.without_key(one.reason)) for one in outcome.unsettled)
        return outcome._replace(sampled_out_reason=session.without_key(outcome.sampled_out_reason), unsettled=unsettled)
    if isinstance(outcome, RetryLater) and outcome.kind == "key" and session.has_lost_its_database():
        return RetryLater(f"the service can't reach its database, and so can't look the key up ({answer.status})", kind="busy")
    _hide_key(outcome, session)
    return outcome


def no_answer_now(answer: Answer, session: Session, asked: str) -> RetryLater:
    """Return why nothing is settled by an answer that is none to what was `asked`, without the key."""
    later = no_answer(answer, asked)
    _hide_key(later, session)
    return later


def _hide_key(outcome: RetryLater | BatchRejected, session: Session) -> None:
    outcome.reason = session.without_key(outcome.reason)
    outcome.args = (outcome.reason,)


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
    if not (body.startswith(b"[{") and body.endswith(b"}]") and count == body.count(b'"status":"saved"') == body.count(b"{")):
        return False
    if body.count(b"},{") != count - 1:
        return False
    position = 0
    for line in lines[:: count // _LOOKED_AT + 1] if b'"spanId":"' in body else ():
        start = line.find(_SPAN, 0, line.find(b',"content":'))
        if start >= 0:
            position = body.find(line[start : line.find(b'"', start + len(_SPAN)) + 1], position)
        if position < 0 or (start < 0 and _SPAN in line):
            return False
    return True


def _accepted(answer: Answer, body: object, lines: Sequence[bytes]) -> Receipt | RetryLater:
    if isinstance(body, dict) and body.get("success") is False:
        return no_answer(answer)
    if isinstance(body, dict) and body.get("accepted") and isinstance(body.get("queuedCount"), int):
        queued = body["queuedCount"]
        if queued == len(lines) and queued is not True:
            return Receipt(stored=0, accepted=queued)
        return RetryLater(f"the service's queue took {str(queued)[:20]} of {len(lines)} events", remedy=URL_REMEDY, kind="queue")
    if isinstance(body, dict) and len(lines) == 1 and _is_known(body.get("status")):
        body = [body]
    if not isinstance(body, list) or not lines:
        return no_answer(answer)
    results = [result if isinstance(result, dict) else {} for result in body]
    if len(results) == len(lines):  # in order; empty where one names another event
        found = [result if _may_be_of(result, line) else {} for result, line in zip(results, lines, strict=True)]
    else:
        found = _by_id(results, lines)
    is_of_one = not results and len(lines) == 1  # which may be left out for what it is, and must not hold up all others for good
    return _receipt(found) if is_of_one or any(map(_is_result, found)) else no_answer(answer, f"{len(lines)} events")


def _receipt(results: Sequence[Mapping[str, object]]) -> Receipt:
    """Count what the results say, one for each event."""
    stored, sampled_out, unsettled = 0, 0, []
    reason: object = None
    for index, result in enumerate(results):
        status = result.get("status")
        if status == SAMPLED_OUT:
            reason = result.get("message") if sampled_out == 0 else reason
            sampled_out += 1
        elif _is_known(status):
            stored += 1
        else:
            said = f"the answer's status {quoted(status)!r} is not known" if isinstance(status, str) else "the answer says nothing of it"
            unsettled.append(Refusal(index, said))
    return Receipt(stored, sampled_out, quoted(reason), unsettled=tuple(unsettled))


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
    for name, value in told.items():
        if _IDS[name] + _quote(value).encode() not in line and _IDS[name] in line:  # written otherwise, in the contents, or another's
            event = _event(line)
            return all(event.get(name, value) == value for name, value in told.items())
    return True


def _by_id(results: Sequence[dict[str, object]], lines: Sequence[bytes]) -> list[dict[str, object]]:
    """Return a result for each event, an empty one where there is none for it, or not as many as there are events of that name."""
    found: list[dict[str, object]] = [{} for _ in lines]
    events = [_event(line) for line in lines]
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


def _event(line: bytes) -> dict[str, object]:
    event = json_of(line)
    return event if isinstance(event, dict) else {}


# --- refusals, and being asked to wait ---------------------------------------------------------------


def _is_refusal(body: object) -> bool:
    """Tell whether a refusal has the service's form: what else stands in between may refuse all that there is, for a while."""
    return isinstance(body, dict) and not body.keys().isdisjoint({"error", "details"})


def _indexes(body: object, count: int) -> list[int]:
    """Return which events a refusal names, as in `"field": "1.timestamp"`."""
    found = set()
    for detail in details_of(body):
        head = quoted(detail.get("field")).partition(".")[0]
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
    try:
        if isinstance(value, (int, float)) or (isinstance(value, str) and value.strip().isdecimal()):
            seconds = float(value)
        elif isinstance(value, str):
            moment = _moment(value)
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp() - now.timestamp()
        else:
            return None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _moment(value: str) -> datetime:
    try:
        return parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
