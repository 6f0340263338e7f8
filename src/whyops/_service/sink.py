"""The sink that is the WhyOps service."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypeVar, cast

from .._http.answer import Answer, json_of
from .._http.channel import Request, Unreachable
from .._http.transport import open_channel
from .._printable import without_secret
from .._runtime import guard
from .._runtime.clock import CLOCK, Clock
from ..events import BatchRejected, Receipt, RetryLater
from ..types import AgentInfo
from .agents import complete_metadata
from .responses import judge, no_answer

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS = 30.0
LEAST_SECONDS = 0.05
INIT_ATTEMPTS = 3

_Failure = TypeVar("_Failure", bound=RetryLater | BatchRejected)


class HttpSink:
    """Posts events to the service, after it has described the agent to it.

    Without `agent_metadata` the agent is described only if `init_agent` is called. `transport` carries the requests in place of a
    connection of our own. The key is in no repr, message or exception.
    """

    def __init__(
        self,
        *,
        analyse_base_url: str,
        proxy_base_url: str,
        api_key: str,
        agent_name: str,
        agent_metadata: Mapping[str, object] | None,
        transport: httpx.BaseTransport | None = None,
        clock: Clock = CLOCK,
    ) -> None:
        self._analyse = analyse_base_url.rstrip("/")
        self._proxy = proxy_base_url.rstrip("/")
        self._api_key = api_key
        self._agent_name = agent_name
        self._metadata = agent_metadata
        self._clock = clock
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "X-Agent-Name": agent_name.encode("utf-8").decode("latin-1"),
            "Content-Type": "application/json",
            "User-Agent": "whyops-python",
        }
        self._deadline: float | None = None
        self._agent: AgentInfo | None = None
        self._init_needed = agent_metadata is not None
        self._init_failures = 0
        self._init_trouble = ""
        self._channel = open_channel(transport)

    def __repr__(self) -> str:
        return f"<HttpSink {self._analyse} for agent {self._agent_name!r}>"

    def hurry(self, deadline: float | None) -> None:
        """Let no request last beyond this moment (monotonic); None takes the limit away."""
        self._deadline = deadline

    def send(self, lines: Sequence[bytes]) -> Receipt:
        """Post the lines as one array, and read what became of each.

        Raises:
            RetryLater: the service can't be reached, or asks for time, or refuses the key; or what answers is not the service.
            BatchRejected: it refuses at least one of them.
        """
        if self._init_needed:
            self._introduce()
        outcome = self._told_of(lines, "/events/ingest")
        if isinstance(outcome, RetryLater) and outcome.kind == "queue":
            each = self._told_of(lines, "/events")  # which queues nothing, and answers for each event
            outcome = outcome if isinstance(each, RetryLater) else each
        if isinstance(outcome, (RetryLater, BatchRejected)):
            raise outcome
        if self._init_needed:
            self._init_needed = False
            _say_refused(self._agent_name, self._init_trouble)
        return outcome

    def _told_of(self, lines: Sequence[bytes], path: str) -> Receipt | RetryLater | BatchRejected:
        """Post the lines, and return what the answer means, without the key, should it quote that."""
        return self._judged(self._post(f"{self._analyse}{path}", b"[%b]" % b",".join(lines)), lines)

    def _judged(self, answer: Answer, lines: Sequence[bytes]) -> Receipt | RetryLater | BatchRejected:
        outcome = judge(answer, lines, datetime.fromtimestamp(self._clock.wall(), timezone.utc))
        if isinstance(outcome, Receipt):
            unsettled = tuple(one._replace(reason=self._without_key(one.reason)) for one in outcome.unsettled)
            return outcome._replace(sampled_out_reason=self._without_key(outcome.sampled_out_reason), unsettled=unsettled)
        return self._hiding_key(outcome)

    def _hiding_key(self, failure: _Failure) -> _Failure:
        failure.reason = self._without_key(failure.reason)
        failure.args = (failure.reason,)
        return failure

    def _without_key(self, text: str) -> str:
        return without_secret(text, self._api_key)

    def init_agent(self) -> AgentInfo | None:
        """Describe the agent to the service, once; None if it refuses the description, which is said.

        Raises:
            RetryLater: the service can't be reached, asks for time, or refuses the key.
        """
        if self._agent is None:
            self._agent = self._read_agent(self._post_description())
            self._init_needed = False
        return self._agent

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    # --- the agent -------------------------------------------------------------------------------

    def _introduce(self) -> None:
        """Describe the agent before its first event; after a few failures see whether the events are taken without."""
        try:
            self.init_agent()
        except RetryLater as later:
            if later.kind not in {"init", "url"}:
                raise
            self._init_failures += 1
            if self._init_failures < INIT_ATTEMPTS:
                raise
            self._init_trouble = later.reason

    def _post_description(self) -> Answer:
        """Tell the service, or the proxy instead if the service is down and there is a proxy to tell."""
        body = json.dumps({"agentName": self._agent_name, "metadata": complete_metadata(self._metadata)}).encode()
        at_proxy = f"{self._proxy}/v1/agents/init"
        try:
            answer = self._post(f"{self._analyse}/entities/init", body)
        except RetryLater as away:
            if not self._proxy:
                raise
            try:
                return self._post(at_proxy, body)
            except RetryLater:  # it is away, too: what the service itself said is what counts
                raise away from None
        is_down = answer.status > 500
        return self._post(at_proxy, body) if is_down and self._proxy else answer

    def _read_agent(self, answer: Answer) -> AgentInfo | None:
        if answer.status in {200, 201}:
            if (agent := _agent_in(answer)) is not None:
                return agent
            raise self._hiding_key(no_answer(answer, "the description of the agent"))
        outcome = self._judged(answer, ())
        if isinstance(outcome, BatchRejected) and not outcome.perhaps_passing:
            _say_refused(self._agent_name, outcome.reason)
            return None
        if isinstance(outcome, RetryLater):
            raise outcome
        raise RetryLater(f"the agent can't be initialised: the service answers {answer.status}", kind="init")

    # --- requests --------------------------------------------------------------------------------

    def _post(self, url: str, body: bytes) -> Answer:
        left = TIMEOUT_SECONDS if self._deadline is None else self._deadline - self._clock.monotonic()
        timeout = max(LEAST_SECONDS, min(TIMEOUT_SECONDS, left))
        try:
            return self._channel.exchange(Request("POST", url, self._headers, body, timeout))
        except Unreachable as error:
            raise RetryLater(f"it can't be reached ({error})", kind="unreachable") from None


def _agent_in(answer: Answer) -> AgentInfo | None:
    """Return what an answer tells of an agent, or None if it tells of none."""
    told = json_of(answer.body)
    if not isinstance(told, dict) or told.get("success") is False:
        return None
    texts = {name: value if isinstance(value := told.get(name), str) else "" for name in AgentInfo.__annotations__}
    return cast("AgentInfo", texts) if texts["agentId"] else None


def _say_refused(agent_name: str, reason: str) -> None:
    guard.notices.say(
        f"init:{agent_name}",
        "The service does not take the description of agent %r (%s). Events are sent without it. An account has a limited "
        "number of agents, and a description that was changed can't be changed back: look at the agents in its dashboard, or choose "
        "another agent name.",
        agent_name,
        reason,
    )
