"""What the service holds, for those who look at it with a key."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from whyops.errors import ServiceError

if TYPE_CHECKING:
    import httpx

__all__ = ["Agent", "Reply", "ServiceReader"]

TIMEOUT_SECONDS = 10.0
PAGE = 200
_MOST_PAGES = 500


@dataclass(frozen=True)
class Reply:
    """What came back for a question: the status, the headers with names in lower case, and the JSON in the body."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, object]


@dataclass(frozen=True)
class Agent:
    """An agent as the service knows it. `sampling_rate` is the share of its traces that is kept, from 0 to 1."""

    agent_id: str
    name: str
    sampling_rate: float | None


@dataclass(frozen=True)
class ServiceReader:
    """Asks a service, and changes nothing there. `transport` carries the requests in place of a connection of our own."""

    analyse_url: str
    api_key: str = field(repr=False)
    transport: httpx.BaseTransport | None = field(default=None, repr=False)

    def events(self, trace_id: str) -> list[dict[str, object]]:
        """Return a trace's events, oldest first; none for an unknown id.

        Raises:
            ServiceError: It can't be asked.
        """
        found: dict[object, dict[str, object]] = {}
        with self._client() as client:
            for page in range(1, _MOST_PAGES):
                listed = self._answered(client, "/events", _page_of(trace_id, page)).body.get("events")
                events = [event for event in listed if isinstance(event, dict)] if isinstance(listed, list) else []
                new = {event.get("id", (page, index)): event for index, event in enumerate(events)}
                if not new.keys() - found.keys():
                    break
                found.update(new)
                if len(events) < PAGE:
                    break
        return [{"traceId": trace_id, **_given(event)} for event in reversed(found.values())]

    def agent(self, name: str) -> Agent | None:
        """Return the agent of this name, if the service has one.

        Raises:
            ServiceError: It can't be asked.
        """
        with self._client() as client:
            listed = self._answered(client, "/entities", {"count": 100}).body.get("agents")
            agents = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
            found = next((one for one in agents if one.get("name") == name), None)
            if found is None:
                return None
            agent_id = str(found.get("id"))
            rate = self._answered(client, f"/entities/{agent_id}/sampling-rate", {}).body.get("samplingRate")
        return Agent(agent_id, name, float(rate) if isinstance(rate, (int, float)) else None)

    def ask(self, path: str, query: Mapping[str, str | int] | None = None) -> Reply:
        """Return what the service answers, whatever its status.

        Raises:
            ServiceError: No answer came.
        """
        with self._client() as client:
            return self._get(client, path, query or {})

    @contextlib.contextmanager
    def _client(self) -> Iterator[httpx.Client]:
        import httpx  # noqa: PLC0415 -- whoever only records never needs it

        headers = {"Authorization": f"Bearer {self.api_key}"}
        with _unlogged(), httpx.Client(timeout=TIMEOUT_SECONDS, transport=self.transport, headers=headers) as client:
            yield client

    def _answered(self, client: httpx.Client, path: str, query: Mapping[str, str | int]) -> Reply:
        reply = self._get(client, path, query)
        if reply.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise ServiceError(f"The service at {self.analyse_url} refuses the API key ({reply.status}). Check WHYOPS_API_KEY.")
        if reply.status == HTTPStatus.NOT_FOUND:
            return Reply(reply.status, reply.headers, {})
        if reply.status != HTTPStatus.OK:
            raise ServiceError(f"The service at {self.analyse_url} answers {reply.status}. `whyops doctor` looks into it.")
        return reply

    def _get(self, client: httpx.Client, path: str, query: Mapping[str, str | int]) -> Reply:
        import httpx  # noqa: PLC0415 -- as above

        try:
            answer = client.get(self.analyse_url + path, params=dict(query))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ServiceError(f"The service at {self.analyse_url} can't be asked ({str(error) or type(error).__name__}).") from None
        return Reply(answer.status_code, dict(answer.headers), _object(answer.content))


@contextlib.contextmanager
def _unlogged() -> Iterator[None]:
    """Keep what httpx says about our requests out of the user's log."""
    thread = threading.get_ident()

    def is_anothers(record: logging.LogRecord) -> bool:
        return record.thread != thread

    logger = logging.getLogger("httpx")
    logger.addFilter(is_anothers)
    try:
        yield
    finally:
        logger.removeFilter(is_anothers)


def _object(content: bytes) -> Mapping[str, object]:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _page_of(trace_id: str, page: int) -> dict[str, str | int]:
    """Ask for a page in both ways that the service has had."""
    return {"traceId": trace_id, "include": "content,metadata", "limit": PAGE, "page": page, "offset": (page - 1) * PAGE}


def _given(event: Mapping[str, object]) -> dict[str, object]:
    """Return an event without what the service says by null."""
    return {name: value for name, value in event.items() if value is not None or name == "content"}
