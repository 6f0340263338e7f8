"""Phoenix, and what its API tells of the spans that it has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from .process import Process, free_port
from .shown import Message, Shown, Tokens

KINDS = {"AGENT": "agent", "LLM": "model", "TOOL": "tool", "CHAIN": "step"}


class Phoenix:
    """A Phoenix with a store of its own. Each agent has a project there."""

    name = "phoenix"
    stores_first = False
    """Whether it has stored spans before it says that it took them."""

    def __init__(self, environment: Path, folder: Path) -> None:
        port = free_port()
        settings = {
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(port),
            "PHOENIX_GRPC_PORT": str(free_port()),
            "PHOENIX_WORKING_DIR": str(folder / "data"),
            "PHOENIX_TELEMETRY_ENABLED": "false",
        }
        self.process = Process(folder, port, [str(environment / "bin" / "phoenix"), "serve"], settings)
        (folder / "data").mkdir(exist_ok=True)

    def spans(self, agent: str) -> Sequence[Shown]:
        """Return the spans of an agent."""
        return [_shown(span) for span in self._all(f"projects/{agent}/spans")]

    def count(self, agent: str) -> int:
        """Return how many spans of an agent there are."""
        query = {"query": "{projects {edges {node {name recordCount}}}}"}
        projects = httpx.post(f"{self.process.url}/graphql", json=query, timeout=60).raise_for_status().json()["data"]["projects"]["edges"]
        return next((int(one["node"]["recordCount"]) for one in projects if one["node"]["name"] == agent), 0)

    def sessions(self, agent: str) -> Mapping[str, int]:
        """Return how many turns the page of each session of an agent has."""
        return {session["session_id"]: len(session["traces"]) for session in self._all(f"projects/{agent}/sessions")}

    def pages(self, agent: str) -> Mapping[str, str]:
        """Return the addresses of the pages that people look at: the list of turns, a turn in which something failed, a session."""
        (project,) = [one["id"] for one in self._all("projects") if one["name"] == agent]
        failed = next(span for span in self._all(f"projects/{agent}/spans") if span["status_code"] == "ERROR")
        session = next(iter(self._all(f"projects/{agent}/sessions")))
        url = f"{self.process.url}/projects/{project}"
        return {
            "list": f"{url}/spans",
            "turn": f"{url}/traces/{failed['context']['trace_id']}",
            "session": f"{url}/sessions/{session['id']}",
        }

    def _all(self, path: str) -> Iterator[Any]:
        cursor: str | None = None
        while True:
            answer = httpx.get(
                f"{self.process.url}/v1/{path}", params={"limit": 1_000, **({"cursor": cursor} if cursor else {})}, timeout=60
            )
            if answer.status_code == 404:  # no span of the agent has come yet
                return
            answer.raise_for_status()
            page = answer.json()
            yield from page["data"]
            cursor = page["next_cursor"]
            if not cursor:
                return


def _shown(span: Mapping[str, Any]) -> Shown:
    held = span["attributes"]
    count = "llm.token_count"
    return Shown(
        id=span["context"]["span_id"],
        trace=span["context"]["trace_id"],
        parent=span["parent_id"],
        began=round(datetime.fromisoformat(span["start_time"]).timestamp() * 1_000_000),
        name=span["name"],
        kind=KINDS[span["span_kind"]],
        session=held["session.id"],
        user=held.get("user.id"),
        given=held.get("input.value"),
        result=held.get("output.value"),
        failure=span["status_message"] if span["status_code"] == "ERROR" else None,
        raised=next((event["attributes"]["exception.type"] for event in span["events"]), None),
        prompt=_messages(held, "llm.input_messages"),
        answer=_messages(held, "llm.output_messages"),
        tokens=Tokens(
            held[f"{count}.prompt"],
            held[f"{count}.completion"],
            held.get(f"{count}.prompt_details.cache_read", 0),
            held.get(f"{count}.prompt_details.cache_write", 0),
        )
        if f"{count}.prompt" in held
        else None,
    )


def _messages(held: Mapping[str, Any], prefix: str) -> Sequence[Message]:
    """Return the messages that Phoenix read: it has an attribute for each part of each."""
    found: dict[int, dict[str, Any]] = {}
    for name, value in held.items():
        if name.startswith(f"{prefix}."):
            number, _, rest = name[len(prefix) + 1 :].partition(".")
            found.setdefault(int(number), {})[rest] = value
    return [_message(found[number]) for number in sorted(found)]


def _message(parts: Mapping[str, Any]) -> Message:
    texts = [value for name, value in sorted(parts.items()) if name.endswith((".text", "message.content"))]
    called = [name for name in sorted(parts) if name.endswith("function.name")]
    arguments = [json.dumps(json.loads(parts[name.replace("function.name", "function.arguments")])) for name in called]
    calls = [f"{parts[name]} {given}" for name, given in zip(called, arguments, strict=True)]
    return Message(parts["message.role"], "\n".join(texts), tuple(calls))
