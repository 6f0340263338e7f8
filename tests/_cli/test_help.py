"""Finding a command: `whyops help`, a word that is none, and what a shell completes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests._cli.test_commands import store
from tests._render.recordings import Run
from whyops._cli._main import COMMANDS, main


@pytest.mark.parametrize(
    "words, told", [(["shwo", "last"], "'show'"), (["--home", "list", "lst"], "'list'"), (["help", "repot"], "'report'")]
)
def test_a_mistyped_command(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The nearest one is named."""
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert f"did you mean {told}?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words, told",
    [
        (["list", "--eror"], "--eror; did you mean '--errors'?"),
        (["list", "--user", "ada", "--agnt=x"], "--agnt=x; did you mean '--agent'?"),
        (["list", "--xyzzy"], "unrecognized arguments: --xyzzy\n"),
        (["list", "more"], "unrecognized arguments: more\n"),
    ],
)
def test_a_mistyped_option(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The nearest one of the command is named, under the command's own usage."""
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    text = capsys.readouterr().err
    assert text.startswith("usage: whyops list ")
    assert told in text


@pytest.mark.parametrize("words", [["show"], ["show", "--for-llm"], ["report"]])
def test_no_id(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A command that needs a trace's id says how the latest one is named."""
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.endswith("required: ID; 'last' is the latest trace\n")


def test_a_word_like_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    """All commands are named."""
    with pytest.raises(SystemExit):
        main(["xyzzy"])
    told = capsys.readouterr().err
    assert all(command.name in told for command in COMMANDS)


def test_help_is_that_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """`whyops help show` is `whyops show --help`; `whyops help` lists all commands."""
    assert main(["help", "show"]) == 0
    text = capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["show", "--help"])
    assert capsys.readouterr().out == text
    assert main(["help"]) == 0
    listed = capsys.readouterr().out
    assert all(f"    {command.name} " in listed for command in COMMANDS)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    "line, expected",
    [("whyops sh", {"show"}), ("whyops show --fu", {"--full"}), ("whyops show la", {"last"}), ("whyops completion b", {"bash"})],
)
def test_bash_completes(line: str, expected: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Commands, their options and their words, as bash itself finds them in the script."""
    assert main(["completion", "bash"]) == 0
    words = line.split()
    ask = f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _whyops; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    script = f"{capsys.readouterr().out}\n{ask}"
    done = subprocess.run(
        ["bash", "--norc", "-c", script], env={"PATH": ""}, executable=shutil.which("bash"), capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_command_is_in_each_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """None is forgotten."""
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(command.name in script for command in COMMANDS)


def test_ids_are_the_newest_and_plain_words(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An id that a shell would see more in than a word is not offered."""
    runs = [Run("plain-1"), Run("two words"), Run("a;b"), Run("plain_2")]
    for run in runs:
        run.user("Hi")
    store(home, *runs)
    assert main(["completion", "ids"]) == 0
    assert set(capsys.readouterr().out.split()) == {"plain-1", "plain_2"}


@pytest.mark.parametrize("argv", [[], ["--home", "folder"]])
def test_no_command_shows_what_there_is(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """All commands with what each does, on stderr, as nothing was done; the exit code is that of wrong arguments."""
    with pytest.raises(SystemExit, match="2"):
        main(argv)
    out, err = capsys.readouterr()
    assert out == ""
    assert "list the recorded traces" in err
