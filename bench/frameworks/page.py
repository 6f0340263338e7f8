"""Put a run's table into the documents, between the markers that name it: `report.py FIGURES`."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "performance.md"

ROWS = {
    "langgraph_agent": "LangGraph agent, a run: ms of CPU",
    "function_agent": "LlamaIndex FunctionAgent, a run: ms of CPU",
    "langchain_token": "a streamed token of LangChain's: µs",
}
COLUMNS = {
    "no-op": "no-op handler",
    "ours": "**whyops**",
    "langsmith": "LangSmith",
    "langfuse": "Langfuse",
    "openinference": "OpenInference",
    "mlflow": "MLflow",
    "opik": "Opik",
}

Figures = dict[str, dict[str, list[float]]]


def table(figures: Figures) -> str:
    """Return what each adds above the no-op handler, the median of the rounds; the handler's own column is what it costs itself."""
    lines = ["| | " + " | ".join(COLUMNS.values()) + " |", "|---|" + "--:|" * len(COLUMNS)]
    for scenario, title in ROWS.items():
        found = {name: statistics.median(samples) for name, samples in figures[scenario].items() if samples}
        scale = 1 if scenario == "langchain_token" else 1_000
        cells = []
        for name in COLUMNS:
            if name == "no-op":
                cells.append(f"{(found['no-op'] - found['bare']) / scale:.1f}")
            else:
                cells.append(f"{(found[name] - found['no-op']) / scale:.1f}" if name in found else "")
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def said(run: dict[str, dict[str, object]]) -> str:
    """Say with what it was measured."""
    versions = ", ".join(f"{COLUMNS[name]} {release}" for name, release in run["versions"].items())
    machine = run["machine"]
    return f"Measured {machine['measured']}: Python {machine['python']}, {machine['cores']} cores. {versions}.\n"


def main() -> None:
    """Write the page."""
    sys.path.append(str(HERE.parent / "peers"))
    from report import put  # noqa: PLC0415  (of the other bench)

    run = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    text = put(PAGE.read_text("utf-8"), "frameworks", f"{said(run)}\n{table(run['figures'])}")
    PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
