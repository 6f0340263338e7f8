"""The command `whyops`, as a person and as a pipe meet it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests._render.recordings import Run, conversation
from whyops import errors
from whyops._cli._main import main
from whyops._find import find_trace
from whyops._store.sink import SqliteSink

PYTHON = [sys.executable, "-m", "whyops"]


def store(home: Path, *runs: Run | list[dict[str, object]]) -> None:
    sink = SqliteSink(home)
    for run in runs:
        sink.send([json.dumps(event).encode() + b"\n" for event in (run.events if isinstance(run, Run) else run)])
    sink.close()


def started(words: Sequence[str], home: Path, **options: object) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "WHYOPS_HOME": str(home)}
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "preexec_fn": heed_interrupts if os.name == "posix" else None}
    return subprocess.Popen([*PYTHON, *words], env=environment, **piped, **options)  # type: ignore[call-overload, no-any-return]


def heed_interrupts() -> None:
    """Let a process be interrupted, also where the tests run in the background of a shell, which has all that it starts ignore that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_list_and_show(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was recorded is listed, and shown by its id, by the beginning of that, and as the last."""
    other = Run("another")
    other.user("Hi")
    store(home, other, conversation())
    assert main(["list"]) == 0
    listed = capsys.readouterr()
    assert [line.split()[0] for line in listed.out.splitlines()] == ["TRACE", "session-123", "another"]
    assert listed.err == ""
    shown = set()
    for word in ("session-123", "sess", "last"):
        assert main(["show", word]) == 0
        shown.add(capsys.readouterr().out)
    (text,) = shown
    assert text.startswith("session-123 ")
    assert "└─ close_ticket(ticket=7) → no response recorded\n" in text
    assert "\x1b" not in text
    assert main(["show", "last", "--full"]) == 0
    assert "shop.py" in capsys.readouterr().out


@pytest.mark.parametrize(
    "word, expected",
    [
        ("nope", "whyops: No trace's id is or begins with 'nope'. `whyops list` shows those there are.\n"),
        ("\x1b[2J", "whyops: No trace's id is or begins with '\\x1b[2J'. `whyops list` shows those there are.\n"),
    ],
)
def test_an_unknown_id_is_one_line(home: Path, capsys: pytest.CaptureFixture[str], word: str, expected: str) -> None:
    """An id that nobody knows is said on stderr, in one line, with exit code 1."""
    store(home, conversation())
    assert main(["show", word]) == 1
    assert capsys.readouterr() == ("", expected)


def test_hostile_ids_in_an_error(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error that names ids from the store does nothing to the terminal either."""
    for number in range(2):
        store(home, Run(f"a\u202e{number}").events or [{**conversation()[0], "traceId": f"a\x1b[2J\u202e{number}"}])
    assert main(["show", "a"]) == 1
    assert [char for char in capsys.readouterr().err if not char.isprintable()] == ["\n"]


def test_nothing_recorded_yet(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty list is no error, and says so beside the output; a trace that isn't there is one. Looking makes no file."""
    assert main(["list"]) == 0
    assert capsys.readouterr() == ("", f"No trace has been recorded in {home} yet.\n")
    assert main(["show", "last"]) == 1
    assert capsys.readouterr() == ("", f"whyops: No trace has been recorded in {home} yet.\n")
    assert not home.exists()


def test_nothing_that_the_options_choose(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That there are other traces is said."""
    run = Run("t-1")
    run.user("Hi")
    store(home, run)
    assert main(["list", "--agent", "nobody"]) == 0
    assert capsys.readouterr() == ("", f"No such trace has been recorded in {home}; it has 1 other.\n")


@pytest.mark.parametrize("words", [["--home", "{}", "show", "last"], ["show", "--home", "{}", "last"], ["list", "--home", "{}"]])
def test_the_home_may_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    """`--home` is taken before the command and after it, and wins over the environment."""
    store(tmp_path / "elsewhere", conversation())
    assert main([word.format(tmp_path / "elsewhere") for word in words]) == 0
    assert "session-123" in capsys.readouterr().out


def test_a_limited_list(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The list is as long as asked for; twenty, if nothing is asked."""
    runs = [Run(f"t-{number}") for number in range(25)]
    for run in runs:
        run.user("Hi")
    store(home, *runs)
    lengths = []
    for words in ([], ["-n", "3"], ["--limit", "3"], ["--all"]):
        assert main(["list", *words]) == 0
        lengths.append(len(capsys.readouterr().out.splitlines()) - 1)
    assert lengths == [20, 3, 3, 25]


@pytest.mark.parametrize("words", [[], ["nonsense"], ["show"], ["list", "-n", "0"], ["list", "-n", "x"], ["list", "--nonsense"]])
def test_words_that_are_not_understood(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake in the words is exit code 2, with the usage."""
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("usage: whyops")


@pytest.mark.parametrize("words", [["--help"], ["list", "--help"], ["show", "--help"]])
def test_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each command explains itself."""
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 0
    assert "--home FOLDER" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is that of the installed package."""
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    name, version = capsys.readouterr().out.split()
    assert name == "whyops"
    assert version[0].isdigit()


def test_a_damaged_store_is_one_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is no store gives a clear line, not a traceback."""
    home.mkdir()
    (home / "traces.db").write_bytes(b"no store at all " * 500)
    assert main(["list"]) == 1
    assert "is damaged, or no store of WhyOps" in capsys.readouterr().err


def test_a_reader_that_goes_away(home: Path) -> None:
    """With `whyops … | head` nothing is said on stderr."""
    run = Run()
    for number in range(400):
        run.tool("f", {"n": number}, "x" * 400, f"s{number}")
    store(home, run)
    process = started(["show", "last"], home)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_any_encoding(home: Path, encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the output's encoding can't draw lines or say a letter, plain characters and escapes stand for them."""
    run = Run()
    run.user("Grüße aus 東京 \ud800")
    run.tool("f", {}, 1, "s1")
    store(home, run)
    for words in (["show", "last"], ["list"]):
        written = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
        assert main(words) == 0
        text = written.getvalue().decode(encoding)
        assert ("Grüße" in text) == (encoding != "ascii")
        assert ("東京" in text) == (encoding == "utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    "environment, colored", [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)]
)
def test_colour_on_a_terminal_only(home: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, *, colored: bool) -> None:
    """A terminal gets colours, unless it or its user doesn't want them, and lines as wide as it is."""
    import pty  # noqa: PLC0415

    store(home, conversation())
    theirs, ours = pty.openpty()
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in ({"TERM": "xterm", "COLUMNS": "66"} | environment).items():
        monkeypatch.setenv(name, value)
    output = bytearray()

    def read() -> None:
        with contextlib.suppress(OSError):  # the other end is closed
            while part := os.read(theirs, 65536):
                output.extend(part)

    reader = threading.Thread(target=read)
    reader.start()
    with monkeypatch.context() as patched, os.fdopen(ours, "w", encoding="utf-8") as terminal:
        patched.setattr(sys, "stdout", terminal)
        assert main(["show", "last", "--no-pager"]) == 0
    reader.join()
    os.close(theirs)
    assert (b"\x1b[" in output) == colored
    if not colored:
        assert max(map(len, output.decode().splitlines())) == 66


KILLED = """
import os
import whyops

@whyops.tool
def fine(x):
    return x + 1

@whyops.tool
def fatal():
    os.kill(os.getpid(), 9)

with whyops.trace("killed") as trace:
    fine(1)
    with trace.model_call("small", "acme", [{"role": "user", "content": "Hi"}]):
        fatal()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs kill -9 and file locks")
def test_what_a_killed_process_recorded_is_shown(home: Path) -> None:
    """A process that was killed in the middle of a call left its events behind: `show` stores them first, and says where it ended.

    So it does of the model that was asked, and `model_calls` knows it.
    """
    environment = {**os.environ, "WHYOPS_HOME": str(home)}
    killed = subprocess.run([sys.executable, "-c", KILLED], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    shown = subprocess.run([*PYTHON, "show", "last"], env=environment, capture_output=True, text=True, check=True)
    assert "fine(x=1) → 2" in shown.stdout
    assert "fatal() → process ended here" in shown.stdout
    assert "→ process ended before the model answered" in shown.stdout
    assert "incomplete: 2 calls without a response" in shown.stdout
    assert shown.stderr == ""
    assert [call.interrupted for call in find_trace("killed", home, None).model_calls] == ["process ended"]


SLOW = """
import time
import whyops

@whyops.tool
def slow():
    print("now", flush=True)
    time.sleep(30)

with whyops.trace("alive") as trace:
    trace.user_message_sync([{"role": "user", "content": "Hi"}])
    slow()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs file locks")
def test_a_call_of_a_living_process_is_open(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """While a process runs, its calls without a response are open, and its waiting events are left to it."""
    process = subprocess.Popen([sys.executable, "-c", SLOW], env={**os.environ, "WHYOPS_HOME": str(home)}, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        deadline = time.monotonic() + 20
        while main(["show", "alive"]) != 0 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert "slow() → still open" in capsys.readouterr().out
    finally:
        process.kill()
        process.wait()
    assert main(["show", "alive"]) == 0
    assert "slow() → process ended here" in capsys.readouterr().out


def test_interrupted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends a command with 130, without a traceback."""
    from whyops._cli import list_traces  # noqa: PLC0415

    def interrupt(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(list_traces, "absorb_local", interrupt)
    assert main(["list", "--home", str(home)]) == 130


def test_errors_of_ours_are_what_commands_catch() -> None:
    """The store's errors are in the tree that commands turn into a line."""
    assert issubclass(errors.StoreError, errors.WhyOpsError)


UNSEEN = """
import whyops

sdk = whyops.configure(outbox="memory")

@whyops.tool
def slow():
    sdk.flush_sync()
    print("now", flush=True)
    input()

with whyops.trace("alive"):
    slow()
"""


def test_a_process_that_nobody_can_see(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a process without an outbox file nobody knows whether it still runs, so nothing is said about its end."""
    environment = {**os.environ, "WHYOPS_HOME": str(home)}
    with subprocess.Popen([sys.executable, "-c", UNSEEN], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"now\n"
        assert main(["show", "alive"]) == 0
        assert "slow() → no response recorded" in capsys.readouterr().out
        process.communicate(b"\n")
    assert main(["show", "alive"]) == 0
    assert "slow() → null" in capsys.readouterr().out
