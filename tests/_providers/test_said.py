"""What a message is known by: its seal is another as soon as a part of it is, or is of another type."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from whyops._providers.said import seal_of

CALL = {"name": "look_up", "args": {"n": 1, "places": ["Rome", None]}, "id": "call-1"}


@pytest.mark.parametrize(
    "other",
    [
        {**CALL, "args": {"n": 2, "places": ["Rome", None]}},
        {**CALL, "args": {"n": True, "places": ["Rome", None]}},
        {**CALL, "args": {"n": 1.0, "places": ["Rome", None]}},
        {**CALL, "args": {"n": 1, "places": ("Rome", None)}},
        {**CALL, "args": {"n": 1, "places": ["Rome"]}},
        {**CALL, "more": None},
    ],
)
def test_another_value_has_another_seal(other: dict[str, Any]) -> None:
    """Also where Python calls the two equal."""
    assert seal_of(CALL) != seal_of(other)


def test_the_same_value_has_the_same_seal() -> None:
    """Whoever else refers to it or to its parts."""
    held = [CALL, CALL["args"]]
    assert seal_of(copy.deepcopy(CALL)) == seal_of(CALL)
    assert len(held) == 2


@pytest.mark.parametrize("part", [object(), type("Text", (str,), {})("a"), type("Dict", (dict,), {})(), range(2)])
def test_what_may_change_unseen_has_none(part: object) -> None:
    """Classes of the application's own, those of built-in types included."""
    assert seal_of({"args": {"part": part}}) is None
