"""What the addresses answer: the page, reports and data, of this machine and of the service."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests._cli.test_commands import store
from tests._cli.test_views import run_of
from tests._listing.waiting import wait_in
from tests._render.recordings import Run, conversation
from tests.server import StrictServer
from tests.server.client import KEY, Client, event
from whyops._outbox.file_outbox import FileOutbox
from whyops._service.reader import ServiceReader
from whyops._store.schema import connect_to_write
from whyops._ui.site import Site

from .conftest import Browser, Serve

RECORD = """
import sys, whyops

@whyops.tool
def look_up(word):
    return f"found {word}"

trace = whyops.trace("grows")
for word in sys.stdin:
    with trace:
        look_up(word.strip())
    print("recorded", flush=True)
"""


def hashes(policy: str, text: str, tag: str) -> bool:
    """Tell whether a policy names what stands between the last pair of a tag."""
    inside = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)[-1]
    return "sha256-" + base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode() in policy


def test_the_page(browser: Browser) -> None:
    """Its policy lets its own script and style run and nothing else, and lets it ask this server alone."""
    answer = browser.ask("/")
    policy, page = answer.headers["Content-Security-Policy"], answer.body.decode()
    assert policy.startswith("default-src 'none'; ")
    assert "connect-src 'self'; frame-src 'self'; " in policy
    assert "unsafe" not in policy
    assert hashes(policy, page, "script")
    assert hashes(policy, page, "style")
    assert "--accent" in page
    assert "<!-- " not in page


def test_the_page_carries_no_trace(browser: Browser, home: Path) -> None:
    """What was recorded is not in it: a script asks for that."""
    store(home, conversation())
    assert b"session-123" not in browser.ask("/").body


def test_a_trace_is_its_report(browser: Browser, home: Path) -> None:
    """A trace is shown as in the report, and its data come alone as well; a hostile payload is never markup."""
    run = Run("</script><b>")
    run.user("<img src=x onerror=alert(1)>")
    store(home, run)
    for path, kind in (("/trace", "text/html; charset=utf-8"), ("/api/trace", "application/json")):
        answer = browser.ask(f"{path}?id=%3C/script%3E%3Cb%3E")
        assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
        assert b"<img" not in answer.body
    assert answer.data["traces"][0]["id"] == "</script><b>"
    unknown = browser.ask("/trace?id=%3Cb%3Enope")
    assert unknown.status == 404
    assert "No trace &#x27;&lt;b&gt;nope&#x27; is here" in unknown.body.decode()
    assert "'<b>nope'" in browser.ask("/api/trace?id=%3Cb%3Enope").data["error"]


def test_an_id_is_never_a_prefix(browser: Browser, home: Path, outbox: FileOutbox) -> None:
    """A trace is meant by its whole id, also where another's begins with it."""
    store(home, run_of("a"))
    wait_in(outbox, run_of("ab"))
    assert browser.ask("/api/trace?id=a").data["traces"][0]["id"] == "a"
    assert browser.ask("/api/trace?id=ab").data["traces"][0]["id"] == "ab"
    assert browser.ask("/api/trace?id=last").status == 404


def test_names(browser: Browser, home: Path, outbox: FileOutbox) -> None:
    """The filters offer what there is, stored or waiting."""
    wait_in(outbox, run_of("waits", agentName="late", metadata={"langgraph_node": "plan"}))
    store(home, run_of("a", externalUserId="mia"))
    assert browser.ask("/api/names").data == {
        "agents": ["late", "support"],
        "users": ["mia", "user_12345"],
        "tools": ["refund", "search"],
        "nodes": ["plan"],
    }


def test_it_grows_while_another_process_records(home: Path, browser: Browser) -> None:
    """As soon as another process has recorded a call, the numbers change, and list and trace have it, though it waits in the outbox."""
    command = [sys.executable, "-c", RECORD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        seen = {(browser.ask("/api/change").data["change"], browser.ask("/api/change?id=grows").data["trace"])}
        for number, word in enumerate(("first", "second"), 1):
            print(word, file=process.stdin, flush=True)
            assert process.stdout.readline() == "recorded\n"
            now = browser.ask("/api/change?id=grows").data
            assert (now["change"], now["trace"]) not in seen
            seen.add((now["change"], now["trace"]))
            (row,) = browser.ask(f"/api/traces?q=found+{word}").data["traces"]
            assert (row["id"], row["events"], row["calls"]) == ("grows", 2 * number, number)
            steps = browser.ask("/api/trace?id=grows").data["traces"][0]["steps"]
            assert [step["result"] for step in steps] == [f'"found {one}"' for one in ("first", "second")[:number]]
        process.stdin.close()


def test_a_writer_is_never_in_the_way(home: Path, browser: Browser) -> None:
    """While another connection holds the store's write lock all is read as it was before."""
    store(home, run_of("a"))
    connection = connect_to_write(home / "traces.db")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM traces")
    assert browser.ids("q=I+am") == ["a"]
    connection.execute("ROLLBACK")
    connection.close()


def test_deleting_what_waits(serve: Serve, home: Path, outbox: FileOutbox) -> None:
    """Events that a running process holds stay, and it is said how many."""
    store(home, run_of("a"))
    wait_in(outbox, run_of("a"))
    browser = serve(may_delete=True)
    assert browser.delete("a").data == {"removed": 1, "erased": 0, "held": 3}
    outbox.close()
    assert browser.delete("a").data == {"removed": 0, "erased": 3, "held": 0}
    assert browser.ids() == []


def test_a_store_that_can_not_be_read(home: Path, browser: Browser) -> None:
    """The answer says what is wrong with it."""
    home.mkdir()
    (home / "traces.db").write_bytes(b"no store at all, but long enough to be looked at" * 100)
    answer = browser.ask("/api/traces")
    assert answer.status == 503
    assert "damaged, or no store of WhyOps" in answer.data["error"]


def test_traces_of_the_service(serve: Serve) -> None:
    """With a key the service's traces are listed page by page, by agent, user and time, and shown."""
    with StrictServer() as running:
        client = Client(running)
        client.send(
            event(traceId="a", timestamp="2026-01-01T00:00:00Z", externalUserId="ada"), event(traceId="a", timestamp="2026-01-01T00:00:02Z")
        )
        client.send(event(traceId="b", timestamp="2026-02-01T00:00:00Z", agentName="second"))
        client.close()
        browser = serve(service=ServiceReader(running.url, KEY))
        page = browser.ask("/api/traces?source=service&limit=1").data
        assert ([row["id"] for row in page["traces"]], page["total"], page["cursor"]) == (["b"], 2, "1")
        rest = browser.ask("/api/traces?source=service&limit=1&cursor=1").data
        assert [(row["id"], row["ms"], row["events"]) for row in rest["traces"]] == [("a", 2000.0, 2)]
        assert rest["cursor"] is None
        assert browser.ids("source=service&user=ada") == ["a"]
        assert browser.ids() == []
        assert browser.ask("/api/trace?source=service&id=b").data["traces"][0]["agent"] == "second"
        assert json.loads(facts_of(browser))["service"] == running.url
        assert KEY.encode() not in browser.ask("/").body
    assert browser.ask("/api/traces?source=service").status == 502


def facts_of(browser: Browser) -> str:
    found = re.search(r'id="facts">(.*?)</script>', browser.ask("/").body.decode())
    assert found is not None
    return found[1]


def test_without_a_key(browser: Browser) -> None:
    """The service's traces can't be asked for, and that is said."""
    assert "set WHYOPS_API_KEY" in browser.ask("/api/traces?source=service").data["error"]


def test_pages_are_pure(home: Path) -> None:
    """A site answers without a server: what is unknown is nothing."""
    answer: Callable[..., object] = Site(home, version="0").answer
    assert answer("GET", "/nothing", {}) == answer("POST", "/api/traces", {}) == answer("PUT", "/", {})
