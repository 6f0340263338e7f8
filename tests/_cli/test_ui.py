"""`whyops ui`: the address that it prints, the browser that it opens, how it ends."""

from __future__ import annotations

import http.client
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests._cli.test_commands import started, store
from tests._render.recordings import conversation
from whyops._cli._main import main
from whyops._ui.server import UiServer
from whyops._ui.site import Site

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT and FIFOs")


def line_of(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def status_of(address: str) -> tuple[int, str | None]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.request("GET", f"{parts.path}?{parts.query}")
    response = connection.getresponse()
    found = response.status, response.getheader("Location")
    connection.close()
    return found


def test_it_serves_until_interrupted(home: Path) -> None:
    """It prints its address in one line, serves it, and Ctrl-C ends it with nothing more to say; two at once are two addresses."""
    store(home, conversation())
    processes = [started(["ui", "--no-open"], home) for _ in range(2)]
    addresses = [line_of(process) for process in processes]
    assert len(set(addresses)) == 2
    for address, process in zip(addresses, processes, strict=True):
        assert address.startswith("http://127.0.0.1:")
        assert status_of(address) == (200, None)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=20) == (b"", b"")
        assert process.returncode == 0
    assert sorted(path.name for path in home.iterdir()) == ["traces.db"]


def test_it_opens_a_browser(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser is given an address that works once, and leads to the one that was printed: other users can read its command line."""
    told, program = tmp_path / "told", tmp_path / "browser"
    os.mkfifo(told)
    program.write_text(f'#!/bin/sh\necho "$1" > {told}\n')
    program.chmod(stat.S_IRWXU)
    monkeypatch.setenv("BROWSER", f"{program} %s &")
    process = started(["ui"], home)
    address = line_of(process)
    opened = told.read_text().strip()
    assert address.partition("token=")[2] not in opened
    assert status_of(opened) == (303, "/?" + urlsplit(address).query)
    assert status_of(opened) == (403, None)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    process.communicate()


def test_a_port(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A port that is taken is one line, and one that there is not a usage error."""
    with UiServer(Site(home, version="0")) as server:
        assert main(["ui", "--no-open", "--port", str(server.server_port)]) == 1
    assert capsys.readouterr().err.startswith(f"whyops: Port {server.server_port} can't be used: ")
    with pytest.raises(SystemExit) as stopped:
        main(["ui", "--port", "65536"])
    assert stopped.value.code == 2
