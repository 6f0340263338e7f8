"""The strict server against each statement of the service's description that a client can notice."""

from __future__ import annotations

import gzip
import json
import threading
from typing import Any

import pytest

from tests.server import Limits, StrictServer
from tests.server.client import Client, event, llm_response

EMOJI = "\N{GRINNING FACE}"
TOOL = {"name": "search", "description": "Search.", "inputSchema": "{}", "outputSchema": "{}"}


NAMED = {
    "an offset": ({"timestamp": "2026-01-02T03:04:05+00:00"}, "timestamp"),
    "no zone": ({"timestamp": "2026-01-02T03:04:05"}, "timestamp"),
    "a blank for the T": ({"timestamp": "2026-01-02 03:04:05Z"}, "timestamp"),
    "a small z": ({"timestamp": "2026-01-02T03:04:05z"}, "timestamp"),
    "a second of 60": ({"timestamp": "2026-01-02T03:04:60Z"}, "timestamp"),
    "an hour of 24": ({"timestamp": "2026-01-02T24:00:00Z"}, "timestamp"),
    "a day that is none": ({"timestamp": "2026-02-30T03:04:05Z"}, "timestamp"),
    "an empty trace id": ({"traceId": ""}, "traceId"),
    "a long trace id": ({"traceId": "x" * 129}, "traceId"),
    "65 emoji": ({"traceId": EMOJI * 65}, "traceId"),
    "an empty agent name": ({"agentName": ""}, "agentName"),
    "a long agent name": ({"agentName": "x" * 256}, "agentName"),
    "a long span id": ({"spanId": "x" * 129}, "spanId"),
    "a long user id": ({"externalUserId": "x" * 256}, "externalUserId"),
    "a long key": ({"idempotencyKey": "x" * 129}, "idempotencyKey"),
    "a step of 0": ({"stepId": 0}, "stepId"),
    "a fractional step": ({"stepId": 1.5}, "stepId"),
    "a parent of 0": ({"parentStepId": 0}, "parentStepId"),
    "no tool": ({"eventType": "tool_call_request", "metadata": {}}, "metadata.tool"),
    "no metadata on a tool call": ({"eventType": "tool_call_response"}, "metadata.tool"),
}


@pytest.mark.parametrize("fields, field", NAMED.values(), ids=NAMED)
def test_format_and_range_errors_are_named(server: StrictServer, client: Client, fields: dict[str, Any], field: str) -> None:
    """A format, length or range error answers 400 with index and field, and nothing of the array is stored."""
    body = client.send(event(), event(**fields))
    assert (client.status, [detail["field"] for detail in body["details"]]) == (400, [f"1.{field}"])
    assert server.events == []


UNNAMED = {
    "no trace id": {"traceId": ...},
    "no agent name": {"agentName": ...},
    "no type": {"eventType": ...},
    "an unknown type": {"eventType": "tool_call_started"},
    "a null type": {"eventType": None},
    "a number as trace id": {"traceId": 7},
    "a null span id": {"spanId": None},
    "a null step": {"stepId": None},
    "a null parent": {"parentStepId": None},
    "a null user": {"externalUserId": None},
    "a null timestamp": {"timestamp": None},
    "a null key": {"idempotencyKey": None},
    "null metadata": {"metadata": None},
    "a list as metadata": {"metadata": []},
    "a text as step": {"stepId": "1"},
    "true as step": {"stepId": True},
    "a number as timestamp": {"timestamp": 1764000000},
}


@pytest.mark.parametrize("fields", UNNAMED.values(), ids=UNNAMED)
def test_wrong_types_are_not_named(server: StrictServer, client: Client, fields: dict[str, Any]) -> None:
    """A wrong type, an unknown event type or a null answers 400 with one detail, an empty field, and nothing is stored."""
    body = client.send(event(), event(**fields), event(stepId=0))
    assert (client.status, body["details"]) == (400, [{"field": "", "message": "Invalid input"}])
    assert server.events == []


TAKEN = {
    "null content": {"content": None},
    "no content": {"content": ...},
    "64 emoji": {"traceId": EMOJI * 64},
    "no seconds": {"timestamp": "2026-01-02T03:04Z"},
    "many digits": {"timestamp": "2026-01-02T03:04:05.123456789Z"},
    "the far future": {"timestamp": "9999-12-31T23:59:59Z"},
    "an unknown field": {"colour": "blue"},
    "the greatest step": {"stepId": 2**31 - 1},
    "a step written 1.0": {"stepId": 1.0},
    "the greatest latency": {"metadata": {"latencyMs": 2**31 - 1}},
    "a latency written 1.0": {"metadata": {"latencyMs": 1.0}},
    "a latency as text": {"metadata": {"latencyMs": "12"}},
    "unknown usage": {"metadata": {"usage": {"total_tokens": 1.5}}},
    "a lone surrogate in an id": {"traceId": "\ud800"},
    "an empty key": {"idempotencyKey": ""},
    "nested": {"content": json.loads("[" * 200 + "]" * 200)},
}


@pytest.mark.parametrize("fields", TAKEN.values(), ids=TAKEN)
def test_taken(server: StrictServer, client: Client, fields: dict[str, Any]) -> None:
    """What the description says is taken, is saved."""
    assert client.send(event(**fields))[0]["status"] == "saved"
    assert len(server.events) == 1


UNSTORABLE = {
    "a NUL in content": event(content={"message": "a\x00b"}),
    "a NUL in a name": event(content={"a\x00": 1}),
    "a lone surrogate in content": event(content=["\udfff"]),
    "a lone surrogate in metadata": event(metadata={"x": {"y": "\ud800"}}),
    "a NUL in the key": event(idempotencyKey="\x00"),
    "a fractional latency": event(metadata={"latencyMs": 1.5}),
    "a negative latency": event(metadata={"latencyMs": -1}),
    "too much latency": event(metadata={"latencyMs": 2**31}),
    "a latency that is no number": event(metadata={"latencyMs": "fast"}),
    "a null latency": event(metadata={"latencyMs": None}),
    "a fractional count": llm_response(usage={"promptTokens": 1.5}),
    "too many tokens": llm_response(usage={"totalTokens": 2**31}),
    "a null count": llm_response(usage={"cacheReadTokens": None}),
    "a long model": llm_response(model="x" * 201),
    "a long model on a message": event(metadata={"model": "x" * 201}),
    "a model that is an object": llm_response(model={"name": "m"}),
    "a long finish reason": event(content={"finishReason": "x" * 101}),
    "a finish reason that is an object": event(content={"finishReason": {}}),
    "a step of 2**31": event(stepId=2**31),
    "the year 0": event(timestamp="0000-01-01T00:00:00Z"),
    "a provider that does not exist": event(providerId="p"),
}


@pytest.mark.parametrize("bad", UNSTORABLE.values(), ids=UNSTORABLE)
def test_the_database_refuses_one(server: StrictServer, client: Client, bad: dict[str, Any]) -> None:
    """What only the database refuses answers 500 for the whole array, and the neighbours are stored."""
    body = client.send(event(content=1), bad, event(content=2))
    assert (client.status, body) == (500, {"success": False, "error": "Internal server error"})
    assert [stored["content"] for stored in server.events] == [1, 2]


def test_nesting_of_5000_levels(server: StrictServer, client: Client) -> None:
    """Nesting beyond some thousands of levels answers 500."""
    deep = b'{"traceId":"t","agentName":"agent","eventType":"error","content":' + b"[" * 5000 + b"]" * 5000 + b"}"
    client.ask("POST", "/api/events/ingest", deep)
    assert (client.status, server.events) == (500, [])


@pytest.mark.parametrize("missing", ["model", "provider"])
@pytest.mark.parametrize("event_type", ["llm_response", "embedding_response"])
def test_model_and_provider(server: StrictServer, client: Client, missing: str, event_type: str) -> None:
    """A response without model or provider answers 400 with an error string and no details; its neighbours are stored."""
    bad = {**llm_response(**{missing: ...}), "eventType": event_type}
    body = client.send(bad, event())
    assert client.status == 400
    assert body["error"].startswith(f"MISSING_{missing.upper()}")
    assert "details" not in body
    assert len(server.events) == 1


def test_answers_in_order(server: StrictServer, client: Client) -> None:
    """An array answers 201 with an array in the same order, an object with an object."""
    answers = client.send(event(spanId="a", idempotencyKey="1"), event(idempotencyKey="2"), event(idempotencyKey="1"))
    assert client.status == 201
    assert [(answer["status"], answer["stepId"], answer["parentStepId"]) for answer in answers] == [
        ("saved", 1, None),
        ("saved", 2, 1),
        ("skipped", 1, None),
    ]
    assert answers[2]["id"] == answers[0]["id"]
    assert answers[0]["spanId"] == "a"
    assert answers[1]["spanId"]
    assert client.ask("POST", "/api/events/ingest", event(idempotencyKey="3"))["status"] == "saved"
    assert [stored.get("idempotencyKey") for stored in server.events] == ["1", "2", "3"]


def test_an_empty_array(client: Client) -> None:
    """An empty array answers 202 in both modes."""
    client.send()
    assert client.status == 202


BODIES = {
    "malformed": b'{"traceId":',
    "empty": b"",
    "NaN": b'{"traceId":"t","agentName":"a","eventType":"error","content":NaN}',
    "Infinity": b'{"traceId":"t","agentName":"a","eventType":"error","content":-Infinity}',
    "gzip": gzip.compress(json.dumps(event()).encode()),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_is_no_json(server: StrictServer, client: Client, body: bytes) -> None:
    """Malformed JSON, an empty body, NaN, Infinity and gzip answer 500."""
    client.ask("POST", "/api/events/ingest", body)
    assert (client.status, server.events) == (500, [])


def test_lenient_encodings(server: StrictServer, client: Client) -> None:
    """A byte order mark and broken UTF-8 are taken, the latter replaced; so are chunked bodies."""
    raw = json.dumps(event(content="X")).encode()
    for body in (b"\xef\xbb\xbf" + raw, raw.replace(b"X", b"\xff")):
        client.ask("POST", "/api/events/ingest", body)
        assert client.status == 201
    client._connection.request("POST", "/api/events", iter([raw[:5], raw[5:]]), client._headers, encode_chunked=True)
    client._connection.getresponse().read()
    assert [stored["content"] for stored in server.events] == ["X", "\ufffd"]
    assert server.requests[-1].status == 201


@pytest.mark.parametrize(
    "content_type, status",
    [("application/json; charset=utf-8", 201), ("application/cloudevents+json", 201), ("text/plain", 400), ("", 400)],
)
def test_content_type(client: Client, content_type: str, status: int) -> None:
    """A body without a JSON content type answers 400 `Invalid input`."""
    client.ask("POST", "/api/events/ingest", event(), {"Content-Type": content_type})
    assert client.status == status


KEYS = {
    "Bearer": ({}, True),
    "YOPS": ({"Authorization": "Bearer YOPS-x"}, True),
    "X-API-Key": ({"Authorization": "", "X-API-Key": "whyops_x"}, True),
    "X-API-Key beside Basic": ({"Authorization": "Basic eDp5", "X-API-Key": "whyops_x"}, True),
    "none": ({"Authorization": ""}, False),
    "small bearer": ({"Authorization": "bearer whyops_x"}, False),
    "Basic": ({"Authorization": "Basic eDp5"}, False),
    "another shape": ({"Authorization": "Bearer sk-x"}, False),
    "a bad Bearer wins": ({"Authorization": "Bearer x", "X-API-Key": "whyops_x"}, False),
    "revoked": ({"Authorization": "Bearer whyops_revoked"}, False),
}


@pytest.mark.parametrize("headers, is_good", KEYS.values(), ids=KEYS)
def test_keys(server: StrictServer, client: Client, headers: dict[str, str], *, is_good: bool) -> None:
    """Each kind of bad key gets the same 401, before the body is looked at."""
    server.keys.revoke("whyops_revoked")
    body = client.ask("POST", "/api/events/ingest", event() if is_good else b"{", headers)
    if is_good:
        assert client.status == 201
    else:
        assert (client.status, body["error"]) == (401, "Unauthorized: Authentication required")


def test_known_keys_only() -> None:
    """With a list of accounts an unknown key answers 401, and two keys may share an account."""
    with StrictServer(accounts={"whyops_a": "one", "whyops_b": "one"}) as server:
        for key, status in (("whyops_a", 201), ("whyops_b", 201), ("whyops_c", 401)):
            client = Client(server, key)
            client.send(event())
            client.close()
            assert client.status == status


def test_init(client: Client) -> None:
    """Init: 201 created, 200 existing, another version when changed, 500 on going back, and then the last version stays."""
    first = client.init("A")
    assert (client.status, first["status"]) == (201, "created")
    assert client.init("A") == {**first, "status": "existing"}
    assert client.status == 200
    second = client.init("B")
    assert (client.status, second["status"], second["agentId"]) == (201, "created", first["agentId"])
    assert second["agentVersionId"] != first["agentVersionId"]
    assert second["versionHash"] != first["versionHash"]
    assert client.init("A") == {"success": False, "error": "Failed to initialize agent"}
    assert client.status == 500
    assert client.init("B")["status"] == "existing"


def test_what_an_init_hashes(client: Client) -> None:
    """The order of the tools makes a version; that of keys, and keys that nobody knows, do not."""
    other = {**TOOL, "name": "other"}
    client.init(tools=[TOOL, other])
    assert client.init(tools=[dict(reversed({**TOOL, "colour": 1}.items())), other])["status"] == "existing"
    assert client.init(tools=[other, TOOL])["status"] == "created"


INITS = {
    "no object": [],
    "no name": {"metadata": {"systemPrompt": "p", "tools": []}},
    "a long name": {"agentName": "x" * 256, "metadata": {"systemPrompt": "p", "tools": []}},
    "no metadata": {"agentName": "a"},
    "an empty prompt": {"agentName": "a", "metadata": {"systemPrompt": "", "tools": []}},
    "no tools": {"agentName": "a", "metadata": {"systemPrompt": "p"}},
    "an empty description": {"agentName": "a", "metadata": {"systemPrompt": "p", "tools": [{**TOOL, "description": ""}]}},
    "no description": {
        "agentName": "a",
        "metadata": {"systemPrompt": "p", "tools": [{"name": "x", "inputSchema": "{}", "outputSchema": "{}"}]},
    },
    "a schema that is no string": {"agentName": "a", "metadata": {"systemPrompt": "p", "tools": [{**TOOL, "inputSchema": {}}]}},
}


@pytest.mark.parametrize("body", INITS.values(), ids=INITS)
def test_init_refused(client: Client, body: object) -> None:
    """An init that lacks something answers 400 with success false and error.issues."""
    answer = client.ask("POST", "/api/entities/init", body)
    assert (client.status, answer["success"]) == (400, False)
    assert answer["error"]["issues"]


def test_init_with_a_nul(client: Client) -> None:
    """A NUL in the prompt answers 500; a prompt of 2 MB is taken."""
    client.init("a\x00")
    assert client.status == 500
    client.init("x" * 2_000_000)
    assert client.status == 201


def test_two_agents(server: StrictServer, client: Client) -> None:
    """The third agent of an account: its init answers 409, its events 500 without a reason; another account is not concerned."""
    client.init(agent="one")
    client.send(event(agentName="two"))
    body = client.init(agent="three")
    assert (client.status, body["success"]) == (409, False)
    assert client.send(event(agentName="three", traceId="u"), event(agentName="one", traceId="v"))["error"] == "Internal server error"
    assert client.status == 500
    assert [stored["traceId"] for stored in server.events] == ["t", "v"]
    other = Client(server, "whyops_other")
    assert other.init()["status"] == "created"
    other.close()


def test_a_late_init(server: StrictServer, client: Client) -> None:
    """An agent's first event makes it; a later init makes a second version, and traces that began before it answer 409."""
    client.send(event())
    assert client.init()["status"] == "created"
    client.send(event(content="old trace"), event(traceId="new", content="new trace"))
    assert client.status == 409
    assert [stored["content"] for stored in server.events] == [{"message": "no"}, "new trace"]


def test_a_trace_id_is_global(server: StrictServer, client: Client) -> None:
    """A trace of another account, or of another agent, answers 409; a reader may be anybody."""
    client.send(event())
    client.send(event(agentName="second"))
    assert client.status == 409
    other = Client(server, "whyops_other")
    other.send(event(), event(traceId="u"))
    assert other.status == 409
    assert [stored["traceId"] for stored in server.events] == ["t", "u"]
    assert len(other.ask("GET", "/api/events?traceId=t")["events"]) == 1
    other.close()


def test_keys_are_looked_up_within_the_trace(client: Client) -> None:
    """The same key with other content and type is skipped; on another trace it is stored."""
    statuses = [
        client.send(event(idempotencyKey="k"))[0]["status"],
        client.send(event(idempotencyKey="k", eventType="tool_result", content=5))[0]["status"],
        client.send(event(idempotencyKey="k", traceId="u"))[0]["status"],
    ]
    assert statuses == ["saved", "skipped", "saved"]


def test_without_a_key_content_is_compared(client: Client) -> None:
    """Type, user, parent and content make the hash; time, span, step and metadata don't; tool calls are never compared."""
    call = {"eventType": "tool_call_request", "metadata": {"tool": "x"}}
    answers = client.send(
        event(content={"a": 1, "b": 2}),
        event(content={"b": 2, "a": 1}, metadata={"x": 1}, spanId="s", timestamp="2026-01-01T00:00:00Z"),
        event(content={"a": 1, "b": 3}),
        event(content={"a": 1, "b": 2}, externalUserId="u"),
        event(content={"a": 1, "b": 2}, idempotencyKey=""),
        event(**call),
        event(**call),
    )
    assert [answer["status"] for answer in answers] == ["saved", "skipped", "saved", "saved", "skipped", "saved", "saved"]


def test_steps(server: StrictServer, client: Client) -> None:
    """Steps are numbered in order of arrival; a parent without a step is ignored; a step without a parent gets the one before."""
    client.send(
        *(
            event(content=n, **given)
            for n, given in enumerate([{}, {"parentStepId": 9}, {"stepId": 7}, {"stepId": 9, "parentStepId": 2}, {}])
        )
    )
    assert [(row["stepId"], row["parentStepId"]) for row in server.service.rows] == [(1, None), (2, 1), (7, 6), (9, 2), (10, 9)]


def test_times_are_kept_to_the_millisecond(server: StrictServer, client: Client) -> None:
    """Storage keeps milliseconds, and takes its own clock where no time is given."""
    for at in ("2026-01-02T03:04Z", "2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.123987Z"):
        client.send(event(content=at, timestamp=at))
    client.send(event())
    times = [row["timestamp"] for row in server.service.rows]
    assert times[:3] == ["2026-01-02T03:04:00.000Z", "2026-01-02T03:04:05.100Z", "2026-01-02T03:04:05.123Z"]
    assert len(times[3]) == len(times[2])


def test_the_user(server: StrictServer, client: Client) -> None:
    """The first user given is the trace's; the header names one for events without."""
    client.send(event())
    client.ask("POST", "/api/events/ingest", event(content=2), {"X-External-User-Id": "header"})
    client.send(event(content=3, externalUserId="late"))
    assert [row["externalUserId"] for row in server.service.rows] == [None, "header", "late"]
    assert server.service.traces["t"].external_user_id == "header"


def test_sampling() -> None:
    """A part of the traces is kept, decided by trace id, so that asking again gives the same; an agent's first event is always kept."""
    with StrictServer(limits=Limits(sampling_rate=0.2)) as server:
        client = Client(server)
        assert client.send(event(traceId="first"))[0]["status"] == "saved"
        batch = [event(traceId=f"trace-{n}") for n in range(200)]
        first, again = client.send(*batch), client.send(*batch)
        assert [a["status"] == "sampled_out" for a in first] == [a["status"] == "sampled_out" for a in again]
        kept = sum(answer["status"] == "saved" for answer in first)
        assert 20 < kept < 60
        out = next(answer for answer in first if answer["status"] == "sampled_out")
        assert "0.2" in out["message"]
        agent_id = client.init()["agentId"]
        route = f"/api/entities/{agent_id}/sampling-rate"
        assert client.ask("GET", "/api/entities")["agents"][0]["latestVersion"]["samplingRate"] == 0.2
        assert client.ask("GET", route) == {"success": False, "error": "Not found"}
        client.ask("PATCH", route, {"samplingRate": 1})
        assert all(answer["status"] == "saved" for answer in client.send(*(event(traceId=f"new-{n}") for n in range(100))))
        client.close()


def test_limit_of_spans() -> None:
    """Beyond so many span ids a new one is sampled out; known ones, and events without one, are stored, and generated ones count."""
    with StrictServer(limits=Limits(spans=3)) as server:
        client = Client(server)
        client.send(event(content=1, spanId="a"), event(content=2, spanId="b"), event(content=3))
        answers = client.send(event(content=4, spanId="c", traceId="u"), event(content=5, spanId="a"), event(content=6))
        client.close()
        assert [answer["status"] for answer in answers] == ["sampled_out", "saved", "saved"]
        assert answers[0]["message"] == "Span rejected by agent limit (3/3)"
        assert "u" in server.service.traces


def test_limit_of_traces() -> None:
    """Beyond so many traces of a version new ones are sampled out; running ones go on."""
    with StrictServer(limits=Limits(traces=2)) as server:
        client = Client(server)
        answers = client.send(*(event(traceId=trace, content=n) for n, trace in enumerate(["a", "b", "c", "a"])))
        client.close()
        assert [answer["status"] for answer in answers] == ["saved", "saved", "sampled_out", "saved"]
        assert answers[2]["message"] == "Trace rejected by entity limit (2/2)"


def test_queue_mode() -> None:
    """With a queue the answer is 202, also to what the database will refuse; the schema still answers 400, `POST /events` 201."""
    with StrictServer(queue=True) as server:
        client = Client(server)
        body = client.send(event(), llm_response(model=...), event(content=3, metadata={"latencyMs": 0.5}))
        assert (client.status, body["success"], body["queuedCount"]) == (202, True, 3)
        assert (len(server.events), len(server.service.dead_letters)) == (1, 2)
        client.send(event(stepId=0))
        assert client.status == 400
        client.ask("POST", "/api/events", event(content=2))
        assert client.status == 201
        client.close()


def test_a_nul_in_an_id(server: StrictServer, client: Client) -> None:
    """A NUL in an identifier is taken, and changes it."""
    client.send(event(traceId="a\x00b"))
    assert server.service.rows[0]["traceId"] == "a\\0b"


def test_proxy_init(server: StrictServer, client: Client) -> None:
    """The proxy initialises agents too, wants the agent's name in a header, and knows no other route yet."""
    body = {"agentName": "agent", "metadata": {"systemPrompt": "p", "tools": []}}
    assert client.ask("POST", "/v1/agents/init", body)["status"] == "created"
    assert client.ask("POST", "/v1/agents/init", body, {"X-Agent-Name": ""})["error"] == "Missing required header: X-Agent-Name"
    assert client.ask("POST", "/v1/agents/init", b"{")["error"] == "Invalid JSON"
    client.ask("POST", "/v1/unknown", {})
    assert client.status == 404


def test_unknown_routes(client: Client) -> None:
    """Another path or method answers 404."""
    for method, path in (("POST", "/api/nothing"), ("GET", "/api/entities/none/sampling-rate"), ("DELETE", "/api/events")):
        client.ask(method, path, {} if method == "POST" else None)
        assert client.status == 404


def test_parallel_batches(server: StrictServer) -> None:
    """Four copies of a keyed batch at once store it once."""
    batch = [event(idempotencyKey=str(n), content=n) for n in range(100)]

    def deliver() -> None:
        client = Client(server)
        client.send(*batch)
        client.close()

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.events) == 100
