"""A receiver of spans beside the local store: as a user sets it up, after kill -9, and with secrets in its address."""

from __future__ import annotations

import logging
import os
import pickle
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import whyops
from tests.interpreter import STRICT
from tests.server.otlp import OtlpServer, values
from whyops._cli._main import main
from whyops._otlp.sink import TIMEOUT_SECONDS
from whyops._outbox.inspect import inspect_outboxes
from whyops._store.reader import StoreReader

ROOT = Path(__file__).parents[2]
SECRET = "swordfish-4711"


@pytest.fixture
def receiver() -> Iterator[OtlpServer]:
    with OtlpServer() as running:
        yield running


@whyops.tool
def search(order: str) -> dict[str, str]:
    return {"order": order}


def run(sdk: whyops.WhyOps, *orders: str) -> None:
    with sdk.trace("t") as trace:
        trace.user_message_sync([{"role": "user", "content": "Where is it?"}])
        for order in orders:
            search(order)


def stored(home: Path) -> int:
    return len(list(StoreReader(home).lines("t")))


def tools(receiver: OtlpServer) -> int:
    return sum(span.name == "execute_tool search" for span in receiver.spans)


def base(receiver: OtlpServer) -> str:
    return f"http://127.0.0.1:{receiver.port}"


@pytest.mark.parametrize("said", ["argument", "environment", "whole address"])
def test_both_get_a_run(home: Path, receiver: OtlpServer, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """By the argument, or by OpenTelemetry's own variables once `WHYOPS_OTLP` says so; headers come along."""
    if said != "argument":
        monkeypatch.setenv("WHYOPS_OTLP", "1")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"x-key={SECRET}")
        name, value = {"environment": ("ENDPOINT", base(receiver)), "whole address": ("TRACES_ENDPOINT", receiver.url)}[said]
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name}", value)
    with whyops.WhyOps(home=home, otlp=base(receiver) if said == "argument" else None) as sdk:
        run(sdk, "1", "2")
        result = sdk.flush_sync()
    assert [(one.destination, one.delivered) for one in result.destinations] == [("local", 5), (receiver.url, 5)]
    assert (stored(home), tools(receiver)) == (5, 2)
    assert set(receiver.came.values()) == {1}
    assert {request.headers.get("x-key") for request in receiver.requests} == {None if said == "argument" else SECRET}


def test_a_receiver_alone(home: Path, receiver: OtlpServer) -> None:
    """Without a key, `keep_local=False` leaves the local store out."""
    with whyops.WhyOps(home=home, otlp=base(receiver), keep_local=False) as sdk:
        run(sdk, "1")
        assert sdk.flush_sync().destinations == ()
    assert tools(receiver) == 1
    assert stored(home) == 0


def test_opentelemetrys_variables_alone_send_nothing(home: Path, receiver: OtlpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An application's own OpenTelemetry has them for itself."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", base(receiver))
    with whyops.WhyOps(home=home) as sdk:
        run(sdk, "1")
    assert receiver.requests == []


def test_no_secret_is_anywhere(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the password of an address nor a header is in a file, a log, a repr, a pickle, a command's output, or what an agent said."""
    caplog.set_level(logging.DEBUG)
    with OtlpServer() as gone:
        address = f"http://user:{SECRET}@127.0.0.1:{gone.port}"
    monkeypatch.setenv("WHYOPS_OTLP", "1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization=Bearer%20{SECRET}")
    sdk = whyops.WhyOps(home=home, otlp=address)
    run(sdk, "1")
    with sdk.trace("quotes") as trace:
        trace.error_sync(f"no answer from {address}", stack=f"headers = {{'authorization': 'Bearer {SECRET}'}}")
        trace.user_message_sync([{"role": "user", "content": f"Is {SECRET} my password?"}])
        search(SECRET)
    result = sdk.close_sync(0.3)
    assert result.waiting == 7
    for command in (["status"], ["status", "--json"], ["deliver", "--timeout", "0.2"], ["doctor"]):
        main(["--home", str(home), *command])
    said = capsys.readouterr()
    assert f"127.0.0.1:{gone.port}" in said.out
    held = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    shown = [caplog.text, said.out, said.err, repr(sdk), repr(sdk._assembled().settings), repr(result), repr(vars(sdk))]
    assert [text for text in shown if SECRET in text] == []
    assert [text for text in (*held, pickle.dumps(sdk)) if SECRET.encode() in text] == []


PROGRAM = """
import os, sys
import whyops
sdk = whyops.WhyOps(home=sys.argv[1], otlp=sys.argv[2])

@whyops.tool
def search(order: str) -> str:
    return order

with sdk.trace("t"):
    for number in range(5):
        search(str(number))
sdk._assembled().delivery.first.flush(20).result(20)
os.kill(os.getpid(), 9)
"""


def test_kill_9_between_the_two_acknowledgements(home: Path, receiver: OtlpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store has all, the receiver hangs, the process is killed: `deliver` brings the receiver the rest, and the store nothing twice."""
    receiver.hang(store=True)
    command = [*STRICT, "-c", PROGRAM, str(home), base(receiver)]
    killed = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=40, check=False)
    assert killed.returncode == -9
    waiting = {one.destination.name(): one.orphaned for one in inspect_outboxes(home) if one.destination}
    assert waiting == {"local": 0, receiver.url: 10}
    receiver.clear()
    assert main(["--home", str(home), "deliver"]) == 0
    assert {one.orphaned for one in inspect_outboxes(home)} == {0, 10}
    monkeypatch.setenv("WHYOPS_OTLP", "1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", base(receiver))
    assert main(["--home", str(home), "deliver"]) == 0
    assert {one.orphaned for one in inspect_outboxes(home)} == {0}
    assert (stored(home), tools(receiver)) == (10, 5)


ENDS = """
import sys
import whyops
sdk = whyops.WhyOps(home=sys.argv[1], otlp=sys.argv[2], exit_timeout=0.5, outbox=sys.argv[3])

@whyops.tool
def search(order: str) -> str:
    return order

with sdk.trace("t"):
    for number in range(5):
        search(str(number))
"""


@pytest.mark.parametrize("outbox", ["file", "memory"])
def test_an_end_while_one_hangs(home: Path, receiver: OtlpServer, monkeypatch: pytest.MonkeyPatch, outbox: str) -> None:
    """The end of a process waits no longer than it was told to; the store has all, and one line says what waits."""
    receiver.hang()
    command = [*STRICT, "-c", ENDS, str(home), base(receiver), outbox]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, timeout=TIMEOUT_SECONDS / 2, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert stored(home) == 10
    assert re.findall(r"\d+ events", done.stderr) == ["10 events"]
    receiver.clear()
    monkeypatch.setenv("WHYOPS_OTLP", "1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", base(receiver))
    assert main(["--home", str(home), "deliver"]) == 0
    assert tools(receiver) == (5 if outbox == "file" else 0)


FORKS = """
import os, sys
import whyops
sdk = whyops.WhyOps(home=sys.argv[1], otlp=sys.argv[2])

@whyops.tool
def search(order: str) -> str:
    return order

def run(name):
    with sdk.trace("t"):
        for number in range(5):
            search(f"{name} {number}")

run("before")
child = os.fork()
run("child" if child == 0 else "parent")
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a child is forked")
def test_a_fork_with_two_destinations(home: Path, receiver: OtlpServer) -> None:
    """Parent and child deliver what is their own to each destination, once."""
    command = [*STRICT, "-W", "ignore::DeprecationWarning", "-c", FORKS, str(home), base(receiver)]  # Python's own, of forks with threads
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=40, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    searched = Counter(values(span.attributes)["input.value"] for span in receiver.spans if span.name == "execute_tool search")
    assert searched == {f'{{"order":"{name} {number}"}}': 1 for name in ("before", "child", "parent") for number in range(5)}
    assert set(receiver.came.values()) == {1}
    assert stored(home) == 30
    assert [one for one in inspect_outboxes(home) if one.orphaned] == []
