"""MLflow, and what its API tells of the spans that it has."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from .process import Process, free_port
from .shown import Message, Shown, Tokens

KINDS = {"AGENT": "agent", "CHAT_MODEL": "model", "TOOL": "tool", "CHAIN": "step"}
MOST_AT_ONCE = 50
WHERE = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}


class Mlflow:
    """An MLflow with a store of its own. All agents are in its first experiment, which is named by a header."""

    name = "mlflow"
    stores_first = True
    """Whether it has stored spans before it says that it took them."""

    def __init__(self, environment: Path, folder: Path) -> None:
        port = free_port()
        settings = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
        command = [str(environment / "bin" / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        stores = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", f"{folder}/artifacts"]
        self.process = Process(folder, port, [*command, *stores], settings)

    def spans(self, agent: str) -> Sequence[Shown]:
        """Return the spans of an agent."""
        named = [info["trace_id"] for info in self._traces(agent)]
        return [
            _shown(span, trace["trace_info"]["trace_metadata"])
            for some in (named[first : first + MOST_AT_ONCE] for first in range(0, len(named), MOST_AT_ONCE))
            for trace in self._get("3.0/mlflow/traces/batchGet", trace_ids=some)["traces"]
            for span in trace["spans"]
        ]

    def count(self, agent: str) -> int:
        """Return how many spans of an agent there are."""
        return len(self.spans(agent))

    def sessions(self, agent: str) -> Mapping[str, int]:
        """Return how many turns each session of an agent has."""
        named = [info["trace_metadata"]["mlflow.trace.session"] for info in self._traces(agent)]
        return {session: named.count(session) for session in named}

    def pages(self, agent: str) -> Mapping[str, str]:
        """Return the addresses of the pages that people look at: the list of turns, a turn in which something failed, a session."""
        failed = next(span for span in self.spans(agent) if span.failure is not None)
        url = f"{self.process.url}/#/experiments/0"
        return {
            "list": f"{url}/traces",
            "turn": f"{url}/traces?selectedEvaluationId=tr-{failed.trace}",
            "session": f"{url}/chat-sessions/{failed.session}",
        }

    def _traces(self, agent: str) -> Iterator[Any]:
        token: str | None = None
        while True:
            wanted = {"locations": [WHERE], "filter": f"tags.`service.name` = '{agent}'", "max_results": 500, "page_token": token}
            page = httpx.post(f"{self.process.url}/api/3.0/mlflow/traces/search", json=wanted, timeout=60).raise_for_status().json()
            yield from page.get("traces", [])
            token = page.get("next_page_token")
            if not token:
                return

    def _get(self, path: str, **query: str | list[str]) -> Any:
        return httpx.get(f"{self.process.url}/api/{path}", params=query, timeout=60).raise_for_status().json()


def _shown(span: Mapping[str, Any], about: Mapping[str, str]) -> Shown:
    held = _values(span["attributes"])
    kind = KINDS[held["mlflow.spanType"]]
    status = span.get("status", {})
    used = held.get("mlflow.chat.tokenUsage")
    return Shown(
        id=_hex(span["span_id"]),
        trace=_hex(span["trace_id"]),
        parent=_hex(span["parent_span_id"]) if span.get("parent_span_id") else None,
        began=int(span["start_time_unix_nano"]) // 1_000,
        name=span["name"],
        kind=kind,
        session=about["mlflow.trace.session"],
        user=about.get("mlflow.trace.user"),
        given=_text(held.get("mlflow.spanInputs")),
        result=_text(held.get("mlflow.spanOutputs")),
        failure=status.get("message", "") if "ERROR" in str(status.get("code")) else None,
        raised=next((_values(event["attributes"])["exception.type"] for event in span.get("events", [])), None),
        prompt=_messages(held.get("mlflow.spanInputs")) if kind == "model" else (),
        answer=_messages(held.get("mlflow.spanOutputs")) if kind == "model" else (),
        tokens=None
        if used is None
        else Tokens(
            used["input_tokens"],
            used["output_tokens"],
            used.get("cache_read_input_tokens", 0),
            used.get("cache_creation_input_tokens", 0),
        ),
    )


def _messages(listed: Any) -> Sequence[Message]:
    return [_message(message) for message in listed or []]


def _message(message: Mapping[str, Any]) -> Message:
    parts = message["parts"]
    texts = [part.get("content", part.get("response")) for part in parts if part["type"] != "tool_call"]
    calls = [f"{part['name']} {json.dumps(part['arguments'])}" for part in parts if part["type"] == "tool_call"]
    return Message(message["role"], "\n".join(texts), tuple(calls))


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _hex(written: str) -> str:
    return base64.b64decode(written).hex()


def _values(attributes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {one["key"]: _value(one.get("value", {})) for one in attributes}


def _value(value: Mapping[str, Any]) -> Any:
    if not value:
        return None
    ((kind, held),) = value.items()
    if kind == "array_value":
        return [_value(one) for one in held.get("values", [])]
    if kind == "kvlist_value":
        return _values(held.get("values", []))
    return int(held) if kind == "int_value" else held
