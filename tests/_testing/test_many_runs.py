"""Several runs of the same agent: how often each tool was chosen."""

from __future__ import annotations

import itertools

import pytest

import whyops
from whyops.testing import repeat


@whyops.tool
def search() -> int:
    return 1


@whyops.tool
def guess() -> int:
    raise ValueError("no idea")


def agent_that_guesses(every: int):
    """Return an agent that guesses, in vain, in each n-th run, and looks it up in all others."""
    runs = itertools.count(1)

    def agent() -> None:
        if next(runs) % every:
            search()
            search()
        else:
            with pytest.raises(ValueError, match="no idea"):
                guess()

    return agent


def test_how_often_each_was_chosen() -> None:
    """In how many runs, not how many times."""
    runs = repeat(10, agent_that_guesses(5))
    assert runs.calling("search") == 8
    assert dict(runs.tools()) == {"search": 8, "guess": 2}
    assert runs.failing() == 2
    assert repr(runs) == "<10 runs: search in 8, guess in 2>"
    assert [len(run.calls()) for run in runs][:5] == [2, 2, 2, 2, 1]
    runs.at_least(8, "search").at_most(2, "guess")


def test_too_seldom() -> None:
    """The first run that is otherwise is shown."""
    with pytest.raises(AssertionError) as failed:
        repeat(4, agent_that_guesses(2)).at_least(3, "search")
    assert str(failed.value).startswith("search was called in 2 of 4 runs; expected: at least 3. The first without it:\n\n  guess() → ✗")


def test_too_often() -> None:
    """So is the first one with a call too many."""
    with pytest.raises(AssertionError, match=r"guess was called in 2 of 4 runs; expected: at most 1\. The first with it:"):
        repeat(4, agent_that_guesses(2)).at_most(1, "guess")


def test_an_exception_of_the_agent_passes() -> None:
    """A helper for tests hides nothing."""
    with pytest.raises(ValueError, match="no idea"):
        repeat(3, guess)
