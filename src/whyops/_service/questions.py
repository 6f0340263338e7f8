"""Questions to a service over one connection, and what its answers mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlencode

from .._http.answer import described, json_of
from .._http.channel import MAX_ANSWER_BYTES, Channel, Request, Unreachable
from .._printable import without_secret
from ..errors import ServiceError

TIMEOUT_SECONDS = 10.0
PAGE_SECONDS = 20.0
PAGE_BYTES = 8 * MAX_ANSWER_BYTES
"""A page is 200 events with their contents: 640 kB for each."""
REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
CONNECTED, DISCONNECTED = "connected", "disconnected"
"""What the service calls the states of its database."""

Query = Mapping[str, "str | int"]


class Reply(NamedTuple):
    """What came back for a question: the status, the headers with names in lower case, and the JSON object in the body.

    `body` is empty where something else came; `came` says what, in words that may be shown.
    """

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, object]
    came: str


@dataclass(frozen=True)
class Questions:
    """Asks a service in the name of a key."""

    url: str
    api_key: str = field(repr=False)
    channel: Channel = field(repr=False)

    def reply(
        self, path: str, query: Query | None = None, *, large: bool = False, change: tuple[str, Mapping[str, object]] | None = None
    ) -> Reply:
        """Return what the service answers, whatever its status; to a `change`, if there is one: a method, and what is sent with it.

        Raises:
            ServiceError: No answer came.
        """
        method, body = ("GET", None) if change is None else (change[0], json.dumps(change[1]).encode())
        timeout, most = (PAGE_SECONDS, PAGE_BYTES) if large else (TIMEOUT_SECONDS, MAX_ANSWER_BYTES)
        url = f"{self.url}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {self.api_key}", "User-Agent": "whyops-python"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            answer = self.channel.exchange(Request(method, url, headers, body, timeout, most))
        except Unreachable as error:
            raise ServiceError(f"The service at {self.url} can't be asked: {error}.") from None
        told = json_of(answer.body)
        came = without_secret(described(answer, told), self.api_key)
        return Reply(answer.status, answer.headers, told if isinstance(told, dict) else {}, came)

    def told(
        self, path: str, query: Query | None = None, *, large: bool = False, change: tuple[str, Mapping[str, object]] | None = None
    ) -> Reply:
        """Return an answer of the service's that has what was asked for.

        Raises:
            ServiceError: None came, or what answers is not the service, or it refuses to answer.
        """
        reply = self.reply(path, query, large=large, change=change)
        if reply.status in REFUSED:
            raise ServiceError(self._refusal(reply))
        if reply.status // 100 in {3, 4}:
            raise self.no_answer(reply)
        if reply.status != HTTPStatus.OK:
            raise ServiceError(f"The service at {self.url} answers {reply.status}. `whyops doctor` looks into it.")
        return reply

    def listed(self, reply: Reply, name: str) -> list[dict[str, object]]:
        """Return the list of objects that an answer holds under a name.

        Raises:
            ServiceError: It holds none.
        """
        listed = reply.body.get(name)
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise self.no_answer(reply)
        return listed

    def no_answer(self, reply: Reply, why: str = "") -> ServiceError:
        """Return the error that says that this is no answer to the question."""
        return ServiceError(
            f"What answers at {self.url} is not the WhyOps service, or has no answer to this ({reply.status}: {reply.came}{why}). "
            "Check WHYOPS_ANALYSE_BASE_URL; `whyops doctor` looks into it."
        )

    def database(self) -> str:
        """Return the state of the service's database in the service's own word; nothing, if it does not say."""
        try:
            state = self.reply("/health").body.get("database")
        except ServiceError:
            return ""
        return state if isinstance(state, str) else ""

    def _refusal(self, reply: Reply) -> str:
        """Say why a key is refused: without its database the service refuses each."""
        if self.database() == DISCONNECTED:
            return (
                f"The service at {self.url} can't reach its database, and so can't look the API key up ({reply.status}). "
                "That is no fault of the key: try again later."
            )
        return f"The service at {self.url} refuses the API key ({reply.status}). Check WHYOPS_API_KEY."


def total_in(reply: Reply) -> int | None:
    """Return how many there are of what an answer shows a page of, if it says so."""
    pages = reply.body.get("pagination")
    total = pages.get("total") if isinstance(pages, dict) else None
    return total if isinstance(total, int) else None


def has_more(body: Mapping[str, object]) -> bool:
    """Tell whether an answer says that there is another page."""
    pages = body.get("pagination")
    return isinstance(pages, dict) and pages.get("hasMore") is True
