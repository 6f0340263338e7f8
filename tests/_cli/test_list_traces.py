"""A line of `whyops list`, from what the store knows of a trace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests._cli.test_commands import store
from tests._render.recordings import Run
from whyops._cli._main import main
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
    row = row_of(SUMMARY._replace(opening={"eventType": "user_message", "content": messages}))
    assert (row.asked, row.tokens, row.duration_ms) == ("Hi", 1058, 2500.0)


def test_what_is_unknown() -> None:
    """Times that can't be read, and a trace without a message, leave their fields empty."""
    row = row_of(SUMMARY._replace(started_at="?", active_at="?"))
    assert (row.asked, row.active_at, row.duration_ms) == ("", None, 0.0)


def test_a_trace_in_which_nobody_speaks() -> None:
    """The call that it is stands where a question would."""
    called = {"eventType": "tool_call_request", "content": {"toolCalls": [{"name": "look_up", "arguments": {"order": "123"}}]}}
    assert row_of(SUMMARY._replace(opening=called, calls=1)).asked == 'look_up(order="123")'


def test_as_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole of each line, under the names of `show --json`; an empty list where there is nothing."""
    assert main(["list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"total": 0, "traces": []}
    run = Run("a")
    run.user("Where is it?")
    run.tool("look_up", {}, {"error": "no"}, "s1")
    store(home, run)
    assert main(["list", "--json", "-n", "1"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "total": 1,
        "traces": [
            {
                "traceId": "a",
                "agentName": "support",
                "externalUserId": "user_12345",
                "lastActiveAt": "2026-11-23T18:14:05.137456Z",
                "durationMs": 13.0,
                "events": 3,
                "toolCalls": 1,
                "errors": 1,
                "tokens": 0,
                "asked": "Where is it?",
            }
        ],
    }


@pytest.mark.parametrize(
    "words, expected",
    [
        (["list", "--tool", "lok_up"], "No such trace has been recorded in {home}; it has 1 other. Did you mean 'look_up'?"),
        (["list", "--tool", "zzz"], "No such trace has been recorded in {home}; it has 1 other."),
        (["list", "--tool", "look_up", "--user", "nobody"], "No such trace has been recorded in {home}; it has 1 other."),
        (
            ["show", "sesion-1"],
            "No trace's id is or begins with 'sesion-1'. Did you mean 'session-1'? `whyops list` shows those there are.",
        ),
        (["show", "zzz"], "No trace's id is or begins with 'zzz'. `whyops list` shows those there are."),
    ],
)
def test_the_nearest_name(words: list[str], expected: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tool and an id that are not there are met with the one that is most like them, if any is."""
    run = Run("session-1")
    run.tool("look_up", {}, 1, "s1")
    store(home, run)
    main(words)
    assert capsys.readouterr().err.strip().removeprefix("whyops: ") == expected.format(home=home)
