"""The sink that posts to the service: what it sends, what it makes of the answers, and what it never tells."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests._delivery.parts import http_sink, line, lines
from tests.server import Limits, StrictServer
from whyops._service.agents import complete_metadata, hash_metadata
from whyops._service.sink import HttpSink
from whyops.events import BatchRejected, Receipt, RetryLater

KEY = "whyops_test"
METADATA = {"systemPrompt": "Be kind.", "tools": [{"name": "search"}]}


@pytest.fixture
def server():
    with StrictServer() as running:
        yield running


@pytest.fixture(params=["own", "transport"])
def sink(request, server):
    """Both ways to the service: a connection of ours, and a transport of the user's."""
    transport = httpx.HTTPTransport(verify=False) if request.param == "transport" else None
    made = http_sink(server, transport=transport)
    yield made
    made.close()
    if transport is not None:
        transport.close()


def test_events_arrive_as_they_are(server, sink):
    """One array per batch, with key, agent and content type, over one connection."""
    assert sink.send(lines(3)) == Receipt(stored=3)
    assert sink.send([line(9)]) == Receipt(stored=1)
    assert [event["idempotencyKey"] for event in server.events] == ["0", "1", "2", "9"]
    assert server.connections == 1
    request = server.ingested[0]
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["x-agent-name"] == "agent"
    assert request.headers["content-type"] == "application/json"


def test_a_repeat_counts_as_stored(server, sink):
    """The service skips the keys that it has."""
    sink.send(lines(3))
    assert sink.send(lines(4)) == Receipt(stored=4)
    assert len(server.events) == 4


def test_a_connection_that_the_service_closed_is_replaced(sink, server):
    """Whether it is told so or not, nothing fails."""
    for _ in range(3):
        assert sink.send([line(time.monotonic())]).stored == 1
        server.stop()
        server.start()


def test_what_sampling_leaves_out_is_told():
    """Apart from what is stored, with the service's reason."""
    with StrictServer(limits=Limits(sampling_rate=0.0)) as server:
        sink = http_sink(server)
        sink.send([line(0, "a")])  # the first trace makes the agent, and is kept
        receipt = sink.send([line(index, f"trace {index}") for index in range(1, 5)])
        assert (receipt.stored, receipt.sampled_out) == (0, 4)
        assert "sampl" in receipt.sampled_out_reason.lower()
        sink.close()


def test_a_queue_accepts():
    """Events go past it, and each is answered for; where an older service has no such way, that they were accepted is all that is said."""
    with StrictServer(queue=True) as server:
        sink = http_sink(server)
        assert sink.send(lines(3)) == Receipt(stored=3)
        server.service.is_old = True
        assert sink.send(lines(5)) == Receipt(stored=0, accepted=5)
        assert sink.send(lines(6)) == Receipt(stored=0, accepted=6)
        assert [request.path.removeprefix("/api/events") for request in server.ingested] == ["", "", "/ingest", "/ingest"]
        sink.close()


def test_the_database_of_a_queue_is_away():
    """Nothing goes into a queue that drops what its worker can't store: all waits, and is stored in the end."""
    with StrictServer(queue=True) as server:
        sink = http_sink(server)
        sink.send(lines(1))
        server.service.health.database = False
        with pytest.raises(RetryLater, match="can't reach its database") as later:
            sink.send(lines(4))
        assert (later.value.kind, later.value.remedy) == ("busy", "")
        server.service.health.database = True
        assert sink.send(lines(4)) == Receipt(stored=4)
        assert server.service.dead_letters == []
        sink.close()


def test_without_its_database_a_service_refuses_no_key(server, sink):
    """It answers 401 to all, and says in its health why; a key that is bad stays one."""
    server.service.health.database = False
    with pytest.raises(RetryLater, match="can't reach its database"):
        sink.send(lines(1))
    server.service.health.database = True
    assert sink.send(lines(1)).stored == 1
    server.keys.revoke(KEY)
    with pytest.raises(RetryLater, match="refuses the API key"):
        sink.send(lines(1))


def test_failures_are_told_apart(server, sink):
    """What the server does to a request becomes what the sender understands."""
    sink.send(lines(1))
    server.fail(503, retry_after=7)
    with pytest.raises(RetryLater) as later:
        sink.send(lines(1))
    assert later.value.after == 7
    server.fail(500)
    with pytest.raises(BatchRejected) as refused:
        sink.send(lines(1))
    assert refused.value.perhaps_passing
    server.cut(times=None)
    with pytest.raises(RetryLater, match="can't be reached"):
        sink.send(lines(1))
    server.clear()
    server.stop()
    with pytest.raises(RetryLater, match="can't be reached"):
        sink.send(lines(1))
    server.start()
    assert sink.send(lines(1)).stored == 1


def test_a_hurried_sink_keeps_its_limit(server, sink):
    """No request lasts beyond the moment that it is given."""
    server.hang()
    started = time.monotonic()
    sink.hurry(started + 0.3)
    with pytest.raises(RetryLater, match="no answer in time"):
        sink.send(lines(1))
    with pytest.raises(RetryLater):
        sink.send(lines(1))
    assert time.monotonic() - started < 2
    server.clear()
    sink.hurry(None)
    assert sink.send(lines(1)).stored == 1


def test_a_refused_key_keeps_the_events(server):
    """It says what to do, and never the key."""
    sink = http_sink(server, api_key="wrong-and-secret")
    with pytest.raises(RetryLater) as later:
        sink.send(lines(1))
    assert later.value.kind == "key"
    assert "WHYOPS_API_KEY" in later.value.remedy
    assert "whyops deliver --from" in later.value.remedy
    assert "secret" not in f"{later.value!r} {later.value.reason} {sink!r}"
    sink.close()


def outcome_of(sink: HttpSink) -> str:
    """Send an event, and return all that is said of what became of it."""
    try:
        return str(sink.send(lines(1)))
    except (RetryLater, BatchRejected) as refused:
        return f"{refused} {refused!r} {refused.reason}"


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 403, 404, 409, 413, 429, 500, 503])
@pytest.mark.parametrize("path", ["/api/events", "/api/entities/init"])
def test_a_key_that_is_echoed_is_not_told(server, caplog, path, status):
    """Whatever the service quotes of a request, whole or cut off, in whatever part of an answer."""
    key = "whyops_0123456789abcdefghijklmnop"
    said = f"{key} is no good, nor is Bearer {key} or {key[:20]}"
    body = {"error": said, "message": {"message": said}, key: said, "details": [{"field": said, "message": said}], "retryAfter": said}
    sink = http_sink(server, api_key=key, agent_metadata=METADATA)
    for answer in (body, [{"status": "sampled_out", "message": said}], [{"status": said, "spanId": said}]):
        server.fail(status, body=answer, times=4, path=path)
        for _ in range(2):
            assert key[:14] not in outcome_of(sink)
        server.clear()
    assert key[:14] not in caplog.text
    sink.close()


@pytest.mark.parametrize("key", ["whyops_secret\nline", "whyops_secret\u2019"])
def test_a_malformed_key_is_not_told_either(server, key):
    """Not even where a library complains about it."""
    sink = http_sink(server, api_key=key)
    with pytest.raises(RetryLater) as later:
        sink.send(lines(1))
    assert "cret" not in f"{later.value!r} {later.value.__cause__!r}"
    sink.close()


@pytest.mark.parametrize("base", ["http://", "ftp://service.test/api", "nonsense", "http://127.0.0.1:99999/api", "http://[::1/api"])
def test_a_malformed_address_is_no_crash(base):
    """It is as if nobody answered."""
    sink = HttpSink(analyse_base_url=base, proxy_base_url=base, api_key=KEY, agent_name="agent", agent_metadata=None)
    with pytest.raises(RetryLater):
        sink.send(lines(1))


def test_httpx_logs_nothing_about_our_requests(server, caplog):
    """A user who logs at INFO sees no line of ours, with a transport of the user's neither."""
    with caplog.at_level(logging.INFO), httpx.HTTPTransport(verify=False) as transport:
        http_sink(server, transport=transport, agent_metadata=METADATA).send(lines(1))
    assert not caplog.records


class TestAgent:
    """The agent is described before its first event, once."""

    def test_before_the_first_event(self, server):
        """Completed as the service requires; and not again."""
        sink = http_sink(server, agent_metadata=METADATA)
        sink.send([line(1)])
        sink.send([line(2)])
        paths = [request.path for request in server.requests]
        assert paths == ["/api/entities/init", "/api/events", "/api/events"]
        sent = json.loads(server.requests[0].body)
        tool = {"name": "search", "description": "search", "inputSchema": "{}", "outputSchema": "{}"}
        assert sent == {"agentName": "agent", "metadata": {"systemPrompt": "Be kind.", "tools": [tool]}}
        sink.close()

    def test_without_metadata_a_new_agent_is_made_known(self, server, sink):
        """With a placeholder, before the first event; each trace would else make a version of its own, and be refused in the end."""
        assert sink.send([line(index, f"trace {index % 3}") for index in range(9)]).stored == 9
        assert [json.loads(request.body)["metadata"] for request in server.inits] == [{"systemPrompt": "Not given.", "tools": []}]
        assert sink.send(lines(1)).stored == 1
        told = sink.init_agent()
        assert told is not None
        assert told["status"] == "created"
        assert sink.init_agent() == told
        assert len(server.inits) == 1

    @pytest.mark.parametrize("agents", [1, 230])
    def test_without_metadata_a_known_agent_is_left_as_it_is(self, agents):
        """A description that nobody gave would be one more version of it. The list of agents has pages."""
        with StrictServer(limits=Limits(agents=None)) as server:
            for number in range(agents):
                server.service.agents.create(KEY, "agent" if number == agents - 1 else f"agent {number}", "its own")
            sink = http_sink(server)
            assert sink.send(lines(3)).stored == 3
            assert not server.inits
            sink.close()

    def test_lines_of_another_description(self, server):
        """What others left is sent with the description that is in force; an agent that nobody knows gets the one that is here."""
        for _ in range(2):
            sink = http_sink(server, agent_metadata=METADATA, if_unknown=True)
            assert sink.send(lines(3)).stored == 3
            sink.close()
        assert [json.loads(request.body)["metadata"]["systemPrompt"] for request in server.inits] == ["Be kind."]

    def test_a_service_without_a_list_of_agents(self, server):
        """Its agents are not asked for, and not made known."""
        server.fail(404, path="/api/entities", times=None)
        sink = http_sink(server)
        assert sink.send(lines(3)).stored == 3
        assert not server.inits
        sink.close()

    def test_two_at_once(self, server):
        """One with a description and one without, of an agent that is new: the description is what stays, in whatever order they come."""
        lock = threading.Lock()
        for number in range(20):
            name = f"agent {number}"
            server.service.agents._limit = None
            sinks = [http_sink(server, agent_name=name, agent_metadata=given, alone=lambda: lock) for given in (METADATA, None)]
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda sink: sink._introduction.before_events(), sinks))
            versions = server.service.agents.find(KEY, name).versions
            assert len(versions) in {1, 2}
            assert sinks[0].init_agent()["agentVersionId"] == versions[-1].id
            for sink in sinks:
                sink.close()

    def test_through_the_proxy_if_need_be(self, server):
        """Where the analyse service can't be reached."""
        sink = http_sink(server, agent_metadata=METADATA, analyse_base_url="http://127.0.0.1:1/api")
        told = sink.init_agent()
        assert told is not None
        assert server.inits[0].path == "/v1/agents/init"
        sink.close()

    def test_a_gateway_without_its_service_is_gone_around(self, server):
        """As with a 502 of what stands before it."""
        server.fail(502, path="/api/entities/init")
        sink = http_sink(server, agent_metadata=METADATA)
        assert sink.init_agent() is not None
        sink.close()

    def test_the_agent_limit_is_said_and_not_asked_again(self, caplog):
        """Events go on: what becomes of them the service says."""
        with StrictServer(limits=Limits(agents=0)) as server:
            sink = http_sink(server, agent_metadata=METADATA)
            for index in range(3):
                with pytest.raises(BatchRejected):
                    sink.send([line(index)])
            assert len(server.inits) == 1
            assert len(caplog.records) == 1
            assert "limited number of agents" in caplog.text
            sink.close()

    def test_old_metadata_is_given_up_after_a_few_tries(self, server, caplog):
        """Going back to an older version answers 500 for good."""
        for metadata in (METADATA, {"systemPrompt": "Be brief."}):
            before = http_sink(server, agent_metadata=metadata)
            before.init_agent()
            before.close()
        sink = http_sink(server, agent_metadata=METADATA)
        for _ in range(2):
            with pytest.raises(RetryLater):
                sink.send([line(1)])
        assert sink.send([line(1)]).stored == 1
        assert sink.send([line(2)]).stored == 1
        assert len(server.inits) == 2 + 3
        assert len(caplog.records) == 1
        sink.close()

    @pytest.mark.parametrize("analyse", ["unreachable", "502"])
    def test_a_proxy_that_reaches_nobody_has_no_say(self, server, analyse):
        """It answers 500 where the service is away: that is no refusal of the description, which is told again until it is taken."""
        server.service.health.proxy_link = False
        options = {"analyse_base_url": "http://127.0.0.1:1/api"} if analyse == "unreachable" else {}
        server.fail(502, path="/api/entities/init", times=None)
        sink = http_sink(server, agent_metadata=METADATA, **options)
        for _ in range(5):
            with pytest.raises(RetryLater) as later:
                sink.send(lines(1))
            assert later.value.kind in {"unreachable", "busy"}
        assert server.events == []
        server.clear()
        if not options:
            assert sink.send(lines(1)).stored == 1
            assert server.service.agents.find(KEY, "agent").version.hash == server.service.agents.of(KEY)[0].versions[0].hash
        sink.close()

    def test_a_service_that_is_not_ready_refuses_no_description(self, server):
        """500 is what it answers to an older version, for good, and also where its database is away: it is asked."""
        sink = http_sink(server, agent_metadata=METADATA)
        server.fail(500, path="/api/entities/init", times=None)
        server.fail(503, path="/api/health/ready", times=None)
        for _ in range(5):
            with pytest.raises(RetryLater, match="not ready") as later:
                sink.send(lines(1))
            assert later.value.kind == "busy"
        server.clear()
        assert sink.send(lines(1)).stored == 1
        assert len(server.service.agents.find(KEY, "agent").versions) == 1
        sink.close()

    def test_an_outage_is_no_reason_to_go_on_without(self, server):
        """The description waits like all else."""
        sink = http_sink(server, agent_metadata=METADATA)
        server.fail(503, times=20)
        for _ in range(5):
            with pytest.raises(RetryLater):
                sink.send([line(1)])
        server.clear()
        assert sink.send([line(1)]).stored == 1
        assert [request.path for request in server.requests].count("/api/events") == 1
        sink.close()


@pytest.mark.parametrize(
    "given,complete",
    [
        (None, {"systemPrompt": "Not given.", "tools": []}),
        ({"systemPrompt": "", "tools": None}, {"systemPrompt": "Not given.", "tools": []}),
        ({"systemPrompt": "a\0b\ud800", "description": "d"}, {"systemPrompt": "ab?", "description": "d", "tools": []}),
        (
            {"systemPrompt": "p", "tools": [{"name": "n", "inputSchema": {"type": "object"}, "outputSchema": ""}, "nonsense", {}]},
            {
                "systemPrompt": "p",
                "tools": [
                    {"name": "n", "description": "n", "inputSchema": '{"type": "object"}', "outputSchema": "{}"},
                    {"name": "unnamed", "description": "unnamed", "inputSchema": "{}", "outputSchema": "{}"},
                ],
            },
        ),
    ],
    ids=["nothing", "empty", "hostile", "tools"],
)
def test_metadata_is_completed(given, complete):
    """What the service requires and the user left out is filled in."""
    assert complete_metadata(given) == complete


def test_equal_descriptions_have_equal_hashes():
    """Key order doesn't matter, the order of the tools does; none is none."""

    def told(*tools: str, **other: str) -> Mapping[str, object]:
        return {**other, "tools": [{"name": name} for name in tools]}

    assert hash_metadata(told("a", "b", systemPrompt="p", description="d")) == hash_metadata(
        told("a", "b", description="d", systemPrompt="p")
    )
    assert hash_metadata(told("a", "b")) != hash_metadata(told("b", "a"))
    assert hash_metadata(None) == ""
