"""The stand-in of the proxy against each statement of the service's description that a client can notice."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server import Limits, StrictServer
from tests.server.client import Client
from tests.server.marks import read_signature, sign

USER = {"role": "user", "content": "Hello!"}
CHAT = {"model": "m-1", "messages": [USER]}
TOOL = {"type": "function", "function": {"name": "search"}}
TRACE = {"X-Trace-ID": "trace-123"}


@pytest.fixture
def server() -> Iterator[StrictServer]:
    with StrictServer() as running:
        yield running


@pytest.fixture
def client(server: StrictServer) -> Iterator[Client]:
    connected = Client(server)
    yield connected
    connected.close()


def stream(server: StrictServer, path: str, body: dict[str, Any]) -> tuple[list[Any], http.client.HTTPResponse]:
    """Ask for a stream; give its events as JSON, and the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"X-API-Key": "whyops_test", "X-Agent-Name": "agent", **TRACE}
    connection.request("POST", path, json.dumps({**body, "stream": True}), headers)
    answer = connection.getresponse()
    lines = [line[6:] for line in answer.read().decode().splitlines() if line.startswith("data: ")]
    connection.close()
    return [line if line == "[DONE]" else json.loads(line) for line in lines], answer


def test_a_signature_is_invisible_and_can_be_read() -> None:
    """U+200B, eight characters for each of the id's, U+200E: 74 for an id of nine; U+200C is 1, U+200D is 0."""
    assert len(sign("trace-123")) == 74
    assert sign("A") == "\u200b\u200d\u200c\u200d\u200d\u200d\u200d\u200d\u200c\u200e"
    assert read_signature(f"Hello!{sign('trace-123')}") == "trace-123"
    assert read_signature("Hello!") is None


def test_requests_that_the_proxy_refuses(server: StrictServer, client: Client) -> None:
    """Another path is 404, no agent's name and malformed JSON are 400, a key that is none of ours is 401."""
    client.ask("POST", "/v1/completions", CHAT)
    assert client.status == 404
    assert client.ask("POST", "/v1/chat/completions", CHAT, {"X-Agent-Name": ""})["error"] == "Missing required header: X-Agent-Name"
    assert client.status == 400
    assert client.ask("POST", "/v1/chat/completions", b"{")["error"] == "Invalid JSON"
    assert client.status == 400
    client.ask("POST", "/v1/chat/completions", CHAT, {"Authorization": "Bearer sk-provider"})
    assert client.status == 401


def test_a_plain_chat_is_signed_and_its_headers_name_no_trace(client: Client) -> None:
    """The answer's text carries the trace's id, its headers don't."""
    answer = client.ask("POST", "/v1/chat/completions", CHAT, TRACE)
    assert read_signature(answer["choices"][0]["message"]["content"]) == "trace-123"
    assert "x-trace-id" not in client.headers


def test_a_streamed_chat_has_one_more_chunk(server: StrictServer) -> None:
    """The signature comes in a chunk of its own before the end, and the headers name the trace."""
    events, answer = stream(server, "/v1/chat/completions", CHAT)
    assert (events[-2]["id"], events[-1]) == ("gen-signature", "[DONE]")
    assert read_signature(events[-2]["choices"][0]["delta"]["content"]) == "trace-123"
    assert (answer.headers["X-Trace-ID"], answer.headers["X-Thread-ID"]) == ("trace-123", "trace-123")


def test_tool_calls_are_marked_in_plain_chats_and_responses_only(server: StrictServer, client: Client) -> None:
    """`_whyops_trace_id` is among the arguments of plain answers; streams and Anthropic's messages are as the model made them."""
    marked = {"_whyops_trace_id": "trace-123"}
    chat = client.ask("POST", "/v1/chat/completions", {**CHAT, "tools": [TOOL]}, TRACE)
    assert json.loads(chat["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]) == marked
    response = client.ask("POST", "/v1/responses", {"model": "m-1", "input": "Hello!", "tools": [{"name": "search"}]}, TRACE)
    assert json.loads(response["output"][0]["arguments"]) == marked
    assert client.headers["x-trace-id"] == "trace-123"
    message = client.ask("POST", "/v1/messages", {**CHAT, "tools": [{"name": "search"}]}, TRACE)
    assert message["content"][0]["input"] == {}
    assert "x-trace-id" not in client.headers
    for path, body in (("chat/completions", {**CHAT, "tools": [TOOL]}), ("messages", {**CHAT, "tools": [{"name": "search"}]})):
        events, answer = stream(server, f"/v1/{path}", body)
        assert "_whyops_trace_id" not in str(events)
        assert answer.headers["X-Trace-ID"] == "trace-123"


def test_the_trace_is_named_by_a_header_a_signature_or_the_proxy(server: StrictServer, client: Client) -> None:
    """X-Trace-ID goes before X-Thread-ID, that before the signature in the last signed answer; else an id is made."""
    history = [USER, {"role": "assistant", "content": f"Hi!{sign('signed')}"}, USER]
    for headers in ({"X-Trace-ID": "one", "X-Thread-ID": "two"}, {"X-Thread-ID": "two"}, {}):
        client.ask("POST", "/v1/chat/completions", {**CHAT, "messages": history}, headers)
    client.ask("POST", "/v1/chat/completions", CHAT)
    *named, made = dict.fromkeys(event["traceId"] for event in server.events)
    assert named == ["one", "two", "signed"]
    assert len(made) == 23


def test_what_goes_through_is_recorded_for_the_agent(server: StrictServer, client: Client) -> None:
    """Question and answer are events of the agent that the header names, under the request's trace and user."""
    client.ask("POST", "/v1/messages", CHAT, {**TRACE, "X-External-User-Id": "user_1"})
    assert [(event["eventType"], event["traceId"], event["agentName"]) for event in server.events] == [
        ("user_message", "trace-123", "agent"),
        ("llm_response", "trace-123", "agent"),
    ]
    assert server.service.rows[0]["externalUserId"] == "user_1"


def test_a_result_is_repeated(client: Client) -> None:
    """Told what a tool gave, the model calls no tool again."""
    result = {"role": "tool", "tool_call_id": "call_1", "content": "shipped"}
    answer = client.ask("POST", "/v1/chat/completions", {**CHAT, "messages": [USER, result], "tools": [TOOL]}, TRACE)
    assert answer["choices"][0]["message"]["content"].startswith("The tool said: shipped")


def test_a_minutes_share_is_limited() -> None:
    """Beyond it the answer is 429, with headers that tell limit and time, and no Retry-After."""
    with StrictServer(limits=Limits(proxy_requests=2)) as server:
        client = Client(server)
        statuses = []
        for _ in range(3):
            client.ask("POST", "/v1/chat/completions", CHAT)
            statuses.append(client.status)
        client.close()
    assert statuses == [200, 200, 429]
    assert {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "x-ratelimit-backend"} <= set(client.headers)
    assert client.body["retryAfter"] == client.headers["x-ratelimit-reset"]
    assert "retry-after" not in client.headers
