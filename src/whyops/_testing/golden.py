"""A golden run: a file with what a run decided, that later runs are compared with.

The file is JSON with the run's events, without what changes with each run: ids are numbered, times are places in the order.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path

from .._render.terminal.diff import render_diff
from .._trace.alignment import aligned, without_ids, without_names
from .._trace.recorded import RecordedTrace
from .._wire.stable import stable_events

FORMAT = 1
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
    events = list(stable_events(trace.events, lambda content: _stable(without_names(content, ignore))))
    return json.dumps({"goldenRun": FORMAT, "events": events}, indent=1, ensure_ascii=False) + "\n"


def _stable(value: object) -> object:
    """Return a value without the ids and times in it that change with each run."""
    if isinstance(value, str):
        return without_ids(value)
    if isinstance(value, Mapping):
        return {name: _stable(item) for name, item in value.items()}
    return [_stable(item) for item in value] if isinstance(value, list) else value
