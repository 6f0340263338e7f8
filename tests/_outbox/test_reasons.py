"""Reasons that stand for events of several traces."""

from __future__ import annotations

import pytest

from whyops._outbox.reasons import general, together

LINE = b'{"traceId":"session-12","agentName":"agent","eventType":"error"}\n'


@pytest.mark.parametrize(
    "reason, said",
    [
        ("409 Trace session-12 belongs to another agent", "409 Trace … belongs to another agent"),
        ("409 Trace 'session-12': session-12.", "409 Trace '…': …."),
        ("409 Trace session-123 and my-session-12", "409 Trace session-123 and my-session-12"),
        ("sampled out by rate 0.2 (hash: 8231, a)", "sampled out by rate 0.2 (hash: …, a)"),
        ("Trace rejected by sampling (rate: 0.2, hash: 0.7345)", "Trace rejected by sampling (rate: 0.2, hash: …)"),
        ("sampled out by rate 0.2, 0.73451 is above", "sampled out by rate 0.2, … is above"),
        ("no trace 3f2a9c1e-77aa-4b6e-9d1f-001122334455 here", "no trace … here"),
        ("no trace 0123456789abcdef-17", "no trace …"),
        ("not a whole number from 0 to 2147483647", "not a whole number from 0 to 2147483647"),
        ("Span rejected by agent limit (1000/1000)", "Span rejected by agent limit (1000/1000)"),
        ("deadbeef defaced", "deadbeef defaced"),
        ("", ""),
    ],
)
def test_ids_and_hashes_are_left_out(reason: str, said: str) -> None:
    """What names one trace is left out; numbers and words of the sentence stay."""
    assert general(reason, [LINE, LINE]) == said


def test_a_short_id_may_be_a_word() -> None:
    """A sentence is not torn for an id of a letter or two."""
    line = LINE.replace(b"session-12", b"a")
    assert general("Trace a is a trace", [line, b"no line of ours"]) == "Trace a is a trace"


def test_reasons_that_are_one() -> None:
    """Those that differ in a hash alone are added up, the greatest number first."""
    reasons = {"none": 2, "hash 1a": 1, "hash 2b": 3}
    assert list(together(reasons).items()) == [("hash …", 4), ("none", 2)]
