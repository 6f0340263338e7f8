"""A machine that gives no place for files is no reason not to record, and never one for an exception in the agent."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import whyops
from tests.server import StrictServer
from whyops.testing import MemorySink, capture

Unset = Callable[[pytest.MonkeyPatch, Path], None]


def _unknown(patch: pytest.MonkeyPatch, _: Path) -> None:
    """Be a user without an entry, as in containers: nobody knows where its home is."""

    def no_entry(_: object) -> None:
        raise KeyError("uid not found")

    patch.delenv("WHYOPS_HOME")
    patch.delenv("HOME", raising=False)
    patch.setattr(pwd, "getpwuid", no_entry)


def _of_nobody(patch: pytest.MonkeyPatch, _: Path) -> None:
    patch.setenv("WHYOPS_HOME", "~nobody-of-this-name/whyops")


def _unwritable(patch: pytest.MonkeyPatch, _: Path) -> None:
    patch.setenv("WHYOPS_HOME", "/proc/whyops")


def _a_file(patch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "file").write_text("")
    patch.setenv("WHYOPS_HOME", str(folder / "file"))


def _below_a_file(patch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "file").write_text("")
    patch.setenv("WHYOPS_HOME", str(folder / "file" / "home"))


def _too_long(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setenv("WHYOPS_HOME", str(folder / ("x" * 5000)))


def _of_a_folder_that_is_gone(patch: pytest.MonkeyPatch, folder: Path) -> None:
    gone = folder / "gone"
    gone.mkdir()
    patch.chdir(gone)
    gone.rmdir()
    patch.setenv("WHYOPS_HOME", "relative")


HOMES = [_unknown, _of_nobody, _unwritable, _a_file, _below_a_file, _too_long, _of_a_folder_that_is_gone]


@pytest.fixture(params=HOMES, ids=lambda home: home.__name__[1:])
def unset(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home: Unset = request.param
    home(monkeypatch, tmp_path)


@whyops.tool
def double(number: int) -> int:
    return 2 * number


def run_agent() -> None:
    with whyops.trace() as trace:
        trace.user_message_sync([{"role": "user", "content": "x"}])
        assert double(2) == 4


@pytest.mark.usefixtures("unset")
def test_what_is_recorded_waits_in_memory(server: StrictServer, caplog: pytest.LogCaptureFixture) -> None:
    """With a key all of it arrives, and one line says that memory has to do."""
    sdk = whyops.configure("whyops_test", "agent", None, server.proxy_url, server.url)
    for _ in range(3):
        run_agent()
    assert sdk.flush_sync().delivered == 9
    assert len(server.events) == 9
    assert len([record for record in caplog.records if "wait in memory" in record.message and "WHYOPS_HOME" in record.message]) == 1
    assert len(caplog.records) == 1


@pytest.mark.usefixtures("unset")
@pytest.mark.parametrize("kind", ["memory", "sink"])
def test_who_needs_no_home_is_told_nothing(server: StrictServer, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    """An outbox in memory, and a sink of one's own."""
    settings: dict[str, Any] = {"outbox": "memory"} if kind == "memory" else {"sink": MemorySink()}
    sdk = whyops.configure("whyops_test", "agent", None, server.proxy_url, server.url, **settings)
    run_agent()
    assert sdk.flush_sync().delivered == 3
    assert caplog.records == []


@pytest.mark.usefixtures("unset")
def test_capture_and_the_switch_need_none(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Neither do tests, nor a program in which all is off."""
    with capture() as captured:
        run_agent()
        assert captured.tool_names() == ["double"]
    monkeypatch.setenv("WHYOPS_DISABLED", "1")
    run_agent()
    assert caplog.records == []


NO_ENTRY = """
import os, pwd
del os.environ["HOME"], os.environ["WHYOPS_HOME"]
def no_entry(uid): raise KeyError
pwd.getpwuid = no_entry
"""
PROGRAM = """
import time, whyops
with whyops.trace() as trace: trace.error_sync("x")
started = time.monotonic()
{ask}
assert time.monotonic() - started < 20
"""


FLUSH, CLOSE = "assert whyops.configure().flush_sync().waiting == 1", "whyops.configure().close_sync()"


@pytest.mark.parametrize(
    "begin, home, ask",
    [
        *((NO_ENTRY, "x", ask) for ask in ("", FLUSH, CLOSE)),
        ("", "~nobody-of-this-name/x", FLUSH),
        ("", "/proc/whyops", CLOSE),
        ("", __file__, ""),
    ],
)
def test_nobody_waits_for_a_store_that_can_not_be_made(tmp_path: Path, begin: str, home: str, ask: str) -> None:
    """Without a key nothing can be kept there: a flush ends at once, and so does the program, which says how much is lost."""
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "WHYOPS_HOME": home}
    command = [sys.executable, "-c", begin + PROGRAM.format(ask=ask)]
    started = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=50, check=False)
    assert time.monotonic() - started < 9  # the limit for memory is ten
    assert done.returncode == 0, done.stderr
    assert "1 events could not be delivered" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another's folder")
def test_a_home_that_may_not_be_looked_into(server: StrictServer, tmp_path: Path) -> None:
    """As when a program takes on another user, and `HOME` still names the old one's: a flush raises nothing either."""
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    child = os.fork()
    if not child:
        code = 1
        try:
            os.setegid(65534)
            os.seteuid(65534)
            sdk = whyops.configure("whyops_test", "agent", None, server.proxy_url, server.url, home=hidden / "whyops")
            assert sdk.flush_sync().delivered == 0
            run_agent()
            assert sdk.flush_sync().delivered == 3
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert len(server.events) == 3


def test_an_argument_may_lead_nowhere_here(server: StrictServer) -> None:
    """A path that is well written is no mistake of the programmer's, whatever the machine makes of it."""
    sdk = whyops.configure("whyops_test", "agent", None, server.proxy_url, server.url, home="~nobody-of-this-name/x")
    run_agent()
    assert sdk.flush_sync().delivered == 3


@pytest.mark.parametrize("home", ["nul\0byte", "lone\ud800surrogate"])
def test_an_argument_that_is_no_path_is_refused(home: str) -> None:
    """While the programmer is there to read it."""
    with pytest.raises(whyops.ConfigurationError, match="home"):
        whyops.WhyOps(home=home)


def test_a_tool_outside_a_trace_runs_with_whatever_settings(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A variable that can't work is said, by name, and the tool gives its result."""
    monkeypatch.setenv("WHYOPS_API_KEY", "two words")
    assert double(2) == 4
    monkeypatch.setenv("WHYOPS_DISABLED", "perhaps")
    assert double(2) == 4
    assert "WHYOPS_API_KEY" in caplog.text
    assert "report" not in caplog.text
