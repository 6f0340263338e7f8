"""The sink that is the WhyOps service."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from .._runtime.clock import CLOCK, Clock
from .._wire.line import with_whole_messages
from ..events import BatchRejected, Receipt, RetryLater
from ..types import AgentInfo
from .introduction import Alone, Introduction
from .responses import judge_now
from .session import Session

if TYPE_CHECKING:
    import httpx

EVENTS = "/events"
"""Takes events at once and answers for each of them, whether the service has a queue or not."""

QUEUE = "/events/ingest"
"""Takes events into a queue, if the service has one; it is all that older services have."""


class HttpSink:
    """Posts events to the service, after it has made the agent known to it.

    With `agent_metadata` the agent is described with them; without, or with `if_unknown`, only if the service does not know it. The key is
    in no repr, message or exception. The other arguments are those of `Session` and `Introduction`.
    """

    def __init__(
        self,
        *,
        analyse_base_url: str,
        proxy_base_url: str,
        api_key: str,
        agent_name: str,
        agent_metadata: Mapping[str, object] | None,
        if_unknown: bool = False,
        alone: Alone = contextlib.nullcontext,
        transport: httpx.BaseTransport | None = None,
        clock: Clock = CLOCK,
    ) -> None:
        self._session = Session(analyse_base_url, api_key, agent_name, transport=transport, clock=clock)
        self._agent_name = agent_name
        self._route = EVENTS
        self._introduction = Introduction(
            self._session,
            agent_name,
            agent_metadata,
            if_unknown=if_unknown or agent_metadata is None,
            proxy_url=proxy_base_url,
            alone=alone,
        )

    def __repr__(self) -> str:
        return f"<HttpSink {self._session.url} for agent {self._agent_name!r}>"

    def hurry(self, deadline: float | None) -> None:
        """Let no request last beyond this moment (monotonic); None takes the limit away."""
        self._session.deadline = deadline

    def send(self, lines: Sequence[bytes]) -> Receipt:
        """Post the lines as one array, and read what became of each.

        Raises:
            RetryLater: the service can't be reached, or asks for time, or refuses the key; or what answers is not the service.
            BatchRejected: it refuses at least one of them.
        """
        self._introduction.before_events()
        body = b"[%b]" % b",".join(map(with_whole_messages, lines))
        answer = self._session.post(self._route, body)
        if answer.status == HTTPStatus.NOT_FOUND and self._route == EVENTS:
            queued = self._session.post(QUEUE, body)
            if queued.status != HTTPStatus.NOT_FOUND:
                answer, self._route = queued, QUEUE
        outcome = judge_now(answer, self._session, lines)
        if isinstance(outcome, (RetryLater, BatchRejected)):
            raise outcome
        self._introduction.after_events()
        return outcome

    def init_agent(self) -> AgentInfo | None:
        """Describe the agent to the service, once; None if it refuses the description, which is said.

        Raises:
            RetryLater: the service can't be reached, asks for time, or refuses the key.
        """
        return self._introduction.describe()

    def close(self) -> None:
        """Close the connection."""
        self._session.close()
