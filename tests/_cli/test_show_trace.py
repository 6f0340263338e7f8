"""`whyops show`: which part of a trace is shown, in which form, and through the pager."""

from __future__ import annotations

import io
import os
import sys
import threading
from pathlib import Path

import pytest

from tests._cli.test_commands import store
from tests._render.recordings import Run, conversation
from whyops._cli._main import main

pytestmark = pytest.mark.usefixtures("one_trace")


@pytest.fixture
def one_trace(home: Path) -> None:
    store(home, conversation())


class Screen(io.StringIO):
    """What a command takes for a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "words, holds, lacks",
    [
        (["--errors"], "✗ refund_order", "thinking"),
        (["--errors", "--full"], "✗ refund_order", "thinking"),
        (["--depth", "1"], "… 7 steps inside, 1 failed", "refund_order"),
        (["--numbers"], " 7 │  └─ ✗ refund_order", "--prompt"),
        (["--step", "7"], "step 7 of 12", "close_ticket"),
        (["--prompt", "1"], "+   Hello!", "refund_order"),
        (["--as-test"], "def test_session_123():", "tokens"),
    ],
)
def test_each_part(words: list[str], holds: str, lacks: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An option shows what it says, and no more."""
    assert main(["show", "last", *words]) == 0
    text = capsys.readouterr().out
    assert holds in text
    assert lacks not in text


@pytest.mark.parametrize(
    "words, said",
    [
        (["--step", "13"], "There is no step 13: trace 'session-123' has 12 steps. `whyops show --numbers` numbers them."),
        (["--prompt", "9"], "There is no model call 9: trace 'session-123' has 3 model calls. `whyops show --numbers` numbers them."),
        (["--json", "--depth", "2"], "--errors, --depth and --numbers are about the tree"),
        (["--step", "1", "--numbers"], "--errors, --depth and --numbers are about the tree"),
    ],
)
def test_what_can_not_be_shown(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A number that there is none of, and what would narrow down no tree, end in one line."""
    assert main(["show", "last", *words]) == 1
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


def test_a_test_in_an_encoding_that_lacks_letters(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it can't say is an escape in a Python text."""
    run = Run("ü")
    run.user("Grüße")
    store(home, run)
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii"))
    assert main(["show", "ü", "--as-test"]) == 0
    assert b"agent('Gr\\xfc\\xdfe')" in written.getvalue()


@pytest.mark.skipif(os.name == "nt", reason="Windows pages nothing")
@pytest.mark.parametrize(
    "lines, pager, words, is_paged",
    [
        (10, "cat >", (), True),
        (10, "cat >", ("--no-pager",), False),
        (100, "cat >", (), False),  # it fits
        (10, "cat", (), False),
        (10, "", (), False),
        (10, "no-such-pager >", (), False),
        (10, "head -n 1 >", (), True),  # the user leaves it early
    ],
)
def test_long_texts_are_paged(
    lines: int, pager: str, words: tuple[str, ...], *, is_paged: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal, what has more lines than it goes through `$PAGER`; where there is none, or the user wants none, it is written."""
    monkeypatch.setenv("LINES", str(lines))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("PAGER", f"{pager} {tmp_path / 'paged'}" if pager.endswith(">") else pager)
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    assert main(["show", "last", *words]) == 0
    paged = (tmp_path / "paged").read_text("utf-8") if (tmp_path / "paged").exists() else ""
    assert ("session-123" in paged, "session-123" in screen.getvalue()) == (is_paged, not is_paged)


def test_a_pipe_is_never_paged(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the output is no terminal, all of it is written."""
    monkeypatch.setenv("LINES", "2")
    monkeypatch.setenv("PAGER", "false")
    assert main(["show", "last"]) == 0
    assert "session-123" in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="Windows pages nothing")
def test_a_thread_pages_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Ctrl-C can't be left to the pager, as in a thread, the text is paged all the same."""
    monkeypatch.setenv("LINES", "5")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("PAGER", f"cat > {tmp_path / 'paged'}")
    monkeypatch.setattr(sys, "stdout", Screen())
    thread = threading.Thread(target=main, args=(["show", "last"],))
    thread.start()
    thread.join(30)
    assert "session-123" in (tmp_path / "paged").read_text("utf-8")
