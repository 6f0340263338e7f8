"""The pytest plugin, in runs of pytest of its own: its fixture, what a failed test's report says, and that it leaves others alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGINS = ["-p", "whyops", "-p", "no:cacheprovider"]
"""The plugin by the name that it is installed under, as pytest finds it by itself where other plugins are not kept away."""
NO_OTHERS = {name: value for name, value in os.environ.items() if name not in ("CI", "BUILD_NUMBER")} | {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
}
"""No other plugins, and pytest's short summary: where one of the two names is set, it repeats whole failures in it."""
AGENT = """
import whyops

@whyops.tool
def refund(order_id, amount=5):
    return {"ok": True}

def agent():
    with whyops.trace("t") as trace:
        trace.user_message_sync([{"role": "user", "content": "Refund <b>order</b> 123"}])
        refund("123")
"""


def pytest_run(folder: Path, test: str, *words: str) -> tuple[int, str]:
    """Run pytest on a test in a process of its own. Returns exit code and output."""
    (folder / "test_agent.py").write_text(AGENT + test, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", *PLUGINS, *words, "test_agent.py"]
    done = subprocess.run(command, cwd=folder, env=NO_OTHERS, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_failed_test_shows_what_was_recorded(tmp_path: Path) -> None:
    """Of the fixture's run, and of those that the test began itself; the page is written; a test that passes shows nothing."""
    test = """
from whyops.testing import record

def test_passes(whyops_run):
    agent()
    whyops_run.calls("refund").once()

def test_fails(whyops_run):
    agent()
    assert whyops_run.answer == "done"

def test_fails_too():
    with record() as run:
        agent()
    run.calls("refund").never()
"""
    code, out = pytest_run(tmp_path, test, "--whyops-report", "pages")
    assert code == 1
    assert "2 failed, 1 passed" in out
    assert out.count("whyops: what was recorded") == 2
    assert out.count('refund(order_id="123", amount=5) → {"ok": true}') == 3
    assert "refund was called once; expected: never." in out
    assert "failure.py" not in out
    pages = sorted(page.name for page in (tmp_path / "pages").iterdir())
    assert pages == ["test_agent.py-test_fails.html", "test_agent.py-test_fails_too.html"]
    assert "Refund <b>" not in (tmp_path / "pages" / pages[0]).read_text("utf-8")


def test_async_tests_have_their_own_runs(tmp_path: Path) -> None:
    """What an async test does is in its run; a task and a thread that a failed one left behind are in no other's."""
    test = """
import asyncio, threading, time
import pytest

@whyops.tool
async def look(n):
    await asyncio.sleep(0.01)
    return n

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_fails(whyops_run):
    whyops_run.left = asyncio.create_task(look(99))
    threading.Thread(target=lambda: time.sleep(0.05) or refund(98)).start()
    await asyncio.sleep(0)
    assert False

@pytest.mark.anyio
@pytest.mark.parametrize("n", range(3))
async def test_passes(whyops_run, n):
    await asyncio.gather(look(n), asyncio.to_thread(refund, n))
    whyops_run.calls("look").once().with_arguments(n=n)
    whyops_run.calls("refund").once().with_arguments(order_id=n)
"""
    code, out = pytest_run(tmp_path, test, "-p", "anyio")
    assert code == 1
    assert "1 failed, 3 passed" in out


def test_golden_runs_are_written_where_that_is_asked_for(tmp_path: Path) -> None:
    """The option reaches `run.matches`."""
    test = """
def test_it(whyops_run):
    agent()
    whyops_run.matches("golden/refund.json")
"""
    code, out = pytest_run(tmp_path, test, "--whyops-update")
    assert (code, "1 passed" in out) == (0, True)
    assert "refund" in (tmp_path / "golden" / "refund.json").read_text("utf-8")


def test_it_loads_nothing_until_it_is_used(tmp_path: Path) -> None:
    """A run of pytest that does not use it loads the plugin's own file, and nothing else of the package."""
    (tmp_path / "test_none.py").write_text(
        "import sys\ndef test_it():\n    print([name for name in sys.modules if name.startswith('whyops')])\n", "utf-8"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-s", *PLUGINS, "test_none.py"]
    done = subprocess.run(command, cwd=tmp_path, env=NO_OTHERS, capture_output=True, text=True, check=True)
    assert "['whyops', 'whyops._testing', 'whyops._testing.plugin']" in done.stdout


@pytest.mark.parametrize("option", ["--whyops-report", "--whyops-update"])
def test_its_options_are_in_the_help(option: str, pytestconfig: pytest.Config) -> None:
    """They are pytest's own, under a heading of ours."""
    assert pytestconfig.getoption(option) in (None, False)
