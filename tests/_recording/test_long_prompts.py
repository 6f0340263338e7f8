"""A prompt that is longer than one value may be: each of its messages has that bound, and all together have one."""

from __future__ import annotations

import json
from typing import Any

import whyops
from whyops.testing import capture

BOUND = 1_024


def recorded(messages: list[Any]) -> tuple[list[Any], int]:
    """Return the messages as they are recorded, and how many places were cut."""
    with capture(max_value_bytes=BOUND) as captured:
        with whyops.trace("t") as trace:
            trace.user_message_sync(messages)
        (event,) = captured.events
    return event["content"], event["metadata"].get("truncated", 0)


def test_many_messages_are_whole() -> None:
    """None of them is longer than a value may be."""
    messages = [{"role": "user", "content": f"{number} {'word ' * 100}"} for number in range(20)]
    assert recorded(messages) == (messages, 0)


def test_one_long_message_is_cut_alone() -> None:
    """The others are as they were."""
    short = {"role": "user", "content": "Hello"}
    (first, cut, last), cuts = recorded([short, {"role": "user", "content": "word " * 1_000}, short])
    assert (first, last, cuts) == (short, short, 1)
    assert "[cut: kept " in cut["content"]


def test_all_together_are_bounded() -> None:
    """How many were kept is said."""
    messages = [{"role": "user", "content": "word " * 150} for _ in range(500)]
    content, cuts = recorded(messages)
    assert cuts == 1
    assert content[-1] == f"…[cut: kept {len(content) - 1} of 500 items]"
    assert 64 * BOUND // 2 < len(json.dumps(content)) < 65 * BOUND
