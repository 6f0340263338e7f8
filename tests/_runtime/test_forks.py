"""Forks: what is called in the child, in which order, and what a fork waits for."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.interpreter import STRICT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs forks")

ORDER = """
import os
from whyops._runtime import forks

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

class Held:
    def before_fork(self): say("before")
    def after_fork_in_parent(self): say("parent")
    def after_fork_in_child(self): say("child of held")

class Told:
    def after_fork_in_child(self): say("child of told")

forks.in_child(lambda: say("first"))
forks.in_child(lambda: 1 // 0)
forks.in_child(lambda: say("second"))
KEPT
pid = os.fork()
if pid == 0:
    say("is child", forks.is_child())
    with forks.forks_wait():
        os._exit(0)
os.waitpid(pid, 0)
with forks.forks_wait():
    say("end")
"""


def run(kept: str) -> tuple[list[str], str]:
    ran = subprocess.run([*STRICT, "-c", ORDER.replace("KEPT", kept)], capture_output=True, text=True, timeout=50, check=True)
    return ran.stdout.splitlines(), ran.stderr


def test_the_order_of_calls_around_a_fork():
    """Held things stop before it; in the child the modules' functions come first, in the order of their registration."""
    out, errors = run("held, told = Held(), Told(); forks.hold_forks(held); forks.tell_children(told)")
    assert out[0] == "before"
    child = [text for text in out if text not in {"before", "parent", "end"}]
    assert child[:2] == ["first", "second"]
    assert sorted(child[2:4]) == ["child of held", "child of told"]
    assert child[4:] == ["is child True"]
    assert out[-1] == "end"
    assert out.count("parent") == 1
    assert errors.count("ZeroDivisionError") == 1


def test_who_is_gone_is_told_nothing():
    """What asks to be called is not kept alive for it, and a process that has recorded nothing has no delivering parent."""
    out, _ = run("forks.hold_forks(Held())")
    assert out == ["first", "second", "is child True", "end"]
    out, _ = run("")
    assert out == ["first", "second", "is child False", "end"]
