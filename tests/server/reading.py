"""What the service answers to those who read: events, traces, agents, limits."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import schema
from .answer import NOT_FOUND, Answer

if TYPE_CHECKING:
    from .agents import Agent
    from .service import Service
    from .traces import Row, Trace

_NO_THREAD = Answer(404, {"success": False, "error": "Thread not found"})
_OF_AN_EVENT = ("id", "stepId", "parentStepId", "spanId", "eventType", "timestamp")
_TYPED = {"promptTokens": "promptTokens", "completionTokens": "completionTokens", "cacheReadTokens": "cacheReadTokens"}


class Reading:
    """Answers from a service's state. Ties in time come in another order with each request: a page may repeat what another page showed."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._asked = 0

    def events(self, query: Mapping[str, str]) -> Answer:
        """Answer `GET /events`: newest first, at most 200 a page, contents only when asked for, whoever asks."""
        trace_id = query.get("traceId")
        limit, offset = min(int(query.get("limit", "100")), 200), int(query.get("offset", "0"))
        rows = [row for row in self._service.rows if trace_id is None or row["traceId"] == trace_id]
        page = self._by_time(rows)[::-1][offset : offset + limit]
        left_out = {"content", "metadata"} - set(query.get("include", "").split(",")) | {"externalUserId"}
        events = [{name: value for name, value in row.items() if name not in left_out} for row in page]
        pagination = {"total": len(rows), "limit": limit, "offset": offset, "hasMore": offset + limit < len(rows)}
        return Answer(200, {"events": events, "pagination": pagination})

    def thread(self, account: str, trace_id: str, query: Mapping[str, str]) -> Answer:
        """Answer `GET /threads/:id`. The second reading of its contents shows what is left of the metadata in a cache."""
        trace = self._service.traces.get(trace_id)
        if trace is None or trace.account != account:
            return _NO_THREAD
        limit, offset = min(int(query.get("eventLimit", "200")), 1000), int(query.get("eventOffset", "0"))
        included = set(query.get("eventInclude", "").split(","))
        reduced = "content" in included and trace.is_cached and offset == 0
        shown = [self._detail(row, included, reduced=reduced) for row in self._by_time(trace.rows)[offset : offset + limit]]
        trace.is_cached = trace.is_cached or ("content" in included and offset == 0)
        total = len(trace.rows)
        pagination = {"total": total, "limit": limit, "offset": offset, "hasMore": offset + limit < total}
        known = {**self._listed(trace), **self._totals(trace.rows), "events": shown, "eventsPagination": pagination}
        if "systemPrompt" in query.get("include", "").split(",") and trace.system_prompt:
            known["systemPrompt"] = trace.system_prompt
        return Answer(200, {"success": True, "sampledOut": False, "sampledIn": True, **known})

    def threads(self, account: str, query: Mapping[str, str]) -> Answer:
        """Answer `GET /threads`: the account's traces, the latest first, at most 100 a page."""
        count, page = min(int(query.get("count", "20")), 100), int(query.get("page", "1"))
        listed = [self._listed(trace) for trace in self._service.traces.values() if trace.account == account]
        found = [one for one in listed if _fits(one, query)]
        found.sort(key=lambda one: str(one["lastActivity"]), reverse=True)
        pagination = _pages(len(found), count, page)
        return Answer(200, {"success": True, "threads": found[(page - 1) * count : page * count], "pagination": pagination})

    def agents(self, account: str, query: Mapping[str, str]) -> Answer:
        """Answer `GET /entities`: at most 100 a page."""
        count, page = min(int(query.get("count", "20")), 100), int(query.get("page", "1"))
        agents = [self._agent(agent) for agent in self._service.agents.of(account)]
        return Answer(
            200, {"success": True, "agents": agents[(page - 1) * count : page * count], "pagination": _pages(len(agents), count, page)}
        )

    def limits(self) -> Answer:
        """Answer `GET /agent-settings/limits`."""
        return Answer(200, {"success": True, "limits": {"maxAgents": self._service.agents.limit or 1_000_000}, "permissions": {}})

    def set_sampling_rate(self, account: str, agent_id: str, body: object) -> Answer:
        """Answer `PATCH /entities/:agentId/sampling-rate`."""
        agent = self._service.agents.by_id(account, agent_id)
        rate = body.get("samplingRate") if isinstance(body, dict) else None
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
            return schema.invalid_input()
        if agent is None:
            return NOT_FOUND
        agent.sampling_rate = rate
        return Answer(200, {"success": True, "agentId": agent.id, "samplingRate": rate, "updatedVersions": len(agent.versions)})

    def _by_time(self, rows: Iterable[Row]) -> list[Row]:
        """Sort by the millisecond alone."""
        self._asked += 1
        shuffled = random.Random(self._asked).sample(list(rows), len(list(rows)))
        return sorted(shuffled, key=lambda row: str(row["timestamp"]))

    def _listed(self, trace: Trace) -> dict[str, Any]:
        agent = self._service.agents.by_id(trace.account, trace.agent_id)
        times = sorted(row["timestamp"] for row in trace.rows)
        known = {
            "threadId": trace.id,
            "userId": trace.account,
            "externalUserId": trace.external_user_id,
            "agentId": trace.agent_id,
            "entityId": trace.version_id,
            "entityName": agent.name if agent is not None else None,
            "eventCount": len(trace.rows),
            "lastActivity": times[-1] if times else trace.began_at,
            "firstEventTimestamp": times[0] if times else None,
            "lastEventTimestamp": times[-1] if times else None,
        }
        return {name: value for name, value in known.items() if value is not None}

    @staticmethod
    def _totals(rows: Iterable[Row]) -> dict[str, Any]:
        metadata = [row["metadata"] for row in rows]
        usages = [usage for one in metadata if isinstance(usage := one.get("usage"), dict)]
        return {
            "totalTokens": sum(int(usage.get("promptTokens", 0)) + int(usage.get("completionTokens", 0)) for usage in usages),
            "totalLatency": sum(int(one.get("latencyMs", 0)) for one in metadata),
            "errorCount": sum(row["eventType"] == "error" for row in rows),
        }

    @staticmethod
    def _detail(row: Row, included: set[str], *, reduced: bool) -> dict[str, Any]:
        detail = {name: row[name] for name in _OF_AN_EVENT}
        if "content" in included:
            detail["content"] = row["content"]
        if "metadata" in included:
            whole = row["metadata"]
            usage = whole.get("usage") or {}
            left = {"model": whole.get("model"), "latencyMs": whole.get("latencyMs")}
            detail["metadata"] = {**left, "usage": {name: usage.get(name) for name in _TYPED}} if reduced else whole
        return detail

    def _agent(self, agent: Agent) -> dict[str, Any]:
        latest = {"id": agent.version.id, "hash": agent.version.hash, "samplingRate": agent.sampling_rate}
        limits = self._service.limits
        return {
            "id": agent.id,
            "name": agent.name,
            "maxTraces": limits.traces or 10_000,
            "maxSpans": limits.spans or 1_000,
            "traceCount": sum(trace.agent_id == agent.id for trace in self._service.traces.values()),
            "latestVersion": latest,
        }


def _fits(listed: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    for asked, name in (("agentName", "entityName"), ("agentId", "agentId"), ("externalUserId", "externalUserId")):
        if query.get(asked) and listed.get(name) != query[asked]:
            return False
    latest = str(listed["lastActivity"])
    return query.get("startDate", "") <= latest <= (query.get("endDate") or latest)


def _pages(total: int, count: int, page: int) -> dict[str, object]:
    return {"total": total, "count": count, "page": page, "totalPages": -(-total // count), "hasMore": page * count < total}
