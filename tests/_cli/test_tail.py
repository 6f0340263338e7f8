"""`whyops tail`: each step of all runs, as it ends."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import whyops
from tests._render.recordings import Run
from whyops._render.terminal.live_line import live_line
from whyops._trace.recorded import RecordedTrace

TIMEOUT = 20


@whyops.tool
def search(q: str) -> str:
    if q == "bad":
        raise ValueError("no\nway")
    return q * 2


def run_agent(home: Path, trace_id: str, *questions: str) -> None:
    sdk = whyops.WhyOps(agent_name="a", home=home)
    with sdk.trace(trace_id):
        for question in questions:
            with contextlib.suppress(ValueError):
                search(question)
    sdk.close_sync()


def lines_of(home: Path, *words: str) -> tuple[subprocess.Popen[str], queue.Queue[str]]:
    """Start the command; it is ready when its first look was made, which is told by nothing: so runs are made until one is seen."""
    process = subprocess.Popen([sys.executable, "-m", "whyops", "--home", str(home), "tail", *words], stdout=subprocess.PIPE, text=True)
    found: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in process.stdout or ():
            found.put(line)

    threading.Thread(target=read, daemon=True).start()
    return process, found


def test_a_line_for_each_step(home: Path) -> None:
    """A run of another process is seen while the command goes on: what it called, what came back, what failed, each once."""
    process, found = lines_of(home, "--trace", "seen")
    try:
        for number in range(100):
            run_agent(home, f"seen-{number}", "x", "bad")
            run_agent(home, f"other-{number}", "y")
            try:
                first = found.get(timeout=0.5)
                break
            except queue.Empty:
                continue
        second = found.get(timeout=TIMEOUT)
    finally:
        process.kill()
        process.communicate()
    assert 'search(q="x") → "xx"' in first
    assert '✗ search(q="bad") → ValueError: no way' in second
    assert first.split()[1] == second.split()[1]
    rest = list(found.queue)
    assert not any("other" in line for line in rest)
    assert len(set(rest)) == len(rest)


@pytest.mark.parametrize("width", [40, 80, None])
def test_a_line_fits(width: int | None) -> None:
    """It is one line, and no wider than the terminal; where there is none nothing is cut."""
    run = Run("session-" + "1" * 40)
    run.tool("search", {"q": "x\x1b[2J" * 40}, "東京" * 80, "s1")
    (step,) = RecordedTrace.from_events(run.events).steps
    text = live_line(step, width=width, color=False, encoding="utf-8", zone=None)
    assert text.count("\n") == 1
    assert "\x1b" not in text
    assert "12 ms" in text
    assert (len(text) > 300) if width is None else (len(text) <= width + 1)
