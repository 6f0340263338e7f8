"""`whyops.load_trace`: a trace as objects, from the local store, from lines that wait, and from the service."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import whyops
from tests._cli.test_commands import store
from tests._render.recordings import conversation
from tests.server.client import Client
from tests.server.server import StrictServer
from tests.server.service import Limits
from whyops._find import find_trace
from whyops._service.reader import ServiceReader
from whyops.errors import ServiceError, TraceNotFoundError

KEY = "whyops_test"


@whyops.tool
def add(a: int, b: int) -> int:
    return a + b


def client(server: StrictServer, **settings: object) -> whyops.WhyOps:
    given = {"api_key": KEY, "agent_name": "agent", "analyse_base_url": server.url, "proxy_base_url": server.proxy_url}
    return whyops.configure(**{**given, **settings})


def names(trace: whyops.RecordedTrace) -> list[str]:
    return [call.name for call in trace.calls]


def test_what_was_just_recorded(home: Path) -> None:
    """Without a key, a trace can be loaded as soon as it was recorded, by its id, the beginning of it, or as the last."""
    with whyops.trace("session-1", external_user_id="mia") as trace:
        trace.user_message_sync([{"role": "user", "content": "What is 1 + 2?"}])
        add(1, 2)
    for wanted in ("session-1", "sess", "last"):
        loaded = whyops.load_trace(wanted)
        assert (loaded.trace_id, loaded.external_user_id, names(loaded)) == ("session-1", "mia", ["add"])
    (call,) = loaded.calls
    assert (call.arguments, call.result, call.error) == ({"a": 1, "b": 2}, 3, None)
    assert loaded.totals.events == 3
    assert home.exists()


@pytest.mark.usefixtures("home")
def test_several_traces() -> None:
    """The traces of the local store, most recently active first, narrowed down to those that are wanted."""
    for name, user in (("first", "mia"), ("second", "tom"), ("third", "mia")):
        with whyops.trace(name, external_user_id=user):
            add(1, 2)
    traces = whyops.load_traces()
    assert [trace.trace_id for trace in traces] == ["third", "second", "first"]
    assert [trace.trace_id for trace in whyops.load_traces(1)] == ["third"]
    assert [trace.trace_id for trace in whyops.load_traces(external_user_id="mia", tool="add")] == ["third", "first"]
    assert whyops.load_traces(errors=True) == whyops.load_traces(0) == ()
    assert all(trace.trace_id in traces._repr_html_() for trace in traces)


@pytest.mark.parametrize("given", ["ü-1 weird", "x" * 1000])
def test_an_id_that_had_to_be_changed(given: str) -> None:
    """A trace is found under the id that it was given, also where that is recorded in a form that the service takes."""
    with whyops.trace(given) as trace:
        add(1, 2)
    loaded = whyops.load_trace(given)
    assert (loaded.trace_id, names(loaded)) == (trace.id, ["add"])


def test_nothing_there(home: Path) -> None:
    """An unknown id is an error that says so, and looking makes no file."""
    with pytest.raises(TraceNotFoundError, match="No trace has been recorded"):
        whyops.load_trace("nope")
    assert not home.exists()


def test_from_the_service() -> None:
    """With a key, a trace is read from the service: all of it, in order, over several pages."""
    with StrictServer() as server:
        sdk = client(server)
        with sdk.trace("far") as trace:
            trace.user_message_sync([{"role": "user", "content": "Hi"}])
            for number in range(230):
                add(number, 1)
        loaded = whyops.load_trace("far")
        assert [call.result for call in loaded.calls] == [number + 1 for number in range(230)]
        assert loaded.totals.events == 461
        assert loaded.delivery.left_out == 0
        assert len([request for request in server.requests if request.method == "GET" and request.path == "/api/events"]) >= 3
        with pytest.raises(TraceNotFoundError, match="nor does the service"):
            whyops.load_trace("nowhere")


def test_here_and_there_each_event_once(home: Path) -> None:
    """What is kept here and at the service is one event; what only the service has, as from the proxy, is among them."""
    with StrictServer() as server:
        sdk = client(server, keep_local=True)
        with sdk.trace("both") as trace:
            trace.user_message_sync([{"role": "user", "content": "Hi"}])
            add(1, 2)
        sdk.flush_sync()
        seen = {"model": "m", "provider": "p"}
        by_proxy = {"traceId": "both", "agentName": "agent", "eventType": "llm_response", "content": {"content": "3"}, "metadata": seen}
        Client(server).send(by_proxy)
        loaded = whyops.load_trace("both")
        assert [event.type for event in loaded.events] == ["user_message", "tool_call_request", "tool_call_response", "llm_response"]
        assert find_trace("both", home, None).totals.events == 3


@pytest.mark.skipif(sys.platform == "win32", reason="needs kill -9")
def test_lines_that_wait(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What a killed process could not deliver is part of the trace, and said to wait; that the service can't be asked is said, too."""
    script = "import os, whyops\nwith whyops.trace('cut'):\n    whyops.tool(len)([1])\n    os.kill(os.getpid(), 9)"
    with StrictServer() as server:
        server.stop()
        settings = {"WHYOPS_API_KEY": KEY, "WHYOPS_AGENT_NAME": "agent", "WHYOPS_ANALYSE_BASE_URL": server.url, "WHYOPS_HOME": str(home)}
        killed = subprocess.run([sys.executable, "-c", script], env={**os.environ, **settings}, check=False)
        assert killed.returncode == -signal.SIGKILL
        loaded = find_trace("cut", home, ServiceReader(server.url, KEY))
        assert (names(loaded), loaded.delivery.waiting) == (["len"], 2)
        assert "can't be asked" in loaded.delivery.not_asked
        with pytest.raises(ServiceError, match="can't be asked"):
            find_trace("other", home, ServiceReader(server.url, KEY))
    assert caplog.records == []


def test_what_the_service_left_out(home: Path) -> None:
    """Kept here, a trace is whole, also where the service keeps only a share; how much it left out is told."""
    with StrictServer(limits=Limits(sampling_rate=0.0)) as server:
        sdk = client(server, agent_metadata={"systemPrompt": "p", "tools": []}, keep_local=True)
        assert sdk.init_agent_sync() is not None
        with sdk.trace("left-out"):
            add(1, 2)
        loaded = whyops.load_trace("left-out")
        assert server.events == []
        assert (names(loaded), loaded.delivery.left_out) == (["add"], 2)
        assert find_trace("last", home, None).trace_id == "left-out"


def test_last_is_the_last_on_this_machine(home: Path) -> None:
    """Of what is stored and of what waits; where runs go to the service, that is said."""
    with StrictServer() as server:
        with pytest.raises(TraceNotFoundError, match="list --remote"):
            find_trace("last", home, ServiceReader(server.url, KEY))
        local = whyops.WhyOps(agent_name="agent")
        local.trace("stored").error_sync("first")
        local.close_sync()
        server.stop()
        sdk = client(server)
        for number in range(3):
            sdk.trace(f"waits-{number}").error_sync(str(number))
        sdk.close_sync(timeout=0.2)
        assert find_trace("last", home, None).trace_id == "waits-2"
        assert find_trace("waits-1", home, None).trace_id == "waits-1"
        with pytest.raises(TraceNotFoundError, match="More than one trace's id begins with 'waits': waits-0, waits-1, waits-2"):
            find_trace("waits", home, None)
        later = whyops.WhyOps(agent_name="agent")
        later.trace("stored").error_sync("again")
        later.close_sync()
        assert find_trace("last", home, None).trace_id == "stored"


def test_a_whole_id_is_no_beginning(home: Path) -> None:
    """A stored trace is found by its id, though another one waits whose id begins with it; a beginning of both is not enough."""
    with StrictServer() as server:
        local = whyops.WhyOps(agent_name="agent")
        local.trace("t-1").error_sync("stored")
        local.close_sync()
        server.stop()
        sdk = client(server)
        sdk.trace("t-10").error_sync("waits")
        sdk.close_sync(timeout=0.2)
        assert find_trace("t-1", home, None).trace_id == "t-1"
        assert find_trace("t-10", home, None).trace_id == "t-10"
        with pytest.raises(TraceNotFoundError, match="More than one trace's id begins with 't-': t-10, t-1"):
            find_trace("t-", home, None)


def test_refused_events_are_part_of_it() -> None:
    """An event that the service refused for good is kept aside, and shown with the reason."""
    with StrictServer() as server:
        server.spoil(lambda event: event["eventType"] == "tool_call_response", status=409)
        with client(server).trace("refused"):
            add(1, 2)
        loaded = whyops.load_trace("refused")
        assert loaded.calls[0].result == 3
        assert loaded.delivery.rejected == {"409 Spoiled": 1}


def test_a_prefix_of_what_is_not_stored(home: Path) -> None:
    """A trace whose events were all rejected is found by a prefix of its id, and by its whole id where that begins another's."""
    with StrictServer() as server:
        server.spoil(lambda _: True, status=409)
        with client(server) as sdk:
            for trace_id in ("refused-1", "refused-12", "other"):
                with sdk.trace(trace_id):
                    add(1, 2)
            assert sdk.flush_sync().rejected == 6
        for wanted, found in {
            "refused-12": "refused-12",
            "refused-1": "refused-1",
            "oth": "other",
            "oth…": "other",
            "last": "other",
        }.items():
            loaded = find_trace(wanted, home, None)
            assert (loaded.trace_id, names(loaded), loaded.delivery.rejected) == (found, ["add"], {"409 Spoiled": 2})
        for wanted in ("refused", "", "nothing"):
            with pytest.raises(TraceNotFoundError):
                find_trace(wanted, home, None)


def test_a_refused_key(home: Path) -> None:
    """A key that is refused is told as such, and is not in the message."""
    with StrictServer(accounts={}) as server, pytest.raises(ServiceError, match=r"refuses the API key \(401\)") as raised:
        find_trace("any", home, ServiceReader(server.url, "whyops_secret"))
    assert "secret" not in str(raised.value)
    assert "secret" not in repr(ServiceReader(server.url, "whyops_secret"))


def test_a_key_that_can_not_be_looked_up(home: Path) -> None:
    """A service without its database refuses each key: that is told as what it is."""
    with StrictServer() as server:
        server.service.health.database = False
        with pytest.raises(ServiceError, match=r"can't reach its database, .* no fault of the key: try again later"):
            find_trace("any", home, ServiceReader(server.url, KEY))
        server.cut(times=None, path="/api/health")
        with pytest.raises(ServiceError, match="refuses the API key"):
            find_trace("any", home, ServiceReader(server.url, KEY))


def test_httpx_says_nothing(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Our questions to the service don't show in the user's log; the user's own requests do."""
    caplog.set_level(logging.INFO, logger="httpx")
    with StrictServer() as server:
        with pytest.raises(TraceNotFoundError):
            find_trace("any", home, ServiceReader(server.url, KEY))
        assert caplog.records == []
        import httpx  # noqa: PLC0415

        httpx.get(server.origin + "/health")
    assert len(caplog.records) == 1


def test_keep_local_from_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`WHYOPS_KEEP_LOCAL=1` keeps delivered events in the local store, byte for byte; without it nothing is kept."""
    with StrictServer() as server:
        for trace_id, keep in (("kept", "1"), ("not-kept", "0")):
            monkeypatch.setenv("WHYOPS_KEEP_LOCAL", keep)
            with client(server) as sdk, sdk.trace(trace_id):
                add(1, 2)
        assert len(server.events) == 4
    with pytest.raises(TraceNotFoundError):
        find_trace("not-kept", home, None)
    assert [event.raw for event in find_trace("kept", home, None).events] == server.events_of("kept")


def test_a_store_that_can_not_keep(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A local store that can't be written costs no delivery, and is said once."""
    home.mkdir()
    (home / "traces.db").write_bytes(b"no store at all " * 500)
    with StrictServer() as server, client(server, keep_local=True, outbox="memory") as sdk, sdk.trace("t"):
        add(1, 2)
        result = sdk.flush_sync()
    assert (result.delivered, result.waiting) == (2, 0)
    (record,) = caplog.records
    assert "can't be kept in the local store too" in record.getMessage()


def test_events_of_another_client(home: Path) -> None:
    """Events as any client records them are loaded, with what they lack lacking."""
    store(home, [*conversation(), {"traceId": "session-123"}])
    loaded = whyops.load_trace("session-123")
    assert loaded.totals.events == 19
    assert json.dumps(loaded.events[-1].raw)
