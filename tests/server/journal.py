"""What was stored and asked, line by line in files that another process reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .request import Request


class Journal:
    """Appends each stored event to one file and each request to another. A line is complete when the client gets its answer."""

    def __init__(self, folder: Path) -> None:
        self._events = (folder / "events.jsonl").open("a", encoding="ascii")
        self._requests = (folder / "requests.jsonl").open("a", encoding="ascii")

    def stored(self, event: dict[str, Any]) -> None:
        """Write one event, as it was sent."""
        self._events.write(json.dumps(event) + "\n")

    def asked(self, request: Request) -> None:
        """Write one request, and with it all events that were stored before its answer."""
        self._events.flush()
        seen = {"method": request.method, "path": request.path, "status": request.status, "at": request.at, "bytes": len(request.body)}
        self._requests.write(json.dumps(seen) + "\n")
        self._requests.flush()

    @staticmethod
    def read_events(folder: Path) -> list[dict[str, Any]]:
        """Give the events written so far."""
        return _complete_lines(folder / "events.jsonl")

    @staticmethod
    def read_requests(folder: Path) -> list[dict[str, Any]]:
        """Give the requests written so far: method, path, status (None where none was sent), time and size of each."""
        return _complete_lines(folder / "requests.jsonl")


def _complete_lines(path: Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="ascii") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
