"""The agent becomes known to the service before its first event, and is described once in a process.

Without that the first event of each trace would make a version of the agent, and the service refuses the later events of all traces but
those of the last version. What the service can't do now is never taken for a refusal of the description.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import cast

from .._http.answer import Answer, json_of
from .._runtime import guard, locks
from ..events import BatchRejected, Receipt, RetryLater
from ..types import AgentInfo
from .agents import complete_metadata
from .questions import has_more
from .responses import judge_now, no_answer_now
from .session import Session

ATTEMPTS = 3
_MOST_PAGES = 50

_WAIT_SECONDS = 2.0
"""For so long a process waits at most while another one makes an agent known to the service."""

Alone = Callable[[], contextlib.AbstractContextManager[object]]


class Introduction:
    """Introduces an agent, described by `metadata`; with `if_unknown` only an agent that the service does not know yet.

    `alone` keeps other processes of this machine from doing so at the same time. `proxy_url` is asked where the service is away.
    """

    def __init__(
        self,
        session: Session,
        agent_name: str,
        metadata: Mapping[str, object] | None,
        *,
        if_unknown: bool,
        proxy_url: str = "",
        alone: Alone = contextlib.nullcontext,
    ) -> None:
        self._session = session
        self._agent_name = agent_name
        self._body = json.dumps({"agentName": agent_name, "metadata": complete_metadata(metadata)}).encode()
        self._if_unknown = if_unknown
        self._proxy_url = proxy_url.rstrip("/")
        self._alone = alone
        self._agent: AgentInfo | None = None
        self._is_needed = True
        self._failures = 0
        self._trouble = ""

    def before_events(self) -> None:
        """Make the agent known; after a few descriptions that failed, see whether events are taken without one.

        Raises:
            RetryLater: the service can't be reached, asks for time, or refuses the key.
        """
        if not self._is_needed:
            return
        try:
            with self._alone():
                if not (self._if_unknown and self._is_known()):
                    self._describe()
            self._is_needed = False
        except RetryLater as later:
            if later.kind not in {"init", "url"}:
                raise
            self._failures += 1
            if self._failures < ATTEMPTS:
                raise
            self._trouble = later.reason

    def after_events(self) -> None:
        """Hear that events were taken: where the description failed, it is given up."""
        if self._is_needed:
            self._is_needed = False
            self._say_refused(self._trouble)

    def describe(self) -> AgentInfo | None:
        """Describe the agent, once, known or not; None if the service refuses the description, which is said.

        Raises:
            RetryLater: the service can't be reached, asks for time, or refuses the key.
        """
        if self._agent is None:
            with self._alone():
                self._describe()
            self._is_needed = False
        return self._agent

    def _is_known(self) -> bool:
        """Ask whether the service knows the agent; an older service that has no list of agents counts as one that does."""
        return any(agent.get("name") == self._agent_name for agent in self._agents())

    def _agents(self) -> Iterator[Mapping[str, object]]:
        for page in range(1, _MOST_PAGES):
            answer = self._session.get(f"/entities?count=100&page={page}")
            if answer.status == HTTPStatus.NOT_FOUND:
                yield {"name": self._agent_name}
                return
            if answer.status // 100 != 2:
                raise _as_later(judge_now(answer, self._session), answer)
            told = json_of(answer.body)
            agents = told.get("agents") if isinstance(told, dict) else None
            if not isinstance(agents, list):
                raise no_answer_now(answer, self._session, "the list of agents")
            yield from (agent for agent in agents if isinstance(agent, dict))
            if not has_more(cast("dict[str, object]", told)):
                return

    def _describe(self) -> None:
        answer = self._post()
        if answer.status in {HTTPStatus.OK, HTTPStatus.CREATED}:
            self._agent = _agent_in(answer)
            if self._agent is None:
                raise no_answer_now(answer, self._session, "the description of the agent")
            return
        if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR and not self._session.is_ready():
            raise RetryLater("the service is not ready: it can't reach its database", kind="busy")
        outcome = judge_now(answer, self._session)
        if isinstance(outcome, BatchRejected) and not outcome.perhaps_passing:
            self._say_refused(outcome.reason)
            return
        raise _as_later(outcome, answer)

    def _post(self) -> Answer:
        """Tell the service, or the proxy instead if the service is down."""
        try:
            answer = self._session.post("/entities/init", self._body)
        except RetryLater:
            by_proxy = self._by_proxy()
            if by_proxy is None:
                raise
            return by_proxy
        return (self._by_proxy() if answer.status > HTTPStatus.INTERNAL_SERVER_ERROR else None) or answer

    def _by_proxy(self) -> Answer | None:
        """Tell the proxy; None if there is none, or it can't reach the service either and so has no say."""
        answer = None
        if self._proxy_url:
            with contextlib.suppress(RetryLater):
                answer = self._session.post("/v1/agents/init", self._body, base=self._proxy_url)
        return answer if answer is not None and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR else None

    def _say_refused(self, reason: str) -> None:
        guard.notices.say(
            f"init:{self._agent_name}",
            "The service does not take the description of agent %r (%s). Events are sent without it. An account has a limited "
            "number of agents, and a description that was changed can't be changed back: look at the agents in its dashboard, or choose "
            "another agent name.",
            self._agent_name,
            reason,
        )


def alone_in(home: Path | None) -> Alone:
    """Return what lets the processes that share a home introduce agents one after the other."""
    return contextlib.nullcontext if home is None else partial(locks.alone, home / "agents.lock", _WAIT_SECONDS)


def _as_later(outcome: Receipt | RetryLater | BatchRejected, answer: Answer) -> RetryLater:
    """Return why the agent is not known yet: what an answer asks for, or that it is none to a description."""
    if isinstance(outcome, RetryLater):
        return outcome
    return RetryLater(f"the agent can't be initialised: the service answers {answer.status}", kind="init")


def _agent_in(answer: Answer) -> AgentInfo | None:
    """Return what an answer tells of an agent, or None if it tells of none."""
    told = json_of(answer.body)
    if not isinstance(told, dict) or told.get("success") is False:
        return None
    texts = {name: value if isinstance(value := told.get(name), str) else "" for name in AgentInfo.__annotations__}
    return cast("AgentInfo", texts) if texts["agentId"] else None
