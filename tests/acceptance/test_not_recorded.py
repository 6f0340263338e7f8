"""What could not be recorded is counted, wherever counts are shown, with the line that it came from; and never raised."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import whyops
from tests._delivery.test_delivery import eventually
from tests.conftest import fill
from tests.server.server import StrictServer
from whyops import _assembly, _default
from whyops._cli._main import main
from whyops._delivery.pace import Pace
from whyops._outbox.inspect import inspect_outboxes
from whyops._recording.trace import Trace
from whyops._runtime import guard
from whyops.testing import capture

WRONG: dict[str, Callable[[Trace], object]] = {
    "user_message": lambda trace: trace.user_message_sync(),  # type: ignore[call-arg]
    "llm_response": lambda trace: trace.llm_response_sync("a model"),  # type: ignore[call-arg]
    "llm_thinking": lambda trace: trace.llm_thinking_sync(thought="x"),  # type: ignore[call-arg]
    "embedding_request": lambda trace: trace.embedding_request_sync("a", "b"),  # type: ignore[call-arg, arg-type]
    "embedding_response": lambda trace: trace.embedding_response_sync("m"),  # type: ignore[call-arg]
    "tool_call_request": lambda trace: trace.tool_call_request_sync("f"),  # type: ignore[call-arg]
    "tool_call_response": lambda trace: trace.tool_call_response_sync("f", "s"),  # type: ignore[call-arg]
    "tool_result": lambda trace: trace.tool_result_sync("f", {}, "more"),  # type: ignore[call-arg, arg-type]
    "error": lambda trace: trace.error_sync(),  # type: ignore[call-arg]
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_call_is_counted(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each one; the log says once what is wrong with it, and names the caller's line."""
    with capture() as captured:
        trace = captured.client.trace("t")
        for _ in range(7):
            WRONG[name](trace)
        trace.error_sync("right")
        result = captured.client.flush_sync()
    assert (result.delivered, result.not_recorded, result.dropped) == (1, 7, 0)
    (told,) = [record.getMessage() for record in caplog.records if "could not be recorded" in record.getMessage()]
    assert f"{name}_sync()" in told
    assert f"{__file__}:{WRONG[name].__code__.co_firstlineno}" in told


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_call_of_an_async_twin_is_counted(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Awaited or not, it raises nothing into the agent, and names the caller's line."""

    async def agent(trace: Trace) -> None:
        await getattr(trace, name)(no_such="argument", at="all")
        getattr(trace, name)()

    with capture() as captured:
        asyncio.run(agent(captured.client.trace("t")))
        result = captured.client.flush_sync()
    assert result.not_recorded == 2
    assert f"{__file__}:" in caplog.text


def test_a_wrong_request_gives_a_span_all_the_same() -> None:
    """What is promised to be text is text, and another one each time."""
    with capture() as captured:
        trace = captured.client.trace("t")
        spans = {WRONG["tool_call_request"](trace) for _ in range(2)}
    assert len(spans) == 2
    assert all(isinstance(span, str) and span for span in spans)


def test_each_wrong_line_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """The same mistake in two places is said for both."""
    with capture() as captured:
        trace = captured.client.trace("t")
        for _ in range(3):
            trace.error_sync()  # type: ignore[call-arg]
            trace.error_sync()  # type: ignore[call-arg]
    assert len({record.getMessage().rpartition(":")[2] for record in caplog.records}) == len(caplog.records) == 2


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give what makes recording fail in one place, as a fault of ours would."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret value")

    def spoil(name: str) -> None:
        monkeypatch.setattr(guard, "reraise", False)
        monkeypatch.setattr(
            *{"line": ("whyops._delivery.delivery.Delivery.record", fail), "user": ("whyops._recording.trace.Trace._record", fail)}[name]
        )

    return spoil


@whyops.tool
def double(number: int) -> int:
    return 2 * number


def test_faults_inside_are_counted(faulty: Callable[[str], None], caplog: pytest.LogCaptureFixture) -> None:
    """A tool's call that can't be recorded is two events; the tool runs, and the reason that is kept holds nothing of the error's text."""
    faulty("line")
    sdk = whyops.configure()
    with sdk.trace("t") as trace:
        assert double(4) == 8
        trace.error_sync("x")
        with trace.tool_span("f") as span:
            span.result = 1
    assert sdk.flush_sync().not_recorded == 5
    (one,) = inspect_outboxes(Path(os.environ["WHYOPS_HOME"]))
    assert one.counts.not_recorded_traces == {"t": 5}
    assert all(reason.startswith("ZeroDivisionError (") and "secret" not in reason for reason in one.counts.not_recorded_reasons)
    assert f"{__file__}:" in caplog.text


def test_a_fault_outside_any_trace_is_the_default_clients() -> None:
    """Where nobody knows the trace, it is counted for the client all the same."""
    sdk = whyops.configure()
    _default._lose(object(), "why", 2)
    assert sdk.flush_sync().not_recorded == 0  # nothing was ever recorded by it
    with sdk.trace("t") as trace:
        trace.error_sync("x")
        _default._lose(object(), "why", 2)
    _default._lose(object(), "why", 2)
    assert sdk.flush_sync().not_recorded == 4
    (one,) = inspect_outboxes(Path(os.environ["WHYOPS_HOME"]))
    assert one.counts.not_recorded_traces == {"t": 2}
    assert one.counts.not_recorded_untraced == 2


def test_switched_off_nothing_is_counted(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """And no file is made."""
    monkeypatch.setenv("WHYOPS_DISABLED", "1")
    sdk = whyops.configure()
    sdk.trace("t").error_sync()  # type: ignore[call-arg]
    assert sdk.flush_sync() == whyops.types.FlushResult()
    assert not home.exists()


def test_a_flush_that_is_to_fail_fails() -> None:
    """`raise_on_failure` means events that could not be recorded, too."""
    with capture() as captured:
        captured.client.trace("t").error_sync()  # type: ignore[call-arg]
        with pytest.raises(whyops.DeliveryError, match="not_recorded=1"):
            captured.client.flush_sync(raise_on_failure=True)


def test_threads_lose_at_once() -> None:
    """None of what many threads lose is counted twice or not at all."""
    with capture() as captured:
        trace = captured.client.trace("t")
        threads = [threading.Thread(target=lambda: [WRONG["error"](trace) for _ in range(100)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert captured.client.flush_sync().not_recorded == 800


LOSES = """
import whyops
with whyops.trace("lost-1") as t:
    {first}
    for _ in range(50):
        t.llm_response_sync("hello")
"""


def run(code: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    settings = {**os.environ, "WHYOPS_HOME": str(home), **environment}
    return subprocess.run([sys.executable, "-c", code], env=settings, check=True, capture_output=True, text=True)


def test_another_process_knows(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`show` says what is missing of that trace and of no other, `status` and `doctor` how many and why."""
    run(LOSES.format(first="t.user_message_sync('hi')") + "\nwhyops.trace('whole').error_sync('x')", home)
    assert main(["show", "lost-1"]) == 0
    assert "50 events could not be recorded" in capsys.readouterr().out
    assert main(["show", "lost-1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["notHere"] == ["50 events could not be recorded"]
    assert main(["show", "whole"]) == 0
    assert "\ncomplete\n" in capsys.readouterr().out
    assert main(["status"]) == 0
    told = capsys.readouterr().out
    assert "50 not recorded" in told
    assert "missing 1 required positional argument: 'provider' (<string>:6)" in " ".join(told.split())
    assert main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["notRecorded"] == 50
    main(["doctor"])
    assert "50 events could not be recorded" in capsys.readouterr().out


def test_a_trace_of_which_nothing_was_recorded(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its name is not just unknown; and when it is pruned it is."""
    run(LOSES.format(first="pass"), home)
    assert main(["show", "lost-1"]) == 1
    assert "50 events could not be recorded" in capsys.readouterr().err
    run("import whyops; whyops.trace('lost-1').error_sync('x')", home)
    assert main(["prune", "lost-1"]) == 0
    assert main(["show", "lost-1"]) == 1
    assert "could not be recorded" not in capsys.readouterr().err


def test_dropped_events_are_known_by_their_trace(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A full outbox costs one trace's events: that one's, and it is said of that one."""
    sdk = whyops.WhyOps(agent_name="a", api_key="whyops_test", analyse_base_url="http://127.0.0.1:9", outbox_max_bytes=1_100_000)
    sdk.trace("first").error_sync("x")
    for _ in range(40):
        sdk.trace("second").error_sync("y" * 60_000)
    result = sdk.close_sync(0.2)
    assert result.dropped > 0
    assert main(["show", "second", "--local"]) == 0
    assert f"{result.dropped} events could not be recorded" in capsys.readouterr().out
    assert main(["show", "first", "--local"]) == 0
    assert "could not be recorded" not in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_counts_its_own(home: Path) -> None:
    """What the parent has lost before a fork is not counted again by the child."""
    code = """
import os, whyops
sdk = whyops.configure()
t = sdk.trace("t")
t.error_sync()
child = os.fork()
t.error_sync()
if child:
    os.waitpid(child, 0)
print(sdk.flush_sync().not_recorded)
"""
    assert run(code, home).stdout.split() == ["1", "2"]
    (one,) = inspect_outboxes(home)
    assert one.counts.not_recorded == 3


def test_losing_alone_costs_the_end_no_time(home: Path) -> None:
    """A program that lost something and recorded nothing ends at once, also where no file can be written."""
    code = "import whyops\nt = whyops.trace('t')\nt.error_sync()\n"
    started = time.monotonic()
    run(code, home)
    home.with_name("file").write_text("no folder")
    run(code, home.with_name("file") / "home")
    assert time.monotonic() - started < 8
    assert inspect_outboxes(home)[0].counts.not_recorded == 1


def test_what_memory_held_at_the_end_is_counted(home: Path) -> None:
    """Events that had to wait in memory, and were not delivered before the process ended, are lost, and their trace says so."""
    code = """
import os, whyops
from whyops._outbox.file_outbox import FileOutbox
sdk = whyops.WhyOps("whyops_test", "a", analyse_base_url="http://127.0.0.1:9", exit_timeout=0.1)
t = sdk.trace("t")
t.error_sync("in a file")
def full(self, line):
    raise OSError(28, "No space left on device")
FileOutbox.append = full
t.error_sync("in memory")
t.error_sync("in memory")
"""
    run(code, home)
    (one,) = inspect_outboxes(home)
    assert (one.waiting, one.counts.not_recorded_traces) == (1, {"t": 2})


def test_a_full_disk_is_told_of_as_soon_as_it_takes_a_byte(small_disk: Path) -> None:
    """What had no room, in the file and then in memory, is in `status` while the program still runs."""
    home = small_disk / "home"
    with StrictServer() as server:
        server.stop()
        sdk = whyops.WhyOps("whyops_test", "a", analyse_base_url=server.url, home=home, outbox_max_bytes=1_100_000)
        filler = fill(small_disk)
        trace = sdk.trace("t")
        for _ in range(30):
            trace.error_sync("x" * 60_000)
        dropped = sdk.flush_sync(0.5).dropped
        assert dropped > 5
        assert all(one.counts.dropped == 0 for one in inspect_outboxes(home))
        filler.unlink()
        eventually(lambda: [one.counts.dropped_traces for one in inspect_outboxes(home)] == [{"t": dropped}])
        server.start()
        assert sdk.close_sync().delivered == 30 - dropped


def test_a_loss_is_not_forgotten_where_nothing_else_is_to_be_done(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender goes on trying while the disk is full, and ends when it has told."""
    monkeypatch.setattr(_assembly, "PACE", Pace(linger=0.01, idle=0.01))
    sdk = whyops.WhyOps(home=small_disk / "home")
    filler = fill(small_disk)
    sdk.trace("t").error_sync()  # type: ignore[call-arg]
    delivery = sdk._assembled().delivery
    assert delivery is not None
    time.sleep(0.3)
    assert delivery.is_running()
    filler.unlink()
    eventually(lambda: [one.counts.not_recorded for one in inspect_outboxes(small_disk / "home")] == [1])
    eventually(lambda: not delivery.is_running())


def test_nothing_is_said_where_nothing_went_wrong(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No file of counts tells of losses that were none."""
    with caplog.at_level(logging.WARNING):
        sdk = whyops.configure()
        sdk.trace("t").error_sync("x")
        assert sdk.close_sync().not_recorded == 0
    assert caplog.records == []
    assert inspect_outboxes(home)[0].counts.not_recorded_reasons == {}
