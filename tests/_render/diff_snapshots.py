"""Two runs beside each other, kept as text, to be looked at. `python -m tests._render.diff_snapshots` writes them again."""

from __future__ import annotations

from tests._render.recordings import Run
from tests._render.snapshots import FOLDER
from whyops._render.terminal.diff import render_diff
from whyops._trace.recorded import RecordedTrace

NAMES = ("diff-80", "diff-160", "diff-40", "diff-80-full", "diff-80-ascii")
REQUEST = "Where is order 123? Refund it if it is late, and tell me in a few words what you did about it."
POLICY = "Orders that are more than five days late are refunded in full, unless the customer asked for the delay. "


def parted() -> tuple[Run, Run]:
    """Return two runs of an agent that was asked the same, and decided otherwise half-way."""
    return _refund("session-122", 50), _refund("session-123", 5)


def _refund(trace_id: str, amount: int) -> Run:
    run = Run(trace_id)
    run.user(REQUEST)
    run.model(None, [("search_orders", {"order_id": "123"})])
    run.tool("search_orders", {"order_id": "123"}, {"status": "late", "checked_at": f"2026-11-23T10:{amount:02}:00Z"}, "s1")
    for number in range(4):
        run.tool("wait_for_carrier", {"attempt": number}, {"arrived": False}, f"w{number}")
    run.tool("read_policy", {"topic": "refunds"}, POLICY * 3 + ("" if amount > 10 else "Gold customers wait ten days."), "s2")
    run.model(None, [("refund", {"order_id": "123", "amount": amount})])
    run.tool("refund", {"order_id": "123", "amount": amount, "note": "late by nine days"}, {"ok": True}, "s3")
    if amount < 10:
        run.tool("escalate", {"to": "a human", "order_id": "123"}, {"error": "nobody is on call"}, "s4")
    run.model(f"I refunded {amount} dollars of order 123, because it was late. I am sorry for that; it will not happen again.")
    return run


def made(name: str) -> str:
    """Render the text that a snapshot's name describes."""
    _, width, *options = name.split("-")
    first, second = (RecordedTrace.from_events(run.events) for run in parted())
    encoding = "ascii" if "ascii" in options else "utf-8"
    return render_diff(first, second, width=int(width), color=False, full="full" in options, encoding=encoding)


if __name__ == "__main__":
    for name in NAMES:
        (FOLDER / f"{name}.txt").write_text(made(name), encoding="utf-8")
