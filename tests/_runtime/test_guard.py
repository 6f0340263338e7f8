"""Recording never raises, and trouble is said once."""

from __future__ import annotations

import sys

import pytest

from whyops._runtime import guard
from whyops._runtime.guard import Notices


def test_trouble_is_said_once_then_once_a_minute_with_a_count(caplog):
    """A kind of trouble is logged at once, then not for a minute, then with the number of times in between."""
    now = [0.0]
    notices = Notices(clock=lambda: now[0])
    for second in (0.0, 1.0, 59.0, 61.0, 62.0):
        now[0] = second
        notices.say("full", "The outbox is full (%s).", "here")
    notices.say("other", "Something else.")
    assert [record.getMessage() for record in caplog.records] == [
        "The outbox is full (here).",
        "The outbox is full (here). (2 more times since this was last said)",
        "Something else.",
    ]


def test_a_fault_of_ours_costs_an_event(monkeypatch, caplog):
    """Outside tests a guarded function gives None where it would raise, and says so; Ctrl-C passes."""
    monkeypatch.setattr(guard, "reraise", False)

    @guard.recording
    def broken(error: BaseException) -> int:
        raise error

    assert broken(ZeroDivisionError("x")) is None
    assert "could not be recorded (ZeroDivisionError: x)" in caplog.text
    with pytest.raises(KeyboardInterrupt):
        broken(KeyboardInterrupt())


def test_a_call_that_the_method_does_not_take_is_no_fault_of_ours(caplog):
    """Whoever leaves an argument out is told which, and is not asked to report it."""

    @guard.recording
    def record(messages: object) -> None:
        raise AssertionError

    assert record() is None  # pyright: ignore[reportCallIssue]
    (said,) = caplog.messages
    assert "missing 1 required positional argument: 'messages'" in said
    assert "report" not in said


def test_under_test_a_fault_of_ours_is_raised():
    """Our own tests see what the guard would hide."""

    @guard.recording
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()


def test_what_others_say_does_nothing_in_a_log(caplog):
    """Whoever's words a line quotes, it stays one line, printable and bounded; numbers stay numbers."""
    hostile = "\x1b[31mred\n CRITICAL root: forged \u202e" + "x" * 5000
    guard.log(guard.WARNING, "%s, %r, %s: %d and %.1f", hostile, hostile, ValueError(hostile), 5, 0.5)
    (said,) = caplog.messages
    assert said.isprintable()
    assert "\\x1b[31mred\\n CRITICAL" in said
    assert said.endswith(": 5 and 0.5")
    assert len(said) < 3 * guard.MOST_CHARACTERS + 50


def test_where_logging_can_not_be_loaded_it_is_said_later(monkeypatch, caplog):
    """No descriptor may be free for it: that raises nothing, and what was not said is said the next time."""
    notices = guard.Notices()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "logging", None)
        notices.say("kind", "Something happened.")
    assert caplog.messages == []
    notices.say("kind", "Something happened.")
    notices.say("kind", "Something happened.")
    assert caplog.messages == ["Something happened."]
