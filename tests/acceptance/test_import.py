"""`import whyops` leaves the process alone."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pydantic_core
import pytest

from whyops._encoding import core
from whyops._store import STORE_NAME

WATCHED = """
import json, os, sys, threading

written, started, sockets = [], [], []

def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            written.append(str(path))
    elif event in ("os.mkdir", "os.rename", "os.remove", "sqlite3.connect"):
        written.append(str(arguments[0]))
    elif event in ("socket.__new__", "socket.connect"):
        sockets.append(event)
    elif event in ("_thread.start_new_thread", "_thread.start_joinable_thread"):
        started.append(event)

sys.addaudithook(watch)
before = set(sys.modules)
"""
REPORT = """
modules = sorted(set(sys.modules) - before)
print(json.dumps({"modules": modules, "written": written, "started": started, "sockets": sockets, "threads": threading.active_count()}))
"""


def run_watched(code: str, home: Path) -> dict[str, object]:
    """Run `code` in a fresh interpreter, and report what it loaded, wrote, started and connected."""
    environment = {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", WATCHED + code + REPORT], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    report: dict[str, object] = json.loads(done.stdout)
    return report


NEEDED_LATER = {
    "concurrent.futures": "waiting",
    "dataclasses": "a client",
    "email": "sending",
    "hashlib": "a strange id",
    "http": "sending",
    "httpx": "a transport of the user's",
    "inspect": "decorating",
    "ipaddress": "a path",
    "logging": "something to say",
    "pathlib": "a client",
    "pydantic_core": "an event",
    "socket": "sending",
    "sqlite3": "the local store",
    "ssl": "sending",
    "traceback": "an exception",
    "typing": "any of its names",
    "urllib.parse": "a path",
    "uuid": "an event",
}
"""What takes long to load, and what for."""

SENDING = {"concurrent.futures", "email", "http", "httpx", "logging", "socket", "sqlite3", "ssl", "traceback"}

NEEDED_BY_FEW = {
    "base64",
    "copy",
    "dataclasses",
    "hashlib",
    "pydantic_core",
    "whyops._config.otlp",
    "whyops._outbox.shared_file",
    "whyops._outbox.shared_outbox",
    "whyops._printable",
}
"""What a program needs that has strange ids, validates, sends spans, has several destinations, or says something."""

MOST_OF_OURS = 107
"""So many modules of ours a first call loads."""


def loaded(code: str) -> set[str]:
    """Return what `code` makes a fresh interpreter load. None of its threads runs, and nothing is done at its end."""
    before = "import os, sys, threading\nthreading.Thread.start = lambda self: None\nbefore = set(sys.modules)\n"
    code = f"{before}{code}\nprint(*set(sys.modules) - before, flush=True)\nos._exit(0)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def check_untouched(report: dict[str, object], home: Path) -> None:
    """Check that nothing was written, started, connected or imported that has no business before the first event."""
    assert isinstance(report["modules"], list)
    roots = {name.partition(".")[0] for name in report["modules"]}
    heavy = {"httpx", "httpcore", "sqlite3", "openai", "anthropic", "langchain_core", "llama_index", "opentelemetry", "_sqlite3"}
    assert heavy.isdisjoint(roots)
    assert (report["written"], report["started"], report["sockets"], report["threads"]) == ([], [], [], 1)
    assert list(home.iterdir()) == []


def test_import(tmp_path: Path) -> None:
    """Importing loads neither httpx nor sqlite3 nor any framework, starts no thread, writes no file."""
    check_untouched(run_watched("import whyops", tmp_path), tmp_path)


def test_an_import_loads_what_it_needs() -> None:
    """Importing loads nothing that is only needed later, and by some programs never."""
    anyway = {"inspect"} if sys.version_info < (3, 11) else set()  # there `Required` comes from `typing_extensions`, which needs it
    assert loaded("import whyops").isdisjoint(NEEDED_LATER.keys() - anyway)


@pytest.mark.parametrize("key", ["whyops_key", None])
def test_the_first_call_loads_what_it_needs(tmp_path: Path, key: str | None) -> None:
    """Nor does recording load what sends: the sender does, when it has something to send; and it logs nothing that nobody would see."""
    code = f"""
import whyops
sdk = whyops.WhyOps({key!r}, "agent", home={str(tmp_path)!r})

@whyops.tool
def double(number):
    return 2 * number

with sdk.trace("t"):
    double(2)
"""
    modules = loaded(code)
    assert {"whyops._encoding.core", "whyops._outbox.file_outbox"} <= modules
    assert modules.isdisjoint(SENDING)
    is_old = core._release(Path(pydantic_core.__file__).parents[1]) < core._LOADS_TWICE
    anyway = {"pydantic_core"} if is_old else set()
    assert modules.isdisjoint(NEEDED_BY_FEW - anyway)
    assert sum(name.partition(".")[0] == "whyops" for name in modules) <= MOST_OF_OURS


def test_the_end_of_a_program_loads_what_it_needs(tmp_path: Path) -> None:
    """Delivering to the local store, and waiting for that, load no futures, and so no logging; the event is delivered."""
    code = """
import atexit, sys
atexit.register(lambda: print(*sys.modules))
import whyops

@whyops.tool
def double(number):
    return 2 * number

with whyops.trace("t"):
    double(2)
"""
    environment = {**os.environ, "WHYOPS_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert {"concurrent", "concurrent.futures", "logging", "traceback"}.isdisjoint(done.stdout.split())
    with contextlib.closing(sqlite3.connect(tmp_path / STORE_NAME)) as store:
        assert store.execute("SELECT count(*) FROM events").fetchone() == (2,)


def test_decorating(tmp_path: Path) -> None:
    """So does decorating functions, and calling them in a program that configured nothing: they only run."""
    code = """
import whyops, asyncio

@whyops.tool
def double(number):
    return 2 * number

@whyops.tool(name="triple")
def triple(number):
    return 3 * number

assert (double(2), triple(2)) == (4, 6)
assert whyops.current_trace() is None
"""
    report = run_watched(code.replace(", asyncio", ""), tmp_path)
    check_untouched(report, tmp_path)


def test_a_client_without_a_key(tmp_path: Path) -> None:
    """Making a client that records locally touches nothing before its first event."""
    check_untouched(run_watched("import whyops\nsdk = whyops.WhyOps(agent_name='agent')\ntrace = sdk.trace('t')\n", tmp_path), tmp_path)


def test_disabled(tmp_path: Path) -> None:
    """With WHYOPS_DISABLED=1 recording everything touches nothing, with a key too, and tools run."""
    code = """
os.environ["WHYOPS_DISABLED"] = "1"
import whyops

@whyops.tool
def double(number):
    return 2 * number

sdk = whyops.WhyOps("whyops_key", "agent", {"systemPrompt": "x"})
with sdk.trace("t", external_user_id="u") as trace:
    assert double(2) == 4
    trace.user_message_sync([{"role": "user", "content": "Hi"}])
    span_id = trace.tool_call_request_sync("x", [{"name": "x", "arguments": {}}])
    assert isinstance(span_id, str) and span_id
    trace.tool_call_response_sync("x", span_id, [], {})
    with trace.tool_span("y", {}) as span:
        span.result = 1
with whyops.trace():
    double(1)
double(1)
sdk.flush_sync()
sdk.init_agent_sync()
sdk.close_sync()
"""
    report = run_watched(code, tmp_path)
    assert (report["written"], report["started"], report["sockets"]) == ([], [], [])
    assert list(tmp_path.iterdir()) == []


def test_no_handlers_no_hooks(tmp_path: Path) -> None:
    """Importing sets no signal handler, no excepthook, no log handler and no warning filter."""
    code = """
import signal, logging, warnings
def state():
    return (
        [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)],
        sys.excepthook, threading.excepthook, sys.unraisablehook, sys.displayhook,
        list(logging.root.handlers), logging.root.level, list(warnings.filters), sys.getrecursionlimit(), sys.getswitchinterval(),
    )
before_import = state()
import whyops
assert state() == before_import
assert logging.getLogger("whyops").level == logging.NOTSET
"""
    check_untouched(run_watched(code, tmp_path), tmp_path)
