"""What tells the proxy which trace and which user a request belongs to."""

from __future__ import annotations

import pytest

from tests._recording.recording import Recording

TRACE = {"X-Trace-ID": "t-1", "X-Thread-ID": "t-1"}


def test_a_trace_and_its_user_are_named(caplog):
    """By the id that the service stores, also when the user becomes known later; a trace without a user names none."""
    trace = Recording().trace("t-1")
    assert trace.headers() == TRACE
    trace.error_sync("no", external_user_id="user 1")
    assert trace.headers() == {**TRACE, "X-External-User-Id": "user 1"}
    assert not caplog.records


@pytest.mark.parametrize("user", ["Jörg", "日本", " user", "user_1 "])
def test_an_id_that_no_header_can_hold_is_left_out_and_said_once(caplog, user):
    """A header takes printable ASCII without blanks around it; in any other form the service would store another id."""
    trace = Recording().trace("t-1", user)
    assert [trace.headers(), trace.headers()] == [TRACE, TRACE]
    (record,) = caplog.records
    assert "can't be named to the WhyOps proxy" in record.getMessage()
