"""`headers` and `continued`: a trace goes on in another process where that trusts it, and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import email.message
import json
import logging
import pickle
import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import whyops
from tests.ignored import ignored
from tests.server.otlp import OtlpServer
from tests.server.server import StrictServer
from tests.server.service import Limits
from whyops._cli._main import main
from whyops._default import default_client, existing_default
from whyops._recording.carried import KEY
from whyops.integrations.asgi import TraceMiddleware
from whyops.integrations.wsgi import TraceMiddleware as WsgiMiddleware


@whyops.tool
def look_up(sku: str) -> str:
    """Be called in another process."""
    return sku


@contextlib.contextmanager
def sent(trace_id: str = "order-7", **options: Any) -> Iterator[tuple[dict[str, str], str]]:
    """Give the headers that go along from a span in a trace, and the span's id."""
    with whyops.trace(trace_id, "user-1") as trace, trace.tool_span("ask", {}) as span:
        yield whyops.headers(**options), span.span_id


def requests_of(trace_id: str, tool: str = "look_up") -> list[Any]:
    default_client().flush_sync()
    return [call for call in whyops.load_trace(trace_id).calls if call.name == tool]


def test_nothing_is_carried_outside_a_trace() -> None:
    """Without a trace there are no headers, and nothing in a mapping is nothing to continue, which nobody says anything of."""
    assert whyops.headers() == {}
    assert whyops.headers({"baggage": "a=1"}) == {}
    with whyops.continued({}, trust=True) as trace:
        assert trace is None
        assert whyops.current_trace() is None
    assert not ignored()


def test_what_is_carried() -> None:
    """The trace, the span and the agent go along, the user only if asked; a carrier is left as it is and its baggage is kept."""
    whyops.configure(agent_name="shop")
    carrier = {"Baggage": "a=1", "Accept": "*/*"}
    with sent(carrier=carrier) as (headers, span_id):
        assert list(headers) == ["X-Trace-ID", "Baggage"]
        assert headers["X-Trace-ID"] == "order-7"
        members = dict(member.split("=") for member in headers["Baggage"].split(","))
        assert members.pop("whyops.run")
        assert members == {"a": "1", "whyops.trace": "order-7", "whyops.span": span_id, "whyops.agent": "shop"}
        assert "user" not in whyops.headers()["baggage"]
        assert whyops.headers(user=True)["baggage"].endswith("whyops.user=user-1")
    assert carrier == {"Baggage": "a=1", "Accept": "*/*"}


def test_a_baggage_that_leaves_no_room(caplog: pytest.LogCaptureFixture) -> None:
    """Others' members are kept whole beside ours, as far as a receiver reads both; beyond that they stay alone, which is said once."""
    longest = "a=" + "b" * 7_900
    with sent(carrier={"baggage": longest}) as (headers, _):
        assert headers["baggage"].startswith(f"{longest},whyops.trace=order-7,")
    with whyops.continued(headers, trust=True) as trace:
        assert trace is not None
    for name in ("baggage", "baggage", b"baggage"):
        with sent(carrier={name: longest + "b" * 300}) as (headers, _):
            assert headers == {"X-Trace-ID": "order-7"}
    assert sum("no room for the trace" in record.getMessage() for record in caplog.records) == 1


def message(headers: Mapping[str, str]) -> object:
    made = email.message.Message()
    for name, value in headers.items():
        made[name] = value
    return made


@pytest.mark.parametrize(
    "carrier_of",
    [
        dict,
        lambda headers: {name.upper(): value for name, value in headers.items()},
        lambda headers: [(name.encode(), value.encode()) for name, value in headers.items()],
        lambda headers: [(b"accept", b"*/*"), *((name.title().encode(), value.encode()) for name, value in headers.items())],
        lambda headers: {**headers, "task": "x", "retries": 0, "origin": None},
        lambda headers: {"progressToken": 7, KEY: headers["baggage"]},
        message,
    ],
    ids=["dict", "upper case", "bytes", "title", "celery", "mcp", "object with items"],
)
def test_what_a_trace_is_read_from(carrier_of: Callable[[dict[str, str]], object]) -> None:
    """Headers of any case, text or bytes, mapping or pairs, a task's or those of MCP: the events hang under the span that was sent."""
    with sent() as (headers, span_id):
        pass
    with whyops.continued(carrier_of(headers), trust=True) as trace:
        assert trace is not None
        assert trace.id == "order-7"
        look_up("lamp")
    assert whyops.current_trace() is None
    (call,) = requests_of("order-7")
    assert call.first.parent_span_id == span_id


def test_in_coroutines_threads_and_nested_calls() -> None:
    """`async with` does the same; tasks, threads and bound functions in it are in the trace, under the span that was sent."""
    with sent() as (headers, span_id):
        pass

    async def serve() -> None:
        async with whyops.continued(headers, trust=True):
            await asyncio.gather(asyncio.to_thread(look_up, "a"), asyncio.create_task(asyncio.to_thread(look_up, "b")))
            with ThreadPoolExecutor(1) as pool:
                pool.submit(whyops.bind_context(look_up), "c").result()
        assert whyops.current_trace() is None

    asyncio.run(serve())
    calls = requests_of("order-7")
    assert len(calls) == 3
    assert {call.first.parent_span_id for call in calls} == {span_id}


def test_an_exception_that_leaves_is_recorded_and_propagates() -> None:
    """It is an error of the continued trace, as of a trace's own block."""
    with sent() as (headers, _):
        pass
    with pytest.raises(KeyError), whyops.continued(headers, trust=True):
        raise KeyError("lamp")
    requests_of("order-7")
    assert whyops.load_trace("order-7").totals.errors == 1


@pytest.mark.parametrize(
    "trust, secret, is_continued",
    [
        (None, None, False),
        (False, None, False),
        (False, "s3cret", False),
        (True, None, True),
        (lambda given: "X-Trace-ID" in given, None, True),
        (lambda _given: None, None, False),
        (lambda given: given["missing"], None, False),
        ("s3cret", None, False),
        ("", "s3cret", False),
        (None, "s3cret", True),
        ("s3cret", "s3cret", True),
        ("other", "s3cret", False),
    ],
    ids=[
        *("nobody", "False", "False, signed", "True", "who says so", "who says no", "who raises"),
        *("not signed", "an empty secret", "the environment's secret", "its own secret", "another secret"),
    ],
)
def test_whom_to_trust(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, trust: Any, secret: str | None, is_continued: Any
) -> None:
    """A foreign context is ignored, counted and said once, unless the receiver trusts all, or a function or a signature says so."""
    if secret is not None:
        monkeypatch.setenv("WHYOPS_TRUST_SECRET", secret)
    with sent() as (headers, _):
        pass
    for _ in range(3):
        with whyops.continued(headers, trust=trust) as trace:
            assert (trace is not None) == is_continued
    assert ignored() == ({} if is_continued else {"untrusted": 3})
    said = [record for record in caplog.records if "not continued" in record.getMessage()]
    assert len(said) == (0 if is_continued else 1)
    assert "s3cret" not in caplog.text


def test_malformed_contexts_change_nothing() -> None:
    """Malformed and over-long ones are counted as such, whoever is trusted; no random bytes raise."""
    chance = random.Random(7)
    for text in ("whyops.trace=", "whyops.trace=" + "t" * 200, "a=b," * 9_000, "whyops.span=s"):
        with whyops.continued({"baggage": text}, trust=True) as trace:
            assert trace is None
    assert ignored() == {"malformed": 4}
    odd: list[object] = [
        None,
        7,
        "text",
        b"bytes",
        object(),
        [1],
        [(1, 2)],
        {1: 2},
        {"baggage": 7},
        {"baggage": [None]},
        [(b"baggage", None)],
    ]
    odd += [[(b"baggage", b"whyops." + chance.randbytes(30))] for _ in range(500)]
    for carrier in odd:
        with whyops.continued(carrier, trust=True) as trace:
            assert trace is None


STRANGER = {"baggage": "whyops.trace=order-7,whyops.span=s-1"}


def test_what_is_ignored_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """`status` tells how many and why, and `doctor` what to do, also where nothing was ever recorded: a stranger makes no client."""
    for carrier in (STRANGER, STRANGER, {"baggage": "whyops.trace="}):
        with whyops.continued(carrier):
            look_up("lamp")
    assert existing_default() is None
    assert ignored() == {"untrusted": 2, "malformed": 1}
    assert main(["status"]) == 0
    assert "  3 not continued (traces of other processes)\n    2: untrusted\n    1: malformed\n" in capsys.readouterr().out
    assert main(["status", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["recorded"], told["notContinued"], told["notContinuedReasons"]) == (0, 3, {"untrusted": 2, "malformed": 1})
    main(["doctor"])
    told = capsys.readouterr().out
    assert "3 traces of other processes not continued" in told
    assert "WHYOPS_TRUST_SECRET" in told
    assert not whyops.load_traces()


def test_where_what_is_ignored_is_counted(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """For the default client's first destination; not where several clients are open and none was chosen, or all is switched off."""
    monkeypatch.setenv("WHYOPS_DISABLED", "1")
    with whyops.continued(STRANGER):
        assert not home.exists()
    monkeypatch.delenv("WHYOPS_DISABLED")
    with OtlpServer() as receiver, whyops.WhyOps(otlp=f"http://127.0.0.1:{receiver.port}", keep_local=True):
        with whyops.continued(STRANGER):
            pass
        assert ignored() == {"untrusted": 1}
        with whyops.WhyOps(), whyops.continued(STRANGER):
            pass
        assert ignored() == {"untrusted": 1}


def test_the_secret_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No `repr`, attribute, pickle or recorded value holds it."""
    monkeypatch.setenv("WHYOPS_TRUST_SECRET", "s3cret-of-both")
    client = whyops.configure()
    with sent() as (headers, _):
        look_up("s3cret-of-both")
        current = whyops.current_trace()
        shown = [repr(client), pickle.dumps(client), pickle.dumps(current), json.dumps(headers), vars(client)]
    shown += [repr(vars(each(lambda: None, trust="s3cret-of-both"))) for each in (TraceMiddleware, WsgiMiddleware)]  # type: ignore[arg-type]
    client.flush_sync()
    shown.append(repr([event for step in whyops.load_trace("order-7").walk() for event in step.events]))
    assert not any("s3cret-of-both" in str(each) for each in shown)


def test_a_block_is_its_own_copy() -> None:
    """As a trace it can't be doubled."""
    with sent() as (headers, _):
        pass
    block = whyops.continued(headers, trust=True)
    assert copy.deepcopy(block) is block


def test_another_agent_at_the_service(caplog: pytest.LogCaptureFixture) -> None:
    """With a key, another agent has a trace of its own, the same each time, which names the other's and its span; it is said once."""
    caplog.set_level(logging.INFO, "whyops")
    with StrictServer() as server:
        clients = [whyops.WhyOps("whyops_test", name, None, server.proxy_url, server.url, outbox="memory") for name in ("web", "worker")]
        with clients[0].trace("order-7") as trace, trace.tool_span("ask", {}) as span:
            headers = whyops.headers()
        clients[0].close_sync()
        for _ in range(2):
            with whyops.continued(headers, trust=True) as trace:
                assert trace is not None
                look_up("lamp")
        clients[1].close_sync()
        assert trace.id != "order-7"
        assert len(server.events_of("order-7")) == 2
        own = server.events_of(trace.id)
    assert len(own) == 4
    assert {event["metadata"]["parentTraceId"] for event in own} == {"order-7"}
    assert {event["metadata"]["parentSpanId"] for event in own} == {span.span_id}
    assert len({event["metadata"]["runId"] for event in own}) == 1
    assert sum("under an id of its own" in record.getMessage() for record in caplog.records) == 1


def test_agents_in_a_row() -> None:
    """Each names the trace that asked for its own, and the first of all; so does another process of its, and a pickled trace."""
    traces = []
    with StrictServer(limits=Limits(agents=3)) as server:
        headers: dict[str, str] = {}
        for name in ("web", "worker", "worker", "audit", "audit"):
            client = whyops.WhyOps("whyops_test", name, None, server.proxy_url, server.url, outbox="memory")
            with client, whyops.continued(headers, trust=True) as continued:
                with pickle.loads(pickle.dumps(continued or whyops.trace("order-7"))) as trace, trace.tool_span("ask", {}):
                    headers = whyops.headers()
                traces.append(trace.id)
        told = [[event["metadata"].get(key) for key in ("parentTraceId", "rootTraceId")] for event in server.events[::2]]
    web, worker, worker_too, audit, audit_too = traces
    assert (worker, audit) == (worker_too, audit_too)
    assert len({web, worker, audit}) == 3
    assert told == [[None, None], [web, None], [web, None], [worker, web], [worker, web]]


def test_what_a_trace_says_of_its_parents_by_itself() -> None:
    """What a caller put into the metadata under these names goes along only if it is an id: the trace is continued all the same."""
    with whyops.trace("order-7", metadata={"parentTraceId": "x" * 500, "rootTraceId": ["order-6"]}):
        headers = whyops.headers()
    with whyops.continued(headers, trust=True) as trace:
        assert trace is not None
    assert not ignored()


def test_the_same_agent_at_the_service() -> None:
    """One agent's name is one trace everywhere."""
    with StrictServer() as server:
        with whyops.WhyOps("whyops_test", "shop", None, server.proxy_url, server.url, outbox="memory"):
            with sent() as (headers, span_id):
                pass
            with whyops.continued(headers, trust=True):
                look_up("lamp")
        events = server.events_of("order-7")
    assert len(events) == 4
    assert [event["metadata"].get("parentSpanId") for event in events].count(span_id) == 2
    assert all("parentTraceId" not in event["metadata"] for event in events)
    assert len({event["metadata"]["runId"] for event in events}) == 1


def test_another_agent_locally() -> None:
    """Without a key it is one tree in one trace, whatever the agents are called."""
    whyops.configure(agent_name="web")
    with sent() as (headers, span_id):
        pass
    default_client().close_sync()
    whyops.configure(agent_name="worker")
    with whyops.continued(headers, trust=True):
        look_up("lamp")
    (call,) = requests_of("order-7")
    assert call.first.parent_span_id == span_id
