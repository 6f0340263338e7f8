"""What takes minutes: a dead service and many events, many processes at once, a full disk."""

from __future__ import annotations

import random
import resource
import subprocess
import time

import pytest

from tests._delivery.parts import ListSink, delivery, http_sink, line, outbox_files
from tests._delivery.test_processes import Processes
from tests._http.endless import ENDLESS
from tests.server import StrictServer

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]


@pytest.fixture
def server():
    with StrictServer() as running:
        yield running


def seconds_for(subject, texts) -> float:
    started = time.perf_counter()
    for text in texts:
        subject.record(text)
    return time.perf_counter() - started


def test_a_hundred_thousand_events_into_a_dead_service(server, tmp_path):
    """Memory stays flat, recording costs what it always costs, and all arrive once when the service is back."""
    texts = [line(index, f"trace {index % 100}") for index in range(100_000)]
    well = seconds_for(delivery(ListSink(), tmp_path / "well"), texts)
    server.stop()
    subject = delivery(lambda: http_sink(server), tmp_path / "home")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    dead = seconds_for(subject, texts)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000
    assert dead < 2 * well + 0.5
    assert subject.flush(1).result(30).waiting == 100_000
    server.start()
    assert subject.close(500).result(510).delivered == 100_000
    assert sorted(str(event["idempotencyKey"]) for event in server.events) == sorted(str(index) for index in range(100_000))
    assert outbox_files(tmp_path / "home") == []


def test_an_end_with_many_events_keeps_its_limit(server, tmp_path):
    """A dead service and a full outbox are no reason to wait."""
    server.stop()
    processes = Processes(server, tmp_path / "home")
    started = time.monotonic()
    errors = processes.run("for _ in range(100): record(1000)", timeout=60)
    assert "100000 events wait" in errors
    assert time.monotonic() - started < 30
    server.start()
    processes.run("assert subject.close(500).result(510).waiting == 0", timeout=520)
    processes.check()
    assert len(processes.said) == 100_000


def test_ten_processes_with_one_home(server, tmp_path):
    """Started and killed at random for a minute: all that they recorded arrives, once."""
    chance = random.Random(1)
    processes = Processes(server, tmp_path / "home")
    running: list[subprocess.Popen[str]] = []
    end = time.monotonic() + 60
    code = "import time\nwhile True: record(5); subject.flush(); time.sleep(0.05)"
    while time.monotonic() < end:
        while len(running) < 10:
            running.append(processes.start(code))
        time.sleep(chance.random() * 0.5)
        victim = running.pop(chance.randrange(len(running)))
        victim.kill()
        processes.end(victim)
    for victim in running:
        victim.kill()
        processes.end(victim)
    processes.run("assert subject.close(300).result(310).waiting == 0", timeout=320)
    # A killed process may have said half a key.
    processes.said = [key for key in processes.said if len(key.partition("-")[0]) == 16]
    processes.check()
    assert len(processes.said) > 100


def test_a_disk_that_fills_up(server, small_disk):
    """The agent goes on with memory, says so once, sends nothing torn, and all arrives."""
    server.stop()
    processes = Processes(server, small_disk / "home")
    process = processes.start("record(3000); import time; time.sleep(2); subject.flush().result(60)")
    time.sleep(3)
    server.start()
    errors = processes.end(process, 60)
    assert errors.count("wait in memory") == 1
    assert len(processes.said) == 3000
    processes.check()
    assert len(server.events) == 3000


@pytest.mark.parametrize("name", ["a header", "continue", "what is said of a chunk", "trailers"])
def test_an_endless_answer_costs_half_a_minute(server, tmp_path, name):
    """With the usual limit: a process that lives on delivers all, once, when the answer without an end has had its time."""
    subject = delivery(lambda: http_sink(server), tmp_path / "home")
    server.pour(*ENDLESS[name], pause=0.3)
    for index in range(5):
        subject.record(line(index))
    asked = subject.flush(90)
    server.wait_until(lambda: len(server.requests) == 1)
    assert subject.counts().waiting == 5
    assert asked.result(100).delivered == 5
    assert [event["idempotencyKey"] for event in server.events] == list("01234")
    subject.close(10).result(20)
