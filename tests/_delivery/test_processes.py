"""Whole processes that are killed, forked and ended in every way: what was recorded arrives, once, and nothing hangs."""

from __future__ import annotations

import importlib.util
import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests._delivery.parts import delivery, http_sink, outbox_files
from tests.interpreter import STRICT
from tests.server import StrictServer

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="files outlive a process where there are file locks")


class Processes:
    """Starts processes that deliver to one server from one home, and knows what they say they have recorded."""

    def __init__(self, server: StrictServer, home: Path | None, caplog: pytest.LogCaptureFixture) -> None:
        self.server = server
        self.home = home
        self.caplog = caplog
        self.said: list[str] = []

    def start(self, code: str, before: str = "", **environment: str) -> subprocess.Popen[str]:
        known = {"TEST_URL": self.server.url, "TEST_HOME": str(self.home or ""), "PYTHONPATH": str(ROOT), **environment}
        command = [*STRICT, "-c", f"{before}\nfrom tests._delivery.worker import *\n{code}"]
        return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **known}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self, process: subprocess.Popen[str], timeout: float = 30) -> str:
        """Wait for the end of a process; gives what it wrote to stderr."""
        out, errors = process.communicate(timeout=timeout)
        self.said += [text for text in out.splitlines() if text]
        return errors

    def run(self, code: str, *, status: int | None = 0, timeout: float = 30, before: str = "", **environment: str) -> str:
        process = self.start(code, before, **environment)
        errors = self.end(process, timeout)
        assert status is None or process.returncode == status, errors
        return errors

    def heir(self) -> None:
        """Deliver what the processes left, as the next one does: here it is this one."""
        subject = delivery(lambda: http_sink(self.server), self.home, nonce=lambda: os.urandom(8).hex())
        left = subject.close().result(20)
        assert left.waiting == 0, left
        assert self.caplog.records == []

    def check(self) -> None:
        """Each event that a process said it had recorded has arrived, once, each trace in order."""
        arrived = [str(event["idempotencyKey"]) for event in self.server.events]
        assert len(arrived) == len(set(arrived))
        assert set(self.said) <= set(arrived)
        for trace in {event["traceId"] for event in self.server.events}:
            numbers = [int(str(event["idempotencyKey"]).rpartition("-")[2]) for event in self.server.events_of(str(trace))]
            assert numbers == sorted(numbers)
        if self.home is not None:
            assert outbox_files(self.home) == []


@pytest.fixture
def server():
    with StrictServer() as running:
        yield running


@pytest.fixture
def processes(server, tmp_path, caplog):
    return Processes(server, tmp_path / "home", caplog)


def test_a_normal_end_delivers(processes):
    """Nobody has to flush."""
    assert processes.run("record(50)") == ""
    processes.check()
    assert len(processes.server.events) == 50


def test_a_normal_end_delivers_from_memory(server, caplog):
    """Also where no file holds the events."""
    processes = Processes(server, None, caplog)
    assert processes.run("record(50)") == ""
    processes.check()
    assert len(server.events) == 50


@pytest.mark.parametrize(
    "ending",
    [
        "os._exit(0)",
        "os.kill(os.getpid(), 9)",
        "os.kill(os.getpid(), 15)",
        "os.abort()",
    ],
)
def test_a_sudden_end_leaves_all_to_the_next_process(processes, ending):
    """What was recorded outlives the process, however it ends."""
    processes.run(f"record(50); {ending}", status=None)
    assert len(processes.said) == 50
    processes.heir()
    processes.check()


@pytest.mark.parametrize("ending", ["raise ValueError('the agent failed')", "sys.exit(3)", "raise KeyboardInterrupt"])
def test_an_end_by_exception_delivers(processes, ending):
    """As a normal end does."""
    processes.run(f"record(50); {ending}", status=None)
    assert len(processes.server.events) == 50
    processes.check()


def test_an_end_while_the_service_refuses_is_quick(processes):
    """With a file there is nothing to wait for: one line says what is wrong, and one how many wait, and where."""
    processes.server.stop()
    started = time.monotonic()
    errors = processes.run("record(50)")
    assert time.monotonic() - started < 2.5
    wrong, left = errors.splitlines()
    assert "can't be reached" in wrong
    assert "They are queued in" in wrong
    assert "50 events wait" in left
    assert "whyops deliver" in left
    assert str(processes.home) in errors
    processes.server.start()
    processes.heir()
    processes.check()


def test_an_end_while_the_service_hangs_keeps_its_limit(processes):
    """At most `exit_timeout`, whatever the service does."""
    processes.server.hang()
    started = time.monotonic()
    errors = processes.run("record(50)", TEST_EXIT_TIMEOUT="0.5")
    assert time.monotonic() - started < 4
    assert re.findall(r"\d+ events", errors) == ["50 events"]
    assert "50 events wait" in errors
    processes.server.clear()
    processes.heir()
    processes.check()


def test_an_end_with_memory_tries_until_its_limit(server, caplog):
    """What can't be delivered then is lost, and it is said."""
    server.stop()
    started = time.monotonic()
    errors = Processes(server, None, caplog).run("record(50)", TEST_EXIT_TIMEOUT="1")
    assert 1 < time.monotonic() - started < 5
    assert "50 events could not be delivered" in errors


def test_an_end_with_memory_waits_for_a_service_that_comes_back(server, caplog):
    """Within the limit it tries again and again."""
    processes = Processes(server, None, caplog)
    server.fail(503, times=2)
    processes.run("record(50)")
    processes.check()
    assert len(server.events) == 50


def test_recording_at_the_very_end(processes):
    """In `atexit`, before and after our own hook, and in a `__del__` of the last moment: delivered now or by the next process."""
    processes.run(
        """
import atexit
class Last:
    def __del__(self): record(1, "del")
atexit.register(record, 5, "after")
record(5)
atexit.register(record, 5, "before")
last = Last()
"""
    )
    processes.heir()
    processes.check()
    assert len(processes.said) == 16


def test_a_thread_that_has_ended_is_not_missed_at_the_end(processes):
    """Python 3.12 refuses new threads then: what is left is delivered by the thread that ends the process."""
    processes.run(
        """
import atexit, time
record(1)
while subject.is_running(): time.sleep(0.01)
atexit.register(record, 5)
""",
        TEST_IDLE="0",
    )
    assert len(processes.server.events) == 6
    processes.check()


def test_daemon_threads_may_record_to_the_end(processes):
    """They are stopped in the middle of anything."""
    for _ in range(3):
        processes.run(
            """
import threading, time
def work():
    while True: record(); time.sleep(0.001)
for _ in range(4): threading.Thread(target=work, daemon=True).start()
time.sleep(0.3)
"""
        )
    processes.heir()
    processes.check()


FORK_AND_WAIT = """
def wait(child):
    _, status = os.waitpid(child, 0)
    assert status == 0, status
"""


@pytest.mark.parametrize("before", [0, 10])
@pytest.mark.parametrize("ending", ["os._exit(0)", "sys.exit(0)"])
def test_a_forked_child_ships_its_own(processes, before, ending):
    """Whether the parent had a running sender or not; parent and child each deliver what they recorded, once."""
    errors = processes.run(
        f"""{FORK_AND_WAIT}
record({before})
child = os.fork()
if child == 0:
    record(10)
    {ending}
record(10)
wait(child)
""",
        TEST_EXIT_TIMEOUT="10",
    )
    assert errors == ""
    processes.heir()
    processes.check()
    assert len(processes.server.events) == before + 20


def test_forks_in_the_middle_of_everything(processes):
    """While other threads record and the sender works, again and again: neither a deadlock nor a duplicate."""
    processes.run(
        f"""{FORK_AND_WAIT}
import threading, time, warnings
warnings.simplefilter("ignore")
stop = False
def work():
    while not stop: record(); time.sleep(0.001)
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for index in range(20):
    child = os.fork()
    if child == 0:
        stop = True
        subject.record(line(f"child {{index}}-0", trace=f"child {{index}}"))
        if index % 2: subject.flush().result(10)
        os._exit(0)
    wait(child)
stop = True
for thread in threads: thread.join()
"""
    )
    processes.heir()
    processes.check()
    assert sum(str(event["traceId"]).startswith("child") for event in processes.server.events) == 20


def test_a_child_that_never_records_holds_nothing(processes):
    """It doesn't keep the dead parent's file from being delivered, once it has begun to run."""
    process = processes.start(
        """
record(10)
runs, begun = os.pipe()
child = os.fork()
if child == 0:
    import time
    os.write(begun, b"1")
    time.sleep(30)
os.read(runs, 1)
print(f"child {child}", flush=True)
os.kill(os.getpid(), 9)
"""
    )
    assert process.stdout is not None
    child = 0
    while not child:
        text = process.stdout.readline()
        if text.startswith("child"):
            child = int(text.split()[1])
        else:
            processes.said.append(text.strip())
    try:
        process.wait(10)
        processes.heir()
        processes.check()
        assert len(processes.said) == 10
    finally:
        os.kill(child, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("home", [True, False])
def test_workers_of_multiprocessing(server, tmp_path, caplog, method, home):
    """They end without `atexit`, and deliver what they recorded all the same."""
    script = tmp_path / "script.py"
    script.write_text(
        f"""
from tests._delivery.worker import *
import multiprocessing, warnings
if __name__ == "__main__":
    warnings.simplefilter("ignore")
    record(5)
    context = multiprocessing.get_context("{method}")
    workers = [context.Process(target=record, args=(5,)) for _ in range(2)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
"""
    )
    processes = Processes(server, tmp_path / "home" if home else None, caplog)
    assert processes.run(f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')") == ""
    processes.check()
    assert len(server.events) == 15


@pytest.mark.skipif(importlib.util.find_spec("gevent") is None, reason="needs gevent")
def test_gevent(processes):
    """The sender is a greenlet then, and lets the others run."""
    processes.server.latency = 0.05
    processes.run(
        """
import gevent
jobs = [gevent.spawn(record, 50) for _ in range(20)]
gevent.joinall(jobs)
ticks = 0
def tick():
    global ticks
    while True: gevent.sleep(0.01); ticks += 1
gevent.spawn(tick)
assert subject.flush().result(20).delivered == 1000
assert ticks > 5
record(5)
""",
        before="from gevent import monkey; monkey.patch_all()",
    )
    processes.check()
    assert len(processes.server.events) == 1005


FLUSHED = "subject.flush().result(5)"
TAKE_OVER = """
import gevent
from gevent import monkey
monkey.patch_all()
longest = 0.0
def tick():
    global longest
    while True:
        began = time.monotonic(); gevent.sleep(0.01); longest = max(longest, time.monotonic() - began)
gevent.spawn(tick)
for _ in range(3):
    gevent.joinall([gevent.spawn(record, 5) for _ in range(4)])
    gevent.sleep(0.1)
assert subject.flush().result(20).waiting == 0
subject.close().result(20)
record(5)
gevent.sleep(0.1)
assert longest < 4, longest
"""


@pytest.mark.skipif(importlib.util.find_spec("gevent") is None, reason="needs gevent")
@pytest.mark.parametrize(
    "before, forked",
    [
        *((before, False) for before in ("", "record(5)", f"record(5); {FLUSHED}", "record(5); subject.close().result(5)")),
        ("", True),
        (f"record(5); {FLUSHED}", True),
    ],
)
def test_gevent_that_takes_over_late(processes, before, forked):
    """Also in a child, as a gunicorn that preloads has them: what the sender sleeps on is of the kind that lets greenlets run."""
    taken_over = "\nchild = os.fork()\nif child: os.waitpid(child, 0); sys.exit()" * forked + TAKE_OVER
    processes.run(f"import time\n{before}{taken_over}", before="import warnings; warnings.simplefilter('ignore')", TEST_LINGER="0.05")
    processes.check()
    assert len(processes.server.events) == 65 + 5 * bool(before)


def test_a_subprocess_does_not_keep_the_lock(processes):
    """What the agent starts inherits none of our descriptors, also after a change of file."""
    process = processes.start(
        """
import subprocess
from whyops._outbox import file_outbox
file_outbox.SEGMENT_BYTES = 1000
record(50); subject.flush().result(10); record(10)
sleeper = subprocess.Popen(["sleep", "30"], close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(f"sleeper {sleeper.pid}", flush=True)
os.kill(os.getpid(), 9)
"""
    )
    out, _ = process.communicate(timeout=20)
    *said, last = out.split("\n")[:-1]
    processes.said += said
    try:
        processes.heir()
        processes.check()
    finally:
        os.kill(int(last.split()[1]), signal.SIGKILL)


def test_a_lost_answer_makes_no_duplicate(processes):
    """The service stored a batch, and the process died before it learned: the next one sends it again with the same keys."""
    processes.server.hang(store=True, path="/api/events")
    process = processes.start("record(50); subject.flush().result(20)")
    processes.server.wait_for_events(50)
    process.kill()
    processes.end(process)
    processes.server.clear()
    processes.heir()
    processes.check()
    assert len(processes.server.events) == 50


def test_two_heirs_at_once_do_not_both_send(processes):
    """One of them gets each file."""
    processes.run(
        f"""{FORK_AND_WAIT}
for _ in range(5):
    child = os.fork()
    if child == 0:
        record(20)
        os._exit(0)
    wait(child)
"""
    )
    heirs = [processes.start("assert subject.close().result(20).waiting == 0") for _ in range(4)]
    for heir in heirs:
        assert processes.end(heir) == ""
        assert heir.returncode == 0
    processes.check()
    assert sum(request.path.endswith("ingest") for request in processes.server.requests) <= 5 * 2


@pytest.mark.parametrize("state", ["up", "slow", "down"])
def test_kill_9_at_random_moments(processes, state):
    """Each event whose recording had returned arrives once, after the next process ran."""
    rounds(processes, state, 3, random.Random(state))


@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.parametrize("state", ["up", "slow", "down"])
def test_kill_9_many_times(processes, state):
    """The same for twenty rounds."""
    rounds(processes, state, 20, random.Random(f"soak {state}"))


def rounds(processes: Processes, state: str, count: int, chance: random.Random) -> None:
    if state == "slow":
        processes.server.latency = 0.05
    if state == "down":
        processes.server.stop()
    for _ in range(count):
        process = processes.start("while True: record(20); subject.flush()")
        assert process.stdout is not None
        processes.said.append(process.stdout.readline().strip())
        time.sleep(chance.random() * 0.5)
        process.kill()
        processes.end(process)
    if state == "down":
        processes.server.start()
    # A line may be said in part when the process is killed; what is whole ends with a number.
    processes.said = [said for said in processes.said if len(said.partition("-")[0]) == 16 and said.partition("-")[2].isdigit()]
    last = processes.said[-1]
    processes.said = [said for said in processes.said if said != last]
    processes.heir()
    processes.check()
