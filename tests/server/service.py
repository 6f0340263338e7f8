"""The service without its sockets: what it takes, refuses, keeps and leaves out."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from . import database, schema
from .agents import Agent, AgentLimitError, Agents, Version
from .answer import INTERNAL_ERROR, Answer
from .health import Health
from .normal_form import system_prompt
from .reading import Reading
from .traces import Row, Trace, key_of, without_nul

Event = dict[str, Any]


@dataclass(frozen=True)
class Limits:
    """The service's settings. None is no limit. The hosted service keeps 0.2 of all traces, and has 2, 1000 and 1000 as limits.

    `proxy_requests` is how many the proxy takes from a key in a minute.
    """

    agents: int | None = 2
    spans: int | None = None
    traces: int | None = None
    sampling_rate: float = 1.0
    proxy_requests: int = 100


USUAL_LIMITS = Limits()


@dataclass(frozen=True)
class Failure:
    """One event that is not stored, while its neighbours are."""

    answer: Answer
    reason: str


@dataclass(frozen=True)
class Spoiled:
    """Events that a test wants refused, whatever they are."""

    matches: Callable[[Event], bool]
    answer: Answer


class Service:
    """The state of one WhyOps service. `events` are the stored ones as they were sent, in order; `stored` is told of each."""

    def __init__(self, *, limits: Limits = USUAL_LIMITS, queue: bool = False, stored: Callable[[Event], None] | None = None) -> None:
        self.events: list[Event] = []
        self.rows: list[Row] = []
        self.traces: dict[str, Trace] = {}
        self.dead_letters: list[tuple[Event, str]] = []
        self.spoiled: list[Spoiled] = []
        self.queue = queue
        self.is_old = False
        """Whether it lacks `POST /events`, as older ones do."""
        self.limits = limits
        self.proxied: dict[str, list[float]] = {}
        self.providers: tuple[str, ...] = ("openai",)
        """The slugs of each account's providers; with several, the proxy takes no model's name without one."""
        self._stored = stored
        self._lock = threading.Lock()
        self.agents = Agents(limits.agents, limits.sampling_rate)
        self.health = Health()
        self._reading = Reading(self)

    def init(self, account: str, body: object) -> Answer:
        """Answer `POST /entities/init`."""
        with self._lock:
            return self.agents.init(account, body)

    def ingest(self, account: str, body: object, external_user_id: str | None = None, *, at_once: bool = False) -> Answer:
        """Answer `POST /events/ingest`; `at_once` also in queue mode, as `POST /events` does."""
        refusal = schema.refusal(body)
        if refusal is not None:
            return refusal
        events: list[Event] = body if isinstance(body, list) else [body]  # type: ignore[list-item]  # the schema has seen to it
        is_queued = self.queue and not at_once
        with self._lock:
            if is_queued and not self.health.database:
                outcomes: list[Row | Failure] = [Failure(INTERNAL_ERROR, "the database is away") for _ in events]
            else:
                begun = {} if is_queued else self._begin_agents(account, events)
                outcomes = [self._take(account, event, external_user_id, begun) for event in events]
        failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
        if not events or is_queued:
            self.dead_letters += [(event, out.reason) for event, out in zip(events, outcomes, strict=True) if isinstance(out, Failure)]
            return Answer(202, {"success": True, "accepted": True, "queuedCount": len(events)})
        if failures:
            return failures[0].answer
        return Answer(201, outcomes if isinstance(body, list) else outcomes[0])

    @contextlib.contextmanager
    def reading(self) -> Iterator[Reading]:
        """Give what answers questions, while nothing is stored."""
        with self._lock:
            yield self._reading

    def _begin_agents(self, account: str, events: list[Event]) -> dict[str, Version]:
        """Make the agents that the events' traces are the first of, all at the same time; give the version of each such trace."""
        first: dict[str, dict[str, Event]] = {}
        for event in events:
            name = without_nul(event["agentName"])
            if self.agents.find(account, name) is None and self._refusal(event) is None:
                first.setdefault(name, {}).setdefault(without_nul(event["traceId"]), event)
        begun: dict[str, Version] = {}
        for name, of_traces in first.items():
            with contextlib.suppress(AgentLimitError):
                begun.update(self.agents.begin(account, name, {trace: system_prompt(event) or "" for trace, event in of_traces.items()}))
        return begun

    def _take(self, account: str, event: Event, header_user_id: str | None, begun: dict[str, Version]) -> Row | Failure:
        """Store one event, or say why not. `begun` holds the version of each trace that begins together with its agent."""
        failure = self._refusal(event)
        if failure is not None:
            return failure
        agent_name = without_nul(event["agentName"])
        agent = self.agents.find(account, agent_name)
        version = begun.pop(without_nul(event["traceId"]), None)
        if agent is not None:
            is_kept = version is not None or _is_kept(event["traceId"], agent)
            return self._take_for(agent, event, header_user_id, version or agent.version, is_kept=is_kept)
        try:
            agent = self.agents.create(account, agent_name)
        except AgentLimitError:
            return Failure(INTERNAL_ERROR, "agent limit")
        return self._take_for(agent, event, header_user_id, agent.version, is_kept=True)

    def _take_for(self, agent: Agent, event: Event, header_user_id: str | None, version: Version, *, is_kept: bool) -> Row | Failure:
        """Store an agent's event, unless its trace is another's, its key known, or a limit reached."""
        trace_id = without_nul(event["traceId"])
        trace = self.traces.get(trace_id)
        if trace is not None and not trace.belongs_to(agent):
            return _conflict(trace_id)
        external_user_id = event.get("externalUserId") or header_user_id
        key = key_of(event, external_user_id)
        if trace is not None and key in trace.by_key:
            return _result(trace.by_key[key], "skipped", "Event already processed")
        rejection = self._rejection(agent, event, trace, is_kept=is_kept)
        if trace is None and (rejection is None or rejection.startswith("Span")):
            trace = self.traces[trace_id] = Trace(trace_id, agent.account, agent.id, version.id)
        if rejection is not None or trace is None:
            return {"id": None, "status": "sampled_out", "stepId": None, "spanId": event.get("spanId"), "message": rejection}
        reason = database.refuses(event)
        if reason is not None:
            return Failure(INTERNAL_ERROR, reason)
        return self._store(trace, agent, event, key, external_user_id)

    def _rejection(self, agent: Agent, event: Event, trace: Trace | None, *, is_kept: bool) -> str | None:
        """Give the service's reason to leave an event out, or None."""
        if not is_kept:
            return f"Trace rejected by sampling (rate: {agent.sampling_rate}, hash: {_share_of(event['traceId'], agent):.4f})"
        if trace is None and self._is_full_of_traces(agent):
            return f"Trace rejected by entity limit ({self.limits.traces}/{self.limits.traces})"
        if self._is_full_of_spans(agent, event):
            return f"Span rejected by agent limit ({self.limits.spans}/{self.limits.spans})"
        return None

    def _store(self, trace: Trace, agent: Agent, event: Event, key: str | None, external_user_id: str | None) -> Row:
        row = trace.store(event, key, external_user_id)
        agent.span_ids.add(row["spanId"])
        self.rows.append(row)
        self.events.append(event)
        if self._stored is not None:
            self._stored(event)
        return _result(row, "saved")

    def _refusal(self, event: Event) -> Failure | None:
        for spoiled in self.spoiled:
            if spoiled.matches(event):
                return Failure(spoiled.answer, "spoiled by the test")
        if event["eventType"] in ("llm_response", "embedding_response"):
            for name in ("model", "provider"):
                if not event.get("metadata", {}).get(name):
                    error = f"MISSING_{name.upper()}: {event['eventType']} requires metadata.{name}"
                    return Failure(Answer(400, {"success": False, "error": error}), error)
        return None

    def _is_full_of_traces(self, agent: Agent) -> bool:
        if self.limits.traces is None:
            return False
        return sum(trace.version_id == agent.version.id for trace in self.traces.values()) >= self.limits.traces

    def _is_full_of_spans(self, agent: Agent, event: Event) -> bool:
        span_id = event.get("spanId")
        if self.limits.spans is None or not span_id or without_nul(span_id) in agent.span_ids:
            return False
        return len(agent.span_ids) >= self.limits.spans


def _is_kept(trace_id: str, agent: Agent) -> bool:
    return _share_of(trace_id, agent) < agent.sampling_rate


def _share_of(trace_id: str, agent: Agent) -> float:
    """Return what decides whether a trace is kept: a number from 0 to 1 by a hash, so that asking again gives the same answer."""
    digest = hashlib.sha256(f"{trace_id}\n{agent.account}\n{agent.name}".encode(errors="replace")).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


def _result(row: Row, status: str, message: str | None = None) -> Row:
    result = {"id": row["id"], "status": status, "stepId": row["stepId"], "parentStepId": row["parentStepId"], "spanId": row["spanId"]}
    return result if message is None else {**result, "message": message}


def _conflict(trace_id: str) -> Failure:
    error = f"Trace {trace_id} belongs to another agent, version or account"
    return Failure(Answer(409, {"success": False, "error": error}), error)
