"""An answer, and what can be said of it where somebody else wrote it: printable, short, and nothing of its contents but its errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from .._printable import shortened, without_password

MAX_REASON = 300
_MAX_NAME = 40
_MAX_NAMES = 5


class Answer(NamedTuple):
    """What came back for a request, whole. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def json_of(body: bytes) -> object:
    """Return the JSON value that a body is, or None if it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def described(answer: Answer, body: object) -> str:
    """Say what came. `body` is the JSON value in it."""
    if answer.status // 100 == 3:
        return f"a redirection to {_host(answer.headers.get('location', ''))}, which is not followed"
    if isinstance(body, dict):
        names = ", ".join(shortened(name, _MAX_NAME) for name in list(body)[:_MAX_NAMES])
        told = message_of(body)
        return f"an object that holds {names or 'nothing'}" + (f", and says: {told}" if told else "")
    if isinstance(body, list):
        return f"a list of {len(body)}"
    text = answer.body[: 2 * _MAX_NAME].strip()
    if body is None and text != b"null":
        return "a page for a browser" if text.startswith(b"<") else "something that is no JSON" if text else "nothing"
    return shortened(text.decode(errors="replace"), _MAX_NAME)


def message_of(body: object) -> str:
    """Return what the service says about a refusal, on one line."""
    if not isinstance(body, dict):
        return ""
    said = (body.get("error"), body.get("message"))
    parts = [quoted(value.get("message") if isinstance(value, dict) else value) for value in said]
    parts += [f"{quoted(detail.get('field'))}: {quoted(detail.get('message'))}".strip(": ") for detail in details_of(body)[:3]]
    return " - ".join(dict.fromkeys(part for part in parts if part))[:MAX_REASON]


def details_of(body: object) -> list[dict[str, object]]:
    """Return the details of a refusal, `{"field", "message"}` each."""
    details = body.get("details") if isinstance(body, dict) else None
    return [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []


def quoted(value: object) -> str:
    """Return a text of the answer's on one line, or nothing where it is none."""
    return shortened(" ".join(value[: 4 * MAX_REASON].split()), MAX_REASON) if isinstance(value, str) else ""


def _host(url: str) -> str:
    """Return scheme and host of an address: what comes behind may be secret."""
    parts = without_password(url).split("/", 3)
    return shortened("/".join(parts[:3]), 2 * _MAX_NAME) if url.startswith(("https://", "http://")) else "another path"
