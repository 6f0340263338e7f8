"""What the service holds, for those who look at it with a key."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlencode

from .._http.answer import described, json_of
from .._http.channel import MAX_ANSWER_BYTES, Channel, Request, Unreachable
from .._http.transport import open_channel
from .._printable import without_secret
from .._wire.read import event_of_trace
from ..errors import ServiceError

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS = 10.0
PAGE_SECONDS = 20.0
PAGE = 200
PAGE_BYTES = 8 * MAX_ANSWER_BYTES
"""A page is 200 events with their contents: 640 kB for each."""
_MOST_PAGES = 500


class Reply(NamedTuple):
    """What came back for a question: the status, the headers with names in lower case, and the JSON object in the body.

    `body` is empty where something else came; `came` says what, in words that may be shown.
    """

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, object]
    came: str


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
        """Return a trace's events, oldest first; none for an id of which the service says that it has none.

        Raises:
            ServiceError: It can't be asked, or what answers is not the service.
        """
        found: dict[str, dict[str, object]] = {}
        with closing(open_channel(self.transport)) as channel:
            for page in range(1, _MOST_PAGES):
                events = self._page(channel, trace_id, page)
                new = {str(event.get("id", (page, index))): event for index, event in enumerate(events)}
                is_last = len(events) < PAGE or new.keys() <= found.keys()
                found.update(new)
                if is_last:
                    break
        return list(reversed(found.values()))

    def agent(self, name: str) -> Agent | None:
        """Return the agent of this name, if the service has one.

        Raises:
            ServiceError: It can't be asked, or what answers is not the service.
        """
        with closing(open_channel(self.transport)) as channel:
            agents = self._listed(self._checked(self._get(channel, "/entities", {"count": 100})), "agents")
            found = next((one for one in agents if one.get("name") == name), None)
            if found is None:
                return None
            agent_id = str(found.get("id"))
            reply = self._get(channel, f"/entities/{quote(agent_id, safe='')}/sampling-rate")
            rate = self._checked(reply).body.get("samplingRate") if reply.status != 404 else None
        return Agent(agent_id, name, float(rate) if isinstance(rate, (int, float)) else None)

    def ask(self, path: str, query: Mapping[str, str | int] | None = None) -> Reply:
        """Return what the service answers, whatever its status.

        Raises:
            ServiceError: No answer came.
        """
        with closing(open_channel(self.transport)) as channel:
            return self._get(channel, path, query)

    def _page(self, channel: Channel, trace_id: str, page: int) -> list[dict[str, object]]:
        query = {"limit": PAGE, "page": page, "offset": (page - 1) * PAGE}  # both ways that the service has had to ask for one
        reply = self._checked(self._get(channel, "/events", {"traceId": trace_id, "include": "content,metadata", **query}, large=True))
        events = [event for given in self._listed(reply, "events") if (event := event_of_trace(given, trace_id)) is not None]
        if len(events) < len(self._listed(reply, "events")):
            raise self._no_answer(reply, ", with what is no event of this trace")
        return events

    def _listed(self, reply: Reply, name: str) -> list[dict[str, object]]:
        """Return the list of objects that an answer holds under a name."""
        listed = reply.body.get(name)
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise self._no_answer(reply)
        return listed

    def _checked(self, reply: Reply) -> Reply:
        if reply.status in {401, 403}:
            raise ServiceError(f"The service at {self.analyse_url} refuses the API key ({reply.status}). Check WHYOPS_API_KEY.")
        if reply.status // 100 in {3, 4}:
            raise self._no_answer(reply)
        if reply.status != 200:
            raise ServiceError(f"The service at {self.analyse_url} answers {reply.status}. `whyops doctor` looks into it.")
        return reply

    def _no_answer(self, reply: Reply, why: str = "") -> ServiceError:
        return ServiceError(
            f"What answers at {self.analyse_url} is not the WhyOps service, or has no answer to this ({reply.status}: {reply.came}{why}). "
            "Check WHYOPS_ANALYSE_BASE_URL; `whyops doctor` looks into it."
        )

    def _get(self, channel: Channel, path: str, query: Mapping[str, str | int] | None = None, *, large: bool = False) -> Reply:
        timeout, most = (PAGE_SECONDS, PAGE_BYTES) if large else (TIMEOUT_SECONDS, MAX_ANSWER_BYTES)
        url = f"{self.analyse_url}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {self.api_key}", "User-Agent": "whyops-python"}
        try:
            answer = channel.exchange(Request("GET", url, headers, None, timeout, most))
        except Unreachable as error:
            raise ServiceError(f"The service at {self.analyse_url} can't be asked: {error}.") from None
        body = json_of(answer.body)
        return Reply(
            answer.status, answer.headers, body if isinstance(body, dict) else {}, without_secret(described(answer, body), self.api_key)
        )
