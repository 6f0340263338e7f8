"""What all requests to the service have in common: the connection, the key, and a moment beyond which none of them lasts."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from .._http.answer import Answer, json_of
from .._http.channel import Request, Unreachable
from .._http.transport import open_channel
from .._printable import without_secret
from .._runtime.clock import CLOCK, Clock
from ..events import RetryLater
from .questions import DISCONNECTED

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS = 30.0
LEAST_SECONDS = 0.05


class Session:
    """Asks the service at `url`, in the name of an agent. `transport` carries the requests in place of a connection of our own."""

    def __init__(
        self, url: str, api_key: str, agent_name: str, *, transport: httpx.BaseTransport | None = None, clock: Clock = CLOCK
    ) -> None:
        self.url = url.rstrip("/")
        self.deadline: float | None = None
        self.clock = clock
        self._api_key = api_key
        self._channel = open_channel(transport)
        self._asking = {"Authorization": f"Bearer {api_key}", "User-Agent": "whyops-python"}
        named = agent_name.encode("utf-8").decode("latin-1")
        self._posting = {**self._asking, "X-Agent-Name": named, "Content-Type": "application/json"}

    def post(self, path: str, body: bytes, *, base: str | None = None) -> Answer:
        """Post JSON to a path of the service's, or of the server at `base`.

        Raises:
            RetryLater: no answer came.
        """
        return self._exchange("POST", f"{base or self.url}{path}", self._posting, body)

    def get(self, path: str) -> Answer:
        """Ask for a path of the service's.

        Raises:
            RetryLater: no answer came.
        """
        return self._exchange("GET", f"{self.url}{path}", self._asking, None)

    def has_lost_its_database(self) -> bool:
        """Tell whether the service says so: it then refuses each key, because it can't look it up."""
        try:
            health = json_of(self.get("/health").body)
        except RetryLater:
            return False
        return isinstance(health, dict) and health.get("database") == DISCONNECTED

    def is_ready(self) -> bool:
        """Tell whether the service can do what it is asked, or is one that has no answer to this question."""
        try:
            return self.get("/health/ready").status in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}
        except RetryLater:
            return False

    def without_key(self, text: str) -> str:
        """Hide the key, should an answer quote it."""
        return without_secret(text, self._api_key)

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        left = TIMEOUT_SECONDS if self.deadline is None else self.deadline - self.clock.monotonic()
        timeout = max(LEAST_SECONDS, min(TIMEOUT_SECONDS, left))
        try:
            return self._channel.exchange(Request(method, url, headers, body, timeout))
        except Unreachable as error:
            raise RetryLater(f"it can't be reached ({error})", kind="unreachable") from None
