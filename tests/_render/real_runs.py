"""Real runs of LangGraph and LlamaIndex with scripted models, whose events are kept to be looked at in each view.

`python -m tests.integrations.record_runs` records them again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("runs")
NAMES = ("hand_off", "team", "parallel", "cancelled", "resumed", "tries", "reviewed")


def recorded(name: str) -> list[dict[str, Any]]:
    """Return the events of a run."""
    events: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return events
