"""The service's agents: each has versions, of which the last is in force, and limits that last for its whole life."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .answer import Answer
from .database import is_storable
from .schema import utf16_length

_TOOL_FIELDS = ("name", "description", "inputSchema", "outputSchema")


@dataclass(frozen=True)
class Version:
    """One description of an agent."""

    id: str
    hash: str


@dataclass
class Agent:
    """One agent of one account. `span_ids` are all that it ever had."""

    id: str
    account: str
    name: str
    sampling_rate: float
    versions: list[Version]
    span_ids: set[str] = field(default_factory=set)

    @property
    def version(self) -> Version:
        """Give the version in force."""
        return self.versions[-1]


class AgentLimitError(Exception):
    """The account has as many agents as it may have."""


class Agents:
    """All agents of all accounts. Not thread-safe; the service holds a lock."""

    def __init__(self, limit: int | None, sampling_rate: float) -> None:
        self._limit = limit
        self._sampling_rate = sampling_rate
        self._agents: dict[tuple[str, str], Agent] = {}

    def find(self, account: str, name: str) -> Agent | None:
        """Give an account's agent by name."""
        return self._agents.get((account, name))

    def by_id(self, account: str, agent_id: str) -> Agent | None:
        """Give an account's agent by id."""
        return next((agent for agent in self._agents.values() if agent.account == account and agent.id == agent_id), None)

    def of(self, account: str) -> list[Agent]:
        """Give all agents of an account."""
        return [agent for agent in self._agents.values() if agent.account == account]

    @property
    def limit(self) -> int | None:
        """Give how many agents an account may have."""
        return self._limit

    def begin(self, account: str, name: str, prompts: Mapping[str, str]) -> dict[str, Version]:
        """Make an agent that nothing has described, for traces that begin at the same time, and give the version of each.

        `prompts` holds each trace's own system prompt, or "". Each makes a version of the agent, but those with the same prompt; the last
        one is in force, and the other traces are refused from their second event on.
        """
        versions = {prompt: Version(str(uuid.uuid4()), f"placeholder {prompt}") for prompt in prompts.values()}
        self.create(account, name).versions = list(versions.values())
        return {trace_id: versions[prompt] for trace_id, prompt in prompts.items()}

    def create(self, account: str, name: str, version_hash: str = "placeholder") -> Agent:
        """Add an agent; without a hash, the way its first event does it: with a placeholder for its description."""
        if self._limit is not None and sum(agent.account == account for agent in self._agents.values()) >= self._limit:
            raise AgentLimitError
        agent = Agent(str(uuid.uuid4()), account, name, self._sampling_rate, [Version(str(uuid.uuid4()), version_hash)])
        self._agents[account, name] = agent
        return agent

    def init(self, account: str, body: object) -> Answer:
        """Answer an init: a new version unless the description is the one in force, an error if an older version had it."""
        issues = list(_issues(body))
        if issues or not isinstance(body, dict):
            return Answer(400, {"success": False, "error": {"name": "ZodError", "issues": issues}})
        if not is_storable(body["metadata"]):
            return _failed()
        version_hash = _hash(body["metadata"])
        agent = self.find(account, body["agentName"])
        if agent is None:
            return self._first(account, body["agentName"], version_hash)
        return self._next(agent, version_hash)

    def _first(self, account: str, name: str, version_hash: str) -> Answer:
        try:
            return _described(self.create(account, name, version_hash), "created")
        except AgentLimitError:
            return Answer(409, {"success": False, "error": f"Agent limit reached: {self._limit} agents per account"})

    @staticmethod
    def _next(agent: Agent, version_hash: str) -> Answer:
        if agent.version.hash == version_hash:
            return _described(agent, "existing")
        if any(version.hash == version_hash for version in agent.versions):
            return _failed()
        agent.versions.append(Version(str(uuid.uuid4()), version_hash))
        return _described(agent, "created")


def _described(agent: Agent, status: str) -> Answer:
    body = {
        "success": True,
        "agentId": agent.id,
        "agentVersionId": agent.version.id,
        "status": status,
        "versionHash": agent.version.hash,
    }
    return Answer(201 if status == "created" else 200, body)


def _failed() -> Answer:
    return Answer(500, {"success": False, "error": "Failed to initialize agent"})


def _hash(metadata: Mapping[str, Any]) -> str:
    """Hash what is known of a description: the order of keys does not count, the order of the tools does."""
    known = {name: metadata[name] for name in ("systemPrompt", "description") if name in metadata}
    known["tools"] = [{name: tool[name] for name in _TOOL_FIELDS} for tool in metadata["tools"]]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _issues(body: object) -> Iterator[dict[str, object]]:
    if not isinstance(body, dict):
        yield _issue([], "Expected object")
        return
    name = body.get("agentName")
    if not isinstance(name, str) or not 1 <= utf16_length(name) <= 255:
        yield _issue(["agentName"], "Expected 1 to 255 characters")
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        yield _issue(["metadata"], "Expected object")
        return
    if not _is_text(metadata.get("systemPrompt")):
        yield _issue(["metadata", "systemPrompt"], "Required")
    if not isinstance(metadata.get("description", ""), str):
        yield _issue(["metadata", "description"], "Expected string")
    tools = metadata.get("tools")
    if not isinstance(tools, list):
        yield _issue(["metadata", "tools"], "Expected array")
        return
    for index, tool in enumerate(tools):
        for name in _TOOL_FIELDS:
            if not isinstance(tool, dict) or not _is_text(tool.get(name)):
                yield _issue(["metadata", "tools", index, name], "Required")


def _issue(path: list[str | int], message: str) -> dict[str, object]:
    return {"path": path, "message": message}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""
