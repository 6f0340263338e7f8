"""Child processes that are not forked: they record no more than the process that started them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import whyops
from whyops._config import environment
from whyops.testing import MemorySink, capture

OURS = ("WHYOPS_CAPTURE_CONTENT", "WHYOPS_REDACT_KEYS", "WHYOPS_PARENT_REDACTS")

PROGRAM = """
import multiprocessing, os, sys
import whyops

@whyops.tool
def look_up(patient, iban):
    return {"diagnosis": "flu"}

def work(name):
    if name == "own":
        whyops.configure(agent_name="own", capture_content=True)
    with whyops.trace(name):
        look_up("Ada Lovelace", "DE89")

class Sink:
    def send(self, lines):
        from whyops.events import Receipt
        return Receipt(stored=len(lines))
    def close(self):
        pass

def redact(value):
    return value

if __name__ == "__main__":
    whyops.configure(agent_name="clinic", SETTINGS)
    for name in ("child", "own"):
        process = multiprocessing.get_context(sys.argv[1]).Process(target=work, args=(name,))
        process.start()
        process.join()
        assert process.exitcode == 0
"""


def written() -> dict[str, str]:
    return {name: os.environ[name] for name in OURS if name in os.environ}


@pytest.mark.parametrize(
    "method, settings, hidden, told",
    [
        ("spawn", "capture_content=False", {"Ada Lovelace", "DE89", "flu"}, 0),
        ("spawn", "redact_keys=['iban']", {"DE89"}, 0),
        ("spawn", "redact=redact", {"Ada Lovelace", "DE89", "flu"}, 1),
        ("spawn", "sink=Sink()", {"Ada Lovelace", "DE89", "flu"}, 1),
        ("forkserver", "redact_keys=['iban']", {"DE89"}, 0),
        ("forkserver", "redact=redact", {"Ada Lovelace", "DE89", "flu"}, 1),
        ("fork", "redact_keys=['iban']", {"DE89"}, 0),
        ("fork", "redact=redact", {"Ada Lovelace", "DE89", "flu"}, 1),
    ],
)
def test_children_record_no_more_than_their_parent(tmp_path, home, method, settings, hidden, told):
    """What was set under `__main__` protects workers that never see it; one that configures a client itself has its own way.

    A forked one has the very client of its parent, and is told nothing.
    """
    if sys.platform == "win32" and method != "spawn":
        pytest.skip("there is one way only")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.replace("SETTINGS", settings))
    ran = subprocess.run([sys.executable, str(program), method], capture_output=True, text=True, timeout=50, check=True)
    assert ran.stderr.count("this process records no contents") == (0 if method == "fork" else told)
    if method == "fork" and told:
        return  # it goes where the parent's goes
    recorded = str([event.raw for event in whyops.load_trace("child").events])
    assert "look_up" in recorded
    assert {word for word in ("Ada Lovelace", "DE89", "flu") if word not in recorded} == hidden
    own = str([event.raw for event in whyops.load_trace("own").events])
    assert all(word in own for word in ("Ada Lovelace", "flu"))
    assert ("DE89" in own) == ("redact_keys" not in settings or method == "fork")


def test_a_program_of_another_kind_inherits_it_too(tmp_path, home):
    """A program that is started as a command is a child as any other, unless it is given an environment of its own."""
    code = "import whyops\nwith whyops.trace('t') as trace: trace.error_sync('quince')\n"
    with whyops.WhyOps(capture_content=False):
        subprocess.run([sys.executable, "-c", code], check=True, timeout=50)
    assert "quince" not in str([event.raw for event in whyops.load_trace("t").events])


def test_what_is_written_is_taken_back_with_the_client():
    """Of several clients the strictest counts, as long as it is open; then the environment is as it was."""
    assert written() == {}
    whyops.WhyOps(agent_name="plain")
    assert written() == {}
    first = whyops.WhyOps(agent_name="first", capture_content=False, redact_keys=["iban"])
    second = whyops.WhyOps(agent_name="second", redact_keys=["iban", "ssn"], redact=lambda value: value)
    assert written() == {"WHYOPS_CAPTURE_CONTENT": "0", "WHYOPS_REDACT_KEYS": "iban,ssn", "WHYOPS_PARENT_REDACTS": "1"}
    first.close_sync()
    first.close_sync()
    assert written() == {"WHYOPS_REDACT_KEYS": "iban,ssn", "WHYOPS_PARENT_REDACTS": "1"}
    second.close_sync()
    assert written() == {}


def test_what_the_user_has_there_stays(monkeypatch):
    """Names are added to the user's, and go again; what is as strict already is left alone."""
    monkeypatch.setenv("WHYOPS_REDACT_KEYS", "iban, ssn")
    monkeypatch.setenv("WHYOPS_CAPTURE_CONTENT", "1")
    with whyops.WhyOps(agent_name="a", capture_content=False, redact_keys=["pin"]):
        assert written() == {"WHYOPS_CAPTURE_CONTENT": "0", "WHYOPS_REDACT_KEYS": "iban,ssn,pin"}
    assert written() == {"WHYOPS_CAPTURE_CONTENT": "1", "WHYOPS_REDACT_KEYS": "iban, ssn"}
    monkeypatch.setenv("WHYOPS_CAPTURE_CONTENT", "0")
    with whyops.WhyOps(agent_name="a", capture_content=False):
        assert written()["WHYOPS_CAPTURE_CONTENT"] == "0"
    assert written()["WHYOPS_CAPTURE_CONTENT"] == "0"


def test_what_the_user_sets_later_counts(monkeypatch):
    """It is theirs from then on, here and in children, and nothing takes it back."""
    with whyops.WhyOps(agent_name="a", redact_keys=["pin"]):
        monkeypatch.setenv("WHYOPS_REDACT_KEYS", "iban")
        assert environment.names("WHYOPS_REDACT_KEYS") == ("iban",)
        with whyops.WhyOps(agent_name="b"):
            assert written() == {"WHYOPS_REDACT_KEYS": "iban,pin"}
        monkeypatch.delenv("WHYOPS_REDACT_KEYS")
    assert written() == {}


def test_what_is_written_for_children_changes_nothing_here(monkeypatch):
    """The process's own other clients go by their arguments and by what the user has in the environment, as before."""
    monkeypatch.setenv("WHYOPS_REDACT_KEYS", "ssn")
    strict = whyops.WhyOps(agent_name="strict", capture_content=False, redact_keys=["pin"], redact=lambda value: value)
    other = whyops.WhyOps(agent_name="other")
    settings = other._assembled().settings
    assert (settings.capture_content, settings.redact_keys) == (True, ("ssn",))
    assert not environment.parent_redacts()
    assert strict._assembled().settings.capture_content is False
    assert whyops.WhyOps(agent_name="explicit", capture_content=True)._assembled().recorder.capture_content is True


def test_keys_from_the_environment(monkeypatch):
    """`WHYOPS_REDACT_KEYS` lists names with commas between them; an argument wins."""
    monkeypatch.setenv("WHYOPS_REDACT_KEYS", " iban,, customer number ,")
    with capture() as captured, whyops.trace("t") as trace:
        trace.tool_result_sync("f", {"iban": "DE89", "customerNumber": "12", "ssn": "34"})
    assert captured.events[0]["content"]["output"] == {"iban": "[redacted]", "customerNumber": "[redacted]", "ssn": "34"}
    assert whyops.WhyOps(agent_name="a", redact_keys=["ssn"])._assembled().settings.redact_keys == ("ssn",)


@pytest.mark.parametrize("key", ["a,b", "nul\0", "\ud800"])
def test_a_name_that_can_not_be_listed_hides_all(key):
    """Where children can't be told a name, they record no contents."""
    with whyops.WhyOps(agent_name="a", redact_keys=[key, "pin"]):
        assert written() == {"WHYOPS_REDACT_KEYS": "pin", "WHYOPS_PARENT_REDACTS": "1"}
    assert written() == {}


def test_a_client_from_the_environment_says_once_that_it_records_no_contents(monkeypatch, caplog, home: Path):
    """And why, and what to do; one that the child configures itself wins."""
    monkeypatch.setenv("WHYOPS_PARENT_REDACTS", "1")
    for trace_id in ("a", "b"):
        with whyops.trace(trace_id) as trace:
            trace.error_sync("quince")
    assert caplog.text.count("this process records no contents") == 1
    whyops.configure(agent_name="own")
    with whyops.trace("c") as trace:
        trace.error_sync("quince")
    messages = [whyops.load_trace(trace_id).events[0].raw["content"]["message"] for trace_id in ("a", "b", "c")]
    assert messages == ["[not captured]", "[not captured]", "quince"]


def test_a_sink_in_a_test_leaves_nothing_behind():
    """`capture()` and a sink of one's own are clients as any other."""
    with capture():
        assert written() == {"WHYOPS_PARENT_REDACTS": "1"}
    with whyops.WhyOps(agent_name="a", sink=MemorySink(), outbox="memory"):
        assert written() == {"WHYOPS_PARENT_REDACTS": "1"}
    assert written() == {}
