"""`whyops diff`: two traces beside each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests._cli.test_commands import store
from tests._render.diff_snapshots import parted
from whyops._cli._main import main


def test_two_stored_traces_are_compared(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are named as everywhere, and the first place where they part is said."""
    store(home, *parted())
    assert main(["diff", "session-122", "session-123"]) == 0
    out = capsys.readouterr().out
    assert "They part at step 8 of 12: 4 steps differ, 1 step with another result." in out
    assert main(["diff", "session-122", "session-122"]) == 0
    assert capsys.readouterr().out.endswith("Both did the same: 11 steps.\n")


def test_a_trace_that_is_not_there(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is an error that names it."""
    store(home, *parted())
    assert main(["diff", "session-122", "nope"]) == 1
    assert "nope" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["diff"], ["diff", "last"]])
def test_two_are_needed(words: list[str]) -> None:
    """Fewer are a usage error."""
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
