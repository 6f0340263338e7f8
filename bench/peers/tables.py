"""The figures of a run as Markdown."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from results import Results

COLUMNS = ("bare", "floor", "ours", "uncompiled", "otel", "logfire", "langfuse", "langsmith", "published")
TITLES = {
    "bare": "bare function",
    "floor": "floor",
    "ours": "**whyops**",
    "uncompiled": "whyops (uncompiled)",
    "otel": "OpenTelemetry",
    "logfire": "Logfire",
    "langfuse": "Langfuse",
    "langsmith": "LangSmith",
    "published": "whyops 0.1.1",
}


@dataclass(frozen=True)
class Row:
    """One figure of one scenario."""

    title: str
    scenario: str
    figure: str
    digits: int = 1
    compared: bool = True


ROWS = (
    Row("loop: p50, µs/call", "burst", "p50_us"),
    Row("loop: mean", "burst", "mean_us"),
    Row("loop: p99", "burst", "p99_us", 0),
    Row("loop: caller's CPU", "burst", "caller_cpu_us"),
    Row("loop: all CPU until delivered", "burst", "cpu_us"),
    Row("500 calls/s: p50, µs/call", "paced", "p50_us"),
    Row("500 calls/s: p99", "paced", "p99_us", 0),
    Row("500 calls/s: all CPU", "paced", "cpu_us"),
    Row("async loop: p50, µs/call", "async", "p50_us"),
    Row("async loop: p99", "async", "p99_us", 0),
    Row("beside a busy thread: p50, µs/call", "beside", "p50_us"),
    Row("beside a busy thread: mean", "beside", "mean_us", 0),
    Row("import, ms", "import", "ms", 0),
    Row("import: modules", "import", "modules", 0, compared=False),
    Row("process start to first call, s", "first", "s", 3),
    Row("modules after the first call", "first", "modules", 0, compared=False),
    Row("loop: requests", "burst", "requests", 0, compared=False),
    Row("loop: bytes on the wire", "burst", "bytes", 0, compared=False),
    Row("near: calls", "near", "calls", 0, compared=False),
    Row("near: arrived", "near", "arrived", 0, compared=False),
    Row("near: mean, µs/call", "near", "mean_us"),
    Row("near: flush, s", "near", "flush_s", 2, compared=False),
    Row("near: peak memory, MB", "near", "mb", 0),
    Row("50 ms away: calls", "far", "calls", 0, compared=False),
    Row("50 ms away: arrived", "far", "arrived", 0, compared=False),
    Row("50 ms away: mean, µs/call", "far", "mean_us"),
    Row("50 ms away: flush, s", "far", "flush_s", 2, compared=False),
    Row("50 ms away: peak memory, MB", "far", "mb", 0),
    Row("kill -9 after 100 calls: arrived", "kill", "arrived", 0, compared=False),
    Row("service well: mean, µs/call", "well", "mean_us", 0),
    Row("service refuses: mean, µs/call", "down", "mean_us", 0),
    Row("service refuses: worst call, ms", "down", "worst_ms", 1, compared=False),
    Row("service refuses: exit, s", "down", "exit_s", 1, compared=False),
    Row("service hangs: mean, µs/call", "hang", "mean_us", 0),
    Row("service hangs: worst call, ms", "hang", "worst_ms", 1, compared=False),
    Row("service hangs: exit, s", "hang", "exit_s", 1, compared=False),
)


def figures(results: Results, rows: tuple[Row, ...] = ROWS) -> str:
    """Return medians, and how many times OpenTelemetry's they are in the same rounds."""
    columns = [name for name in COLUMNS if any(record.peer == name for record in results.records)]
    lines = ["| | " + " | ".join(TITLES[name] for name in columns) + " |", "|---|" + "--:|" * len(columns)]
    lines += [f"| {row.title} | " + " | ".join(_cell(results, row, name) for name in columns) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def spreads(results: Results, rows: tuple[Row, ...] = ROWS) -> str:
    """Return the least and the most of the rounds, and their number."""
    columns = [name for name in COLUMNS if any(record.peer == name for record in results.records)]
    lines = ["| | " + " | ".join(TITLES[name] for name in columns) + " |", "|---|" + "--:|" * len(columns)]
    for row in rows:
        cells = []
        for name in columns:
            values = results.rounds(name, row.scenario, row.figure).values()
            cells.append(f"{min(values):.{row.digits}f} to {max(values):.{row.digits}f} ({len(values)})" if values else "")
        lines.append(f"| {row.title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(results: Results, row: Row, name: str) -> str:
    value = results.median(name, row.scenario, row.figure)
    if value is None:
        returned = results.rounds(name, row.scenario, "never_returned")
        return "no return" if returned and row.figure == "mean_us" else ""
    text = f"{value:.{row.digits}f}"
    if row.figure == "exit_s" and value > 29:
        return "> 30"
    other = results.median("otel", row.scenario, row.figure)
    if row.compared and other and name not in ("otel", "bare"):
        text += f" ({value / other:.2f}x)"
    return text


if __name__ == "__main__":
    measured = Results.load(Path(sys.argv[1]))
    print(figures(measured))
    print(spreads(measured))
