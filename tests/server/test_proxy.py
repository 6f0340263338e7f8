"""The stand-in of the proxy against each statement of the service's description that a client can notice."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from tests.server import Limits, StrictServer
from tests.server.client import Client
from tests.server.marks import read_signature, sign

USER = {"role": "user", "content": "Hello!"}
CHAT = {"model": "m-1", "messages": [USER]}
TOOL = {"type": "function", "function": {"name": "search"}}
TRACE = {"X-Trace-ID": "trace-123"}


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


def recorded(server: StrictServer, kind: str) -> dict[str, Any]:
    """Give the last event of a kind, as the proxy sent it."""
    found: dict[str, Any] = [event for event in server.events if event["eventType"] == kind][-1]
    assert "idempotencyKey" not in found
    return found


@pytest.mark.parametrize("streams", [False, True])
def test_what_a_chat_is_recorded_as(server: StrictServer, client: Client, *, streams: bool) -> None:
    """Under two spans; the counts include cached tokens. A stream has them only if asked for, and its answer doesn't name the user."""
    headers = {**TRACE, "X-External-User-Id": "user_1"}
    if streams:
        stream(server, "/v1/chat/completions", {**CHAT, "stream_options": {"include_usage": True}})
    else:
        client.ask("POST", "/v1/chat/completions", CHAT, headers)
    asked, answered = recorded(server, "user_message"), recorded(server, "llm_response")
    assert asked["content"] == [USER]
    assert asked["metadata"] == {"model": "m-1", "provider": "openai", "params": {}}
    usage = {"promptTokens": 10, "completionTokens": 2, "totalTokens": 12, "cacheReadTokens": 7}
    assert answered["metadata"] == {"model": "m-1", "provider": "openai", "usage": usage, "latencyMs": 2}
    calls = {"toolCalls": []} if streams else {}
    assert answered["content"] == {"content": "You said: Hello!", **calls, "finishReason": "stop"}
    assert answered["spanId"] != asked["spanId"]
    assert answered.get("externalUserId") == (None if streams else "user_1")
    stream(server, "/v1/chat/completions", {**CHAT, "messages": [{"role": "user", "content": "Hello again!"}]})
    assert "usage" not in recorded(server, "llm_response")["metadata"]


def test_what_anthropics_messages_are_recorded_as(server: StrictServer, client: Client) -> None:
    """Under one span; the counts leave cached tokens out, and tell writes twice: by how long they last, and together."""
    client.ask("POST", "/v1/messages", {**CHAT, "system": "Be kind.", "tools": [{"name": "search"}]}, TRACE)
    asked, answered = recorded(server, "user_message"), recorded(server, "llm_response")
    assert asked["metadata"] == {"model": "m-1", "provider": "anthropic", "systemPrompt": "Be kind.", "tools": [{"name": "search"}]}
    assert answered["content"]["toolCalls"] == [{"id": "call_1", "type": "function", "function": {"name": "search", "arguments": "{}"}}]
    usage = answered["metadata"]["usage"]
    assert usage == {
        "promptTokens": 3,
        "completionTokens": 2,
        "totalTokens": 17,
        "cacheReadTokens": 7,
        "cacheWrite5mTokens": 1,
        "cacheWrite1hTokens": 4,
        "cacheCreationTokens": 5,
    }
    assert answered["spanId"] == asked["spanId"]


RESULTS = {
    "chat/completions": [USER, {"role": "tool", "tool_call_id": "call_1", "content": "shipped"}],
    "responses": [USER, {"type": "function_call_output", "call_id": "call_1", "output": "shipped"}],
    "messages": [USER, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "shipped"}]}],
}


@pytest.mark.parametrize("path", RESULTS)
def test_a_request_with_results_is_recorded_as_one(server: StrictServer, client: Client, path: str) -> None:
    """All of its messages are the content, whatever the provider's form."""
    member = "input" if path == "responses" else "messages"
    client.ask("POST", f"/v1/{path}", {"model": "m-1", member: RESULTS[path]}, TRACE)
    assert recorded(server, "tool_result")["content"] == RESULTS[path]


def test_what_embeddings_are_recorded_as(server: StrictServer, client: Client) -> None:
    """Under two spans, the request without a user, and with OpenAI's names for the counts."""
    client.ask("POST", "/v1/embeddings", {"model": "m-1", "input": "Hello!"}, {**TRACE, "X-External-User-Id": "user_1"})
    asked, answered = recorded(server, "embedding_request"), recorded(server, "embedding_response")
    assert (asked["content"], asked.get("externalUserId")) == ({"input": "Hello!"}, None)
    assert answered["content"] == {"object": "list", "embeddingCount": 1, "firstEmbeddingDimensions": 2, "encodingFormat": "float"}
    assert answered["metadata"]["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    assert answered["spanId"] != asked["spanId"]


def test_what_an_error_is_recorded_as(server: StrictServer, client: Client) -> None:
    """The provider's body as an object; of a stream and of embeddings, its text and status."""
    failing = {**CHAT, "model": "no-such-model"}
    body = client.ask("POST", "/v1/chat/completions", failing, TRACE)
    assert (client.status, body["error"]["code"]) == (404, "model_not_found")
    assert recorded(server, "error")["content"] == body
    assert client.ask("POST", "/v1/messages", failing, TRACE) == recorded(server, "error")["content"]
    client.ask("POST", "/v1/chat/completions", {**failing, "stream": True}, TRACE)
    assert recorded(server, "error")["content"] == {"error": json.dumps(body), "status": 404}


def test_with_two_providers_a_model_needs_the_slug_of_one(server: StrictServer, client: Client) -> None:
    """A bare name is 400 then; with the slug the model's provider is asked, and recorded as `custom` beside the slug."""
    server.service.providers = ("openai", "anthropic")
    client.ask("POST", "/v1/chat/completions", CHAT, TRACE)
    assert client.status == 400
    assert server.events == []
    assert client.ask("POST", "/v1/chat/completions", {**CHAT, "model": "openai/m-1"}, TRACE)["model"] == "m-1"
    called = recorded(server, "llm_response")["metadata"]
    assert (called["model"], called["provider"], called["providerSlug"]) == ("m-1", "custom", "openai")


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
