"""The account's agents at the service: which there are, how much of each is kept, and what they are limited to."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from .._wire.values import as_mapping
from .questions import Questions, has_more, total_in

_MOST_PAGES = 100


@dataclass(frozen=True)
class Agent:
    """An agent as the service knows it. `sampling_rate` is the share of its traces that is kept, from 0 to 1; None is not told."""

    agent_id: str
    name: str
    sampling_rate: float | None
    traces: int | None
    most_traces: int | None
    most_spans: int | None


@dataclass(frozen=True)
class Account:
    """An account's agents: how many there are, and the one that was looked for."""

    agents: int
    agent: Agent | None


def look_up(questions: Questions, name: str | None) -> Account:
    """Return what the list of agents tells of the account, and of its agent of this name.

    Raises:
        ServiceError: It can't be asked, or what answers is not the service.
    """
    seen = 0
    for page in range(1, _MOST_PAGES):
        reply = questions.told("/entities", {"count": 100, "page": page})
        listed = questions.listed(reply, "agents")
        seen += len(listed)
        found = next((_agent(told) for told in listed if told.get("name") == name), None)
        if found is not None or not has_more(reply.body):
            return Account(total_in(reply) or seen, found)
    return Account(seen, None)


def most_agents(questions: Questions) -> int | None:
    """Return how many agents the account may have; None if that is not told.

    Raises:
        ServiceError: No answer came.
    """
    return _count(as_mapping(questions.reply("/agent-settings/limits").body.get("limits")).get("maxAgents"))


def set_sampling_rate(questions: Questions, agent: Agent, rate: float) -> None:
    """Have the service keep this share of the agent's new traces.

    Raises:
        ServiceError: It does not do so.
    """
    path = f"/entities/{quote(agent.agent_id, safe='')}/sampling-rate"
    reply = questions.told(path, change=("PATCH", {"samplingRate": rate}))
    if reply.body.get("samplingRate") != rate:
        raise questions.no_answer(reply)


def _agent(told: dict[str, object]) -> Agent:
    rate = as_mapping(told.get("latestVersion")).get("samplingRate")
    return Agent(
        agent_id=str(told.get("id")),
        name=str(told.get("name")),
        sampling_rate=float(rate) if isinstance(rate, (int, float)) else None,
        traces=_count(told.get("traceCount")),
        most_traces=_count(told.get("maxTraces")),
        most_spans=_count(told.get("maxSpans")),
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
