"""Checks of the agent at the service: the share of its traces that is kept, and the limits of the account and of the agent."""

from __future__ import annotations

from collections.abc import Iterator

from ..._render.format import share_text
from ..._render.terminal.doctor_table import Finding
from ..._service.account import Agent, look_up, most_agents
from ..._service.questions import Questions
from ...errors import ServiceError

_KEEP_ALL_REMEDY = (
    "The trace's id decides which, so sending again does not help. `whyops sampling 100%` keeps all new traces; WHYOPS_KEEP_LOCAL=1 keeps "
    "a local copy of each trace."
)
_FULL_REMEDY = (
    "Events of another agent are refused (500): use the name of an agent that is there, remove one in the dashboard, or have the limit "
    "raised."
)


def check_agent(questions: Questions, name: str | None) -> Iterator[Finding]:
    """Check what the service tells of its agents; without a name, of the account alone."""
    try:
        account = look_up(questions, name)
    except ServiceError as error:
        yield Finding("note", "sampling", f"could not look up the sampling rate{'' if name is None else f' of {name}'}", str(error))
        return
    yield _sampling(name, account.agent)
    try:
        most = most_agents(questions)
    except ServiceError:
        most = None
    if most is not None:
        yield _agents(name, account.agents, most, is_known=account.agent is not None)
    if account.agent is not None:
        yield from _limits(account.agent)


def _sampling(name: str | None, agent: Agent | None) -> Finding:
    if name is None:
        return Finding("note", "sampling", "unknown: WHYOPS_AGENT_NAME is not set")
    if agent is None:
        remedy = "Its first event creates it; by default one trace in five is kept."
        return Finding("note", "sampling", f"the service has no agent {name!r}", remedy)
    if agent.sampling_rate is None:
        return Finding("note", "sampling", f"the service does not report the sampling rate of {name}")
    if agent.sampling_rate >= 1:
        return Finding("good", "sampling", f"the service keeps all traces of {name}")
    told = f"the service keeps {share_text(agent.sampling_rate)} of the traces of {name}, and drops the others"
    return Finding("warn", "sampling", told, _KEEP_ALL_REMEDY)


def _agents(name: str | None, agents: int, most: int, *, is_known: bool) -> Finding:
    told = f"the account has {agents:,} of at most {most:,}"
    if agents < most or is_known:
        return Finding("good", "agents", told)
    if name is None:
        return Finding("note", "agents", told, _FULL_REMEDY)
    return Finding("warn", "agents", f"{told}, and none is named {name!r}", _FULL_REMEDY)


def _limits(agent: Agent) -> Iterator[Finding]:
    """Tell of traces how many there are; of spans the service tells the limit alone."""
    parts = []
    if agent.traces is not None and agent.most_traces is not None:
        parts.append(f"{agent.traces:,} of at most {agent.most_traces:,} traces")
    if agent.most_spans is not None:
        parts.append(f"at most {agent.most_spans:,} different span ids in all")
    if not parts:
        return
    told = f"{agent.name}: {', '.join(parts)}"
    if agent.traces is not None and agent.most_traces is not None and agent.traces >= agent.most_traces:
        yield Finding("warn", "limits", told, "New traces are left out: have the limit raised, or use another agent.")
    else:
        yield Finding("good", "limits", told)
