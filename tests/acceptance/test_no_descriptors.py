"""A process that has used up its file descriptors: the agent notices nothing of ours, and what it recorded arrives."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.interpreter import run_with_service
from tests.server import StrictServer

START = """
import os, resource, sys, threading, time
import whyops

@whyops.tool
def double(number):
    return 2 * number

def run_agent(name):
    with whyops.trace(name) as trace:
        trace.user_message_sync([{"role": "user", "content": "x"}])
        assert double(2) == 4

held = []
def use_up(free=0):
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    try:
        while True: held.append(os.open(os.devnull, os.O_RDONLY))
    except OSError: pass
    for _ in range(free): os.close(held.pop())

def give_back():
    while held: os.close(held.pop())
"""
PROGRAMS = {
    "at the first event": ("sdk = whyops.configure(); use_up(); run_agent('a'); run_agent('b'); give_back(); sdk.flush_sync()", "ab"),
    "and in memory": ("sdk = whyops.configure(outbox='memory'); use_up(); run_agent('a'); give_back(); sdk.flush_sync()", "a"),
    "of an agent that is described": (
        "sdk = whyops.configure(agent_metadata={'systemPrompt': 'x'}); use_up(); run_agent('a'); give_back(); sdk.flush_sync()",
        "a",
    ),
    "until the end": ("sdk = whyops.configure(); run_agent('a'); sdk.flush_sync(); use_up(); run_agent('b'); give_back()", "ab"),
    "but one": ("sdk = whyops.configure(); use_up(free=1); run_agent('a'); run_agent('b'); give_back(); sdk.flush_sync()", "ab"),
    "when the sender connects": ("sdk = whyops.configure(); run_agent('a'); use_up(); time.sleep(1); give_back(); sdk.flush_sync()", "a"),
    "when a flush connects": ("sdk = whyops.configure(); run_agent('a'); use_up(); sdk.flush_sync(1); give_back(); sdk.flush_sync()", "a"),
    "when the file is full": (
        """
from whyops._outbox import file_outbox
file_outbox.SEGMENT_BYTES = 1000
sdk = whyops.configure()
run_agent('a')
sdk.flush_sync()
for free, name in enumerate("bcd"):
    use_up(free)
    run_agent(name)
    sdk.flush_sync(1)
    run_agent(name * 2)
    give_back()
sdk.flush_sync()
""",
        ["a", "b", "bb", "c", "cc", "d", "dd"],
    ),
    "before the client is made": ("use_up(); sdk = whyops.configure(); run_agent('lost'); give_back(); run_agent('a')", "a"),
    "before there is a client": ("use_up(); run_agent('lost'); double(2); give_back(); run_agent('a')", "a"),
}


@pytest.mark.parametrize("when", PROGRAMS)
def test_no_descriptor_is_free(server: StrictServer, tmp_path: Path, when: str) -> None:
    """It raises nothing, whenever that happens; what a client recorded arrives once descriptors are free again."""
    code, traces = PROGRAMS[when]
    done = run_with_service(server, START + code, tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "Traceback" not in done.stderr
    assert "please report" not in done.stderr
    assert Counter(event["traceId"] for event in server.events) == dict.fromkeys(traces, 3), done.stderr
    assert list((tmp_path / "home").rglob("*.lines")) == []
