"""A golden run: a file with what a run decided, that later runs are compared with.

The file is JSON with the run's events, without what changes with each run: ids are numbered, times are places in the order.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from .._render.terminal.diff import render_diff
from .._trace.alignment import aligned, without_ids, without_names
from .._trace.recorded import RecordedTrace

FORMAT = 1
_KEPT = ("tool", "model", "provider", "finishReason", "interrupted", "parentSpanId", "structured_output")
"""The members of an event's metadata that tell what was decided."""
_BEGINNING = datetime(2000, 1, 1, tzinfo=timezone.utc)
_WIDTH = 110

update = False
"""Whether files are written instead of compared; `pytest --whyops-update` sets it."""


def check_golden(trace: RecordedTrace, path: str | os.PathLike[str], ignore: Collection[str]) -> None:
    """Compare a run with its golden one, or write that.

    Raises:
        AssertionError: They differ, or there is none; the text shows where they part.
    """
    __tracebackhide__ = True
    file = Path(path)
    if update:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_written(trace, ignore), encoding="utf-8")
        return
    golden = _read(file)
    if not all(pair.is_alike for pair in aligned(golden, trace, ignore)):
        text = render_diff(golden, trace, width=_WIDTH, color=False, names=("golden", "now"), ignore=ignore)
        raise AssertionError(f"The run is not as in {file}; `pytest --whyops-update` takes it as the new golden run.\n\n{text}")


def _read(file: Path) -> RecordedTrace:
    __tracebackhide__ = True
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AssertionError(f"There is no golden run {file} yet; `pytest --whyops-update` writes it.") from None
    except ValueError as error:
        raise AssertionError(f"{file} is no golden run: {error}") from error
    if not isinstance(data, dict) or data.get("goldenRun") != FORMAT or not isinstance(data.get("events"), list):
        raise AssertionError(f"{file} is no golden run that this version knows.")
    return RecordedTrace.from_events(data["events"], file.name)


def _written(trace: RecordedTrace, ignore: Collection[str]) -> str:
    events = [*_events(trace, ignore)]
    return json.dumps({"goldenRun": FORMAT, "events": events}, indent=1, ensure_ascii=False) + "\n"


def _events(trace: RecordedTrace, ignore: Collection[str]) -> Iterable[dict[str, Any]]:
    """Yield a run's events with ids that are numbers, and times that are places: how long a call took is how much happened in it."""
    spans: dict[str, str] = {}
    began: dict[str, int] = {}
    for place, event in enumerate(trace.events):
        metadata = {name: value for name, value in event.metadata.items() if name in _KEPT}
        if isinstance(parent := metadata.get("parentSpanId"), str):
            metadata["parentSpanId"] = spans.setdefault(parent, f"span-{len(spans) + 1}")
        known: dict[str, Any] = {"traceId": "golden", "eventType": event.type, "timestamp": _time(place)}
        if event.span_id:
            known["spanId"] = spans.setdefault(event.span_id, f"span-{len(spans) + 1}")
            if event.latency_ms is not None:
                metadata["latencyMs"] = place - began.get(event.span_id, place)
            began.setdefault(event.span_id, place)
        yield {**known, "metadata": metadata, "content": _stable(without_names(event.content, ignore))}


def _time(place: int) -> str:
    return (_BEGINNING + timedelta(milliseconds=place)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _stable(value: object) -> object:
    """Return a value without the ids and times in it that change with each run."""
    if isinstance(value, str):
        return without_ids(value)
    if isinstance(value, Mapping):
        return {name: _stable(item) for name, item in value.items()}
    return [_stable(item) for item in value] if isinstance(value, list) else value
