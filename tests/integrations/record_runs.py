"""`python -m tests.integrations.record_runs [NAME …]` records again what the tests of the views look at."""

from __future__ import annotations

import json
import re
import sys
from datetime import datetime, timezone
from typing import Any

from tests._render.real_runs import FOLDER, NAMES
from tests.integrations.langchain import runs as langchain_runs
from tests.integrations.llama_index import runs as llama_index_runs

_BEGIN = datetime(2026, 11, 23, 18, 14, 5, tzinfo=timezone.utc)


def _kept(events: list[dict[str, Any]]) -> str:
    """Return events as text: from a time on that is always the same, from one process, and without this machine's paths."""
    shift = _BEGIN - min(datetime.fromisoformat(event["timestamp"].replace("Z", "+00:00")) for event in events)

    def moved(found: re.Match[str]) -> str:
        moment: datetime = datetime.fromisoformat(found[0].replace("Z", "+00:00")) + shift
        return moment.isoformat().replace("+00:00", "Z")

    for event in events:
        content = event["content"]
        if isinstance(content, dict):
            content.pop("stack", None)
    text = json.dumps(events, ensure_ascii=False, indent=1)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", moved, text)
    return re.sub(r"[0-9a-f]{16}-", "a" * 16 + "-", text) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for wanted in sys.argv[1:] or NAMES:
        recorder = llama_index_runs if hasattr(llama_index_runs, wanted) else langchain_runs
        (FOLDER / f"{wanted}.json").write_text(_kept(recorder.record(wanted)), encoding="utf-8")
