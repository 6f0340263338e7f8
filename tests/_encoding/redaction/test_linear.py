"""No search over what a user passes grows faster than the text: counted in steps, not in seconds."""

from __future__ import annotations

import pytest

from tests._encoding.redaction.backtracking import Counted, Counter, counted
from tests._encoding.redaction.hostile_texts import texts
from whyops._encoding.encoder import Encoder
from whyops._encoding.redaction.redactor import Redactor
from whyops._wire.signature import strip_signature

SIZES = dict.fromkeys(texts(600), 600) | {"mixed": 4_000}
"""At which size each text is searched first; what is drawn at random is even only when it is longer."""


def steps(text: str) -> int:
    """Return the steps of all that looks through a text."""
    redactor = Redactor(["ssn"], ["secret_token"], ["the-key"])
    with counted() as counter:
        redactor.redact(text + " the-key")
        strip_signature(text)
    return counter.steps


@pytest.mark.parametrize("name, size", SIZES.items(), ids=list(SIZES))
def test_twice_the_text_takes_twice_the_steps(name: str, size: int) -> None:
    """However a text is made, its search grows with its length, not with its square, and each character takes a bounded number of steps."""
    once, twice = steps(texts(size)[name]), steps(texts(2 * size)[name])
    assert twice <= 2.5 * once + size
    assert twice <= 400 * 2 * size


@pytest.mark.parametrize("name", ["brackets", "escaped quotes", "tables", "keys that are none"])
def test_what_surrounds_the_search_repeats_it_a_few_times_only(name: str) -> None:
    """A value that turns out too long when it is written as JSON is shortened without being searched again each time."""
    text = texts(4_000)[name]
    encoder = Encoder(max_value_bytes=4_000)
    redactor = Redactor()
    with counted() as alone:
        redactor.redact(text)
    with counted() as counter:
        encoder.encode({"v": text})
    assert counter.steps <= 3 * alone.steps


def test_steps_are_counted() -> None:
    """The count itself sees a search that grows with the square: it is no proof otherwise."""

    def count(size: int) -> int:
        counter = Counter()
        assert Counted(r"\\\\*\"", 0, counter).search("\\\\" * size) is None
        return counter.steps

    assert count(400) > 3.5 * count(200)
