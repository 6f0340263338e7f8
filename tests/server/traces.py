"""The service's traces: who owns one, which keys it knows, how its steps are numbered."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from .agents import Agent
from .normal_form import kept, system_prompt
from .schema import TOOL_CALLS

Row = dict[str, Any]

_OWN = "key:"


@dataclass
class Trace:
    """One trace. Its id is global; it belongs to the agent's version that was in force when it began."""

    id: str
    account: str
    agent_id: str
    version_id: str
    external_user_id: str | None = None
    system_prompt: str | None = None
    is_cached: bool = False
    began_at: str = field(default_factory=lambda: _to_the_millisecond(None))
    rows: list[Row] = field(default_factory=list)
    by_key: dict[str, Row] = field(default_factory=dict)
    last_step: int = 0

    def belongs_to(self, agent: Agent) -> bool:
        """Tell whether an event of `agent` as it is now may go into this trace."""
        return (self.account, self.agent_id, self.version_id) == (agent.account, agent.id, agent.version.id)

    def store(self, event: dict[str, Any], key: str | None, external_user_id: str | None) -> Row:
        """Keep an event that nothing refuses, with what the service fills in."""
        step, parent = self._step(event)
        row: Row = {
            "id": str(uuid.uuid4()),
            "traceId": self.id,
            "spanId": without_nul(event.get("spanId") or str(uuid.uuid4())),
            "stepId": step,
            "parentStepId": parent,
            "eventType": event["eventType"],
            "externalUserId": external_user_id,
            "timestamp": _to_the_millisecond(event.get("timestamp")),
            "content": kept(event),
            "metadata": {**event.get("metadata", {}), **({} if key is None else {"idempotencyKey": key.removeprefix(_OWN)})},
        }
        if self.external_user_id is None:
            self.external_user_id = external_user_id
        if self.system_prompt is None:
            self.system_prompt = system_prompt(event)
        self.is_cached = False
        self.rows.append(row)
        if key is not None:
            self.by_key[key] = row
        return row

    def _step(self, event: dict[str, Any]) -> tuple[int, int | None]:
        """Number the event. A given parent counts only beside a given step."""
        given = event.get("stepId")
        step = int(given) if given is not None else self.last_step + 1
        parent = event.get("parentStepId") if given is not None else None
        self.last_step = max(self.last_step, step)
        return step, int(parent) if parent is not None else step - 1 or None


def key_of(event: dict[str, Any], external_user_id: str | None) -> str | None:
    """Give the key under which the service finds a repeat: the event's own, else a hash of its content; none for tool calls."""
    own = event.get("idempotencyKey")
    if own:
        return f"{_OWN}{own}"
    if event["eventType"] in TOOL_CALLS:
        return None
    parts = [event["eventType"], external_user_id, event.get("parentStepId"), event.get("content")]
    return "hash_" + hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def without_nul(text: str) -> str:
    """Give an identifier as the service keeps it: a NUL becomes a backslash and a zero."""
    return text.replace("\x00", "\\0")


def _to_the_millisecond(timestamp: str | None) -> str:
    if timestamp is None:
        return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    moment, _, fraction = timestamp.removesuffix("Z").partition(".")
    seconds = "" if moment.count(":") == 2 else ":00"
    return f"{moment}{seconds}.{fraction[:3]:0<3}Z"
