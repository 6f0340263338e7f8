"""What the strict server answers to readers, and what it says of its own state."""

from __future__ import annotations

from tests.server import Limits, StrictServer
from tests.server.client import Client, event, llm_response


def test_the_list_of_events(client: Client) -> None:
    """The list is newest first, at most 200 a page, sorted by time alone; contents come only when asked for, and no user."""
    client.send(*(event(content=n, timestamp=f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z", spanId=f"s{n}") for n in range(250)))
    page = client.ask("GET", "/api/events?traceId=t&include=content,metadata&limit=1000")
    assert [row["content"] for row in page["events"]] == list(range(249, 49, -1))
    assert page["pagination"] == {"total": 250, "limit": 200, "offset": 0, "hasMore": True}
    latest = page["events"][0]
    assert latest["metadata"].pop("idempotencyKey").startswith("hash_")  # of an event that has no key of its own
    assert (latest["metadata"], "externalUserId" in latest) == ({}, False)
    rest = client.ask("GET", "/api/events?traceId=t&limit=200&offset=200")
    assert [row["spanId"] for row in rest["events"]] == [f"s{n}" for n in range(49, -1, -1)]
    assert "content" not in rest["events"][0]


def test_events_of_one_millisecond(client: Client) -> None:
    """Those of one moment come in any order, another one with each page: pages overlap, and miss some."""
    client.send(*(event(content=n, timestamp="2026-01-01T00:00:00.0004Z") for n in range(400)))
    pages = [client.ask("GET", f"/api/events?traceId=t&include=content&limit=200&offset={at}")["events"] for at in (0, 200)]
    seen = [row["content"] for page in pages for row in page]
    assert len(seen) == 400
    assert 200 < len(set(seen)) < 400


def test_a_trace(client: Client) -> None:
    """A trace is told with its agent, user and system prompt; a second reading of its contents has lost most of the metadata."""
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    client.send(event(eventType="user_message", content=messages, externalUserId="ada"), llm_response(latencyMs=3, tool="x"))
    path = "/api/threads/t?include=systemPrompt&eventInclude=content,metadata"
    first, again = client.ask("GET", path), client.ask("GET", path)
    assert (first["entityName"], first["externalUserId"], first["systemPrompt"]) == ("agent", "ada", "Be kind.")
    assert [one["content"] for one in first["events"]][:1] == ["Hi"]
    assert first["events"][1]["metadata"].pop("idempotencyKey").startswith("hash_")
    assert first["events"][1]["metadata"] == {"model": "m", "provider": "p", "latencyMs": 3, "tool": "x"}
    assert again["events"][1]["metadata"]["model"] == "m"
    assert "tool" not in again["events"][1]["metadata"]
    client.send(event(content=3))
    assert client.ask("GET", path)["events"][1]["metadata"]["tool"] == "x"
    client.ask("GET", "/api/threads/unknown")
    assert client.status == 404


def test_the_list_of_traces(client: Client) -> None:
    """Traces are filtered by agent, user and dates; only one's own are there."""
    client.send(event(traceId="a", timestamp="2026-01-01T00:00:00Z", externalUserId="ada"))
    client.send(event(traceId="b", timestamp="2026-02-01T00:00:00Z"))
    for query, found in {
        "": ["b", "a"],
        "externalUserId=ada": ["a"],
        "agentName=other": [],
        "agentName=agent&startDate=2026-01-15T00:00:00.000Z": ["b"],
        "endDate=2026-01-15T00:00:00.000Z": ["a"],
    }.items():
        assert [one["threadId"] for one in client.ask("GET", f"/api/threads?{query}")["threads"]] == found


def test_agents_and_limits(server: StrictServer, client: Client) -> None:
    """Agents are listed with the share that is kept and their limits; the account's own limit is asked for apart."""
    client.init()
    listed = client.ask("GET", "/api/entities?count=100")
    agent = listed["agents"][0]
    assert (agent["name"], agent["maxSpans"], agent["traceCount"], agent["latestVersion"]["samplingRate"]) == ("agent", 1000, 0, 1.0)
    assert listed["pagination"]["total"] == 1
    assert client.ask("GET", "/api/agent-settings/limits")["limits"] == {"maxAgents": 2}
    client.ask("PATCH", f"/api/entities/{agent['id']}/sampling-rate", {"samplingRate": 0.5})
    assert client.ask("GET", "/api/entities")["agents"][0]["latestVersion"]["samplingRate"] == 0.5
    client.ask("PATCH", f"/api/entities/{agent['id']}/sampling-rate", {"samplingRate": 2})
    assert client.status == 400


def test_the_first_array_of_an_agent(server: StrictServer, client: Client) -> None:
    """Traces that begin together with their agent each make a version of it: all but one are refused from their second event on."""
    for_trace = [
        [
            event(traceId=name, eventType="user_message", content=[{"role": "system", "content": name}], idempotencyKey=f"{name}{n}")
            for n in (1, 2)
        ]
        for name in "abc"
    ]
    client.send(*(one for both in for_trace for one in both))
    assert client.status == 409
    assert [one["idempotencyKey"] for one in server.events] == ["a1", "b1", "c1", "c2"]


def test_the_first_array_of_an_agent_that_was_described(server: StrictServer, client: Client) -> None:
    """An agent that exists has one version for all traces of an array."""
    client.init()
    client.send(*(event(traceId=name, content=n) for name in "abc" for n in (1, 2)))
    assert (client.status, len(server.events)) == (201, 6)


def test_without_the_database(server: StrictServer, client: Client) -> None:
    """Without its database the service takes no key and says so where health is asked; a queue goes on taking what it will drop."""
    server.service.health.database = False
    client.send(event())
    assert client.status == 401
    assert client.ask("GET", "/api/health", headers={"Authorization": ""})["database"] == "disconnected"
    client.ask("GET", "/api/health/ready")
    assert client.status == 503
    server.service.queue = True
    client.send(event())
    assert (client.status, len(server.service.dead_letters), len(server.events)) == (202, 1, 0)
    client.ask("POST", "/api/events", event())
    assert client.status == 401
    server.service.health.database = True
    assert client.ask("GET", "/api/health/ready") == {"status": "ready"}


def test_the_proxy_without_the_service(server: StrictServer, client: Client) -> None:
    """A proxy that can't reach the service answers 500 to a description, and is itself in health."""
    server.service.health.proxy_link = False
    client.ask("POST", "/v1/agents/init", {"agentName": "agent", "metadata": {"systemPrompt": "p", "tools": []}})
    assert client.status == 500
    assert client.ask("GET", "/health")["service"] == "whyops-proxy"


def test_an_older_service(server: StrictServer, client: Client) -> None:
    """One without `POST /events` answers 404 there."""
    server.service.is_old = True
    client.ask("POST", "/api/events", event())
    assert client.status == 404
    client.send(event())
    assert client.status == 201


def test_a_limit_of_spans_is_told(client: Client) -> None:
    """The list of agents names the limit in force."""
    with StrictServer(limits=Limits(spans=3)) as server:
        other = Client(server)
        other.init()
        assert other.ask("GET", "/api/entities")["agents"][0]["maxSpans"] == 3
        other.close()
