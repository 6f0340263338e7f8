"""A line of `whyops list`, from what the store knows of a trace."""

from __future__ import annotations

from dataclasses import replace

from whyops._cli.list_traces import row_of
from whyops._store.reader import TraceSummary

SUMMARY = TraceSummary(
    opening=None,
    trace_id="checkout-0001",
    agent_name="support",
    external_user_id="user_1",
    started_at="2026-11-23T18:14:05.000000Z",
    active_at="2026-11-23T18:14:07.500000Z",
    events=8,
    calls=2,
    errors=0,
    tokens_in=1000,
    tokens_out=58,
)


def test_a_line_is_made_of_the_summary() -> None:
    """Tokens are summed, the time from first to last event is in milliseconds, and the first user message is the text."""
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
    row = row_of(replace(SUMMARY, opening={"content": messages}))
    assert (row.asked, row.tokens, row.duration_ms) == ("Hi", 1058, 2500.0)


def test_what_is_unknown() -> None:
    """Times that can't be read, and a trace without a message, leave their fields empty."""
    row = row_of(replace(SUMMARY, started_at="?", active_at="?"))
    assert (row.asked, row.active_at, row.duration_ms) == ("", None, 0.0)
