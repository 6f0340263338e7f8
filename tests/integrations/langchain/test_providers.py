"""OpenAI's and Anthropic's models, as their packages make messages of what a server on loopback answers, and the WhyOps proxy."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

pytest.importorskip("langchain_openai", reason="run by `nox -s langchain`")
pytest.importorskip("langchain_anthropic", reason="run by `nox -s langchain`")

from langchain_anthropic import ChatAnthropic
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool as langchain_tool
from langchain_openai import ChatOpenAI

import whyops
from tests.integrations.langchain.parts import only, types
from tests.server import StrictServer
from whyops.integrations.langchain import WhyOpsCallbackHandler, proxy_kwargs
from whyops.testing import capture

OPENAI_USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 60},
    "completion_tokens_details": {"reasoning_tokens": 5},
}
OPENAI_CALL = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": '{"order":"1","_whyops_trace_id":"t"}'}}
OPENAI = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [
        {"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": "Looking.", "tool_calls": [OPENAI_CALL]}}
    ],
    "usage": OPENAI_USAGE,
}
RESPONSES = {
    "id": "r1",
    "object": "response",
    "created_at": 1,
    "model": "o4-mini",
    "status": "completed",
    "output": [
        {
            "id": "rs1",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "First."}, {"type": "summary_text", "text": "Then."}],
        },
        {
            "id": "m1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Done.", "annotations": []}],
        },
    ],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 60},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 120,
    },
}
ANTHROPIC_USAGE = {"input_tokens": 30, "output_tokens": 20, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 10}
ANTHROPIC = {
    "id": "msg1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4",
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "content": [
        {"type": "thinking", "thinking": "Let me see.", "signature": "sig"},
        {"type": "text", "text": "Looking."},
        {"type": "tool_use", "id": "toolu_1", "name": "find", "input": {"order": "1"}},
    ],
    "usage": ANTHROPIC_USAGE,
}
COUNTED = {"promptTokens": 40, "completionTokens": 20, "totalTokens": 120, "cacheReadTokens": 60}


def openai_stream() -> list[dict[str, Any]]:
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": OPENAI["model"]}
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "content": "Look"},
        {"content": "ing."},
        {"tool_calls": [{"index": 0, **OPENAI_CALL}]},
    ]
    return [
        *({**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas),
        {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
        {**chunk, "choices": [], "usage": OPENAI_USAGE},
    ]


def anthropic_stream() -> list[dict[str, Any]]:
    start = {**ANTHROPIC, "content": [], "stop_reason": None, "usage": {**ANTHROPIC_USAGE, "output_tokens": 1}}
    blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
        (
            {"type": "thinking", "thinking": "", "signature": ""},
            [
                {"type": "thinking_delta", "thinking": "Let me "},
                {"type": "thinking_delta", "thinking": "see."},
                {"type": "signature_delta", "signature": "sig"},
            ],
        ),
        ({"type": "text", "text": ""}, [{"type": "text_delta", "text": "Look"}, {"type": "text_delta", "text": "ing."}]),
        (
            {"type": "tool_use", "id": "toolu_1", "name": "find", "input": {}},
            [{"type": "input_json_delta", "partial_json": '{"order": '}, {"type": "input_json_delta", "partial_json": '"1"}'}],
        ),
    ]
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    for index, (block, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events.extend({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas)
        events.append({"type": "content_block_stop", "index": index})
    return [
        *events,
        {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": ANTHROPIC_USAGE},
        {"type": "message_stop"},
    ]


class Provider(BaseHTTPRequestHandler):
    """Answers as OpenAI or Anthropic would, streamed if it is asked to, and with an error where the question is for one."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(429 if "Too much" in str(body) else 200)
        if body.get("stream"):
            events = anthropic_stream() if "messages" in self.path else openai_stream()
            text = "".join(f"event: {event.get('type', 'message')}\ndata: {json.dumps(event)}\n\n" for event in events)
            answer = text if "messages" in self.path else "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
            self.send_header("Content-Type", "text/event-stream")
        else:
            answer = json.dumps(RESPONSES if "responses" in self.path else ANTHROPIC if "messages" in self.path else OPENAI)
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.encode())))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def model_of(provider: str, url: str, **more: Any) -> Any:
    if provider == "anthropic":
        return ChatAnthropic(model="claude-sonnet-4", base_url=url, api_key="k", max_retries=0, **more)
    return ChatOpenAI(model="gpt-4o-mini", base_url=f"{url}/v1", api_key="k", max_retries=0, **more)


@langchain_tool
def find(order: str) -> str:
    """Find an order."""
    return order


async def drain(model: Any, config: Any) -> None:
    async for _ in model.astream("Hi", config):
        pass


def run(model: Any, how: str, config: Any) -> None:
    if how == "invoke":
        model.invoke("Hi", config)
    elif how == "stream":
        list(model.stream("Hi", config))
    elif how == "ainvoke":
        asyncio.run(model.ainvoke("Hi", config))
    else:
        asyncio.run(drain(model, config))


WAYS = ["invoke", "ainvoke", "stream", "astream"]
resources_of_their_clients = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
"""The models' packages keep a connection of their HTTP clients for ever."""
pytestmark = resources_of_their_clients


@pytest.mark.parametrize("how", WAYS)
def test_openai(captured, handler, url, how):
    """Text, tool call, finish reason, model and tokens without the cached ones, streamed and not, sync and async."""
    model = model_of("openai", url, temperature=0.5, stream_usage=True).bind_tools([find])
    run(model, how, {"callbacks": [handler]})
    assert types(captured) == ["user_message", "llm_response"]
    asked, said = captured.events
    assert asked["metadata"]["tools"][0]["name"] == "find"
    assert asked["metadata"]["tools"][0]["parameters"]["required"] == ["order"]
    assert asked["metadata"]["params"]["temperature"] == 0.5
    assert said["content"]["content"] == "Looking."
    assert said["content"]["finishReason"] == "tool_calls"
    (call,) = said["content"]["toolCalls"]
    assert call["id"] == "call_1"
    assert json.loads(call["function"]["arguments"]) == {"order": "1"}
    assert said["metadata"]["model"] == "gpt-4o-mini-2024-07-18"
    assert said["metadata"]["provider"] == "openai"
    assert said["metadata"]["usage"] == COUNTED
    assert ("timeToFirstTokenMs" in said["metadata"]) == ("stream" in how)


@pytest.mark.parametrize("how", WAYS)
def test_anthropic(captured, handler, url, how):
    """The same, with reasoning and its signature ahead, and the cache's writes counted."""
    run(model_of("anthropic", url).bind_tools([find]), how, {"callbacks": [handler]})
    assert types(captured) == ["user_message", "llm_thinking", "llm_response"]
    assert captured.events[1]["content"] == {"type": "thinking", "thinking": "Let me see.", "signature": "sig"}
    said = captured.events[2]
    assert said["content"]["content"] == "Looking."
    assert said["content"]["finishReason"] == "tool_use"
    (call,) = said["content"]["toolCalls"]
    assert call["id"] == "toolu_1"
    assert json.loads(call["function"]["arguments"]) == {"order": "1"}
    assert said["metadata"]["model"] == "claude-sonnet-4"
    assert said["metadata"]["provider"] == "anthropic"
    assert said["metadata"]["usage"] == {**COUNTED, "promptTokens": 30, "cacheCreationTokens": 10}


def test_openais_responses(captured, handler, url):
    """The reasoning that the Responses API summarises is recorded block by block, ahead of the text."""
    model_of("openai", url, use_responses_api=True).invoke("Hi", {"callbacks": [handler]})
    assert [event["content"]["thinking"] for event in captured.of_type("llm_thinking")] == ["First.", "Then."]
    said = only(captured, "llm_response")
    assert said["content"] == {"content": "Done.", "finishReason": "completed"}
    assert said["metadata"]["usage"] == COUNTED
    assert said["metadata"]["reasoningTokens"] == 5


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
@pytest.mark.parametrize("how", ["invoke", "stream"])
def test_an_error_of_the_providers_server(captured, handler, url, provider, how):
    """There is no answer before it, and it tells the status."""
    with pytest.raises(Exception, match=r"(?s)."):
        list(getattr(model_of(provider, url), how)("Too much", {"callbacks": [handler]}))
    assert types(captured) == ["user_message", "error"]
    assert only(captured, "error")["content"]["status"] == 429


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_structured_answer_by_function_calling(captured, handler, url, provider):
    """The one tool that is offered is the form of the answer: its call is the answer."""
    schema = {"title": "find", "description": "Find.", "type": "object", "properties": {"order": {"type": "string"}}}
    model = model_of(provider, url).with_structured_output(schema, method="function_calling")
    assert model.invoke("Hi", {"callbacks": [handler]})["order"] == "1"
    said = only(captured, "llm_response")
    assert said["metadata"]["structured_output"] is True
    assert said["metadata"].get("reasoningTokens") == (5 if provider == "openai" else None)


@pytest.fixture
def server() -> Iterator[StrictServer]:
    with StrictServer() as running:
        yield running


@pytest.fixture
def sdk(server: StrictServer) -> Iterator[whyops.WhyOps]:
    with whyops.WhyOps("whyops_test", "agent", analyse_base_url=server.url, proxy_base_url=server.proxy_url) as client:
        yield client


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_call_through_the_proxy_is_left_to_the_proxy(server, sdk, provider, how):
    """A model that `proxy_kwargs` points at the proxy is recorded there: the handler records the rest of the run, and not the call."""
    cls: Any = ChatOpenAI if provider == "openai" else ChatAnthropic
    trace = sdk.trace("named")
    model = cls(model="m-1", max_retries=0, **proxy_kwargs(sdk, provider, trace=trace))
    with capture() as captured:
        chain = RunnableLambda(lambda text: find.invoke({"order": text})) | model
        run(chain, how, {"callbacks": [WhyOpsCallbackHandler()]})
        assert types(captured) == ["tool_call_request", "tool_call_response"]
    (asked,) = [request for request in server.requests if request.path.startswith("/v1/") and request.path != "/v1/agents/init"]
    assert asked.headers["x-agent-name"] == "agent"
    assert asked.headers["x-trace-id"] == "named"
    assert "whyops_test" in (asked.headers.get("authorization", "") + asked.headers.get("x-api-key", ""))


def test_streams_through_the_proxy_ask_for_tokens(sdk):
    """LangChain leaves token counts out of OpenAI's streams where the base URL is another: the keywords ask for them."""
    assert ChatOpenAI(model="m-1", **proxy_kwargs(sdk, "openai")).stream_usage is True
    assert "stream_usage" not in proxy_kwargs(sdk, "anthropic")


def test_the_proxy_in_the_environment_is_the_proxy_too(monkeypatch, sdk):
    """OpenAI's client reads its address from `OPENAI_BASE_URL`, which LangChain does not tell: such a call is left to the proxy as well."""
    settings = sdk.proxy("openai")
    monkeypatch.setenv("OPENAI_BASE_URL", settings.base_url)
    model = ChatOpenAI(model="m-1", api_key=settings.api_key, default_headers=dict(settings.headers), max_retries=0)
    with capture() as captured:
        model.invoke("Hi", {"callbacks": [WhyOpsCallbackHandler()]})
        assert captured.events == []
