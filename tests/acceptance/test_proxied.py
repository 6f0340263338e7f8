"""A trace whose model calls went through the proxy, read back from the service: what it tells, in each provider's form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import whyops
from tests.server import StrictServer
from tests.server.client import KEY, Client
from whyops._cli._main import main
from whyops._trace.steps import Embedding, ErrorStep, LLMResponse, ToolCall, UserMessage

TRACE = {"X-Trace-ID": "t-1", "X-External-User-Id": "mia"}
ARGUMENTS = json.dumps({"order_id": "7"})
RESULT = {"id": "7", "status": "shipped"}


@whyops.tool
def find_order(order_id: str) -> dict[str, str]:
    return {**RESULT, "id": order_id}


@pytest.fixture
def sdk(server: StrictServer, monkeypatch: pytest.MonkeyPatch) -> whyops.WhyOps:
    """Record and read with a key that the environment gives, as the commands do."""
    settings = {"API_KEY": KEY, "AGENT_NAME": "agent", "PROXY_BASE_URL": server.proxy_url, "ANALYSE_BASE_URL": server.url}
    for name, value in settings.items():
        monkeypatch.setenv(f"WHYOPS_{name}", value)
    return whyops.configure()


@pytest.fixture
def client(server: StrictServer) -> Iterator[Client]:
    connected = Client(server)
    yield connected
    connected.close()


class Agent:
    """Asks a model through the proxy, in one provider's form, and tells it what its tool gave."""

    def __init__(self, client: Client, way: str) -> None:
        self.client = client
        self.path = f"/v1/{way}"
        self.member = "input" if way == "responses" else "messages"
        self.tool: Any = {"type": "function", "function": {"name": "find_order"}} if way == "chat/completions" else {"name": "find_order"}
        self.said: list[Any] = [{"role": "user", "content": ARGUMENTS}]

    def ask(self) -> Any:
        return self.client.ask("POST", self.path, {"model": "m-1", self.member: self.said, "tools": [self.tool]}, TRACE)

    def tell(self, answer: Any, result: object) -> None:
        """Add the model's answer and what its tool gave to the messages."""
        text = json.dumps(result)
        if self.member == "input":
            (call,) = answer["output"]
            self.said += [call, {"type": "function_call_output", "call_id": call["call_id"], "output": text}]
        elif "choices" in answer:
            message = answer["choices"][0]["message"]
            self.said += [message, {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": text}]
        else:
            block = {"type": "tool_result", "tool_use_id": answer["content"][0]["id"], "content": [{"type": "text", "text": text}]}
            self.said += [{"role": "assistant", "content": answer["content"]}, {"role": "user", "content": [block]}]


WAYS = ("chat/completions", "responses", "messages")
COUNTED = {"chat/completions": (3, 7, 0), "responses": (3, 7, 0), "messages": (3, 7, 5)}


@pytest.mark.usefixtures("sdk")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("records", [True, False], ids=["a recorded tool", "a tool that nobody records"])
def test_an_agent_with_a_tool(client: Client, way: str, *, records: bool) -> None:
    """Its path is that of the same agent without a proxy: the call is there once, with its values, and each token counts once."""
    agent = Agent(client, way)
    with whyops.trace("t-1"):
        answer = agent.ask()
        agent.tell(answer, find_order("7") if records else RESULT)
        agent.ask()
    trace = whyops.load_trace("t-1")
    assert [type(step) for step in trace.steps] == [UserMessage, LLMResponse, LLMResponse]
    asked, chose, told = trace.steps
    assert isinstance(asked, UserMessage)
    assert isinstance(chose, LLMResponse)
    assert isinstance(told, LLMResponse)
    assert (asked.asked.role, asked.asked.content, asked.offered) == ("user", ARGUMENTS, 1)
    assert [(tool.name, tool.arguments) for tool in chose.requested] == [("find_order", {"order_id": "7"})]
    assert (chose.not_called, str(told.content).startswith("The tool said: ")) == ((), True)
    (call,) = trace.calls
    assert call in chose.children
    assert (call.name, call.arguments, call.result, call.error, call.is_finished) == ("find_order", {"order_id": "7"}, RESULT, None, True)
    usage = chose.usage
    assert (usage.prompt, usage.cache_read, usage.cache_creation, usage.completion, usage.unsplit) == (*COUNTED[way], 2, 0)
    assert trace.totals.events == len(trace.events) == (6 if records else 4)
    assert {id(event) for step in trace.walk() for event in step.events} == {id(event) for event in trace.events}


@pytest.mark.usefixtures("sdk")
@pytest.mark.parametrize("way", WAYS)
def test_the_views(client: Client, way: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`show`, in full and as JSON, and the report tell it; no message list stands where a value should."""
    agent = Agent(client, way)
    agent.tell(agent.ask(), RESULT)
    agent.ask()
    assert main(["show", "t-1", "--full"]) == 0
    shown = capsys.readouterr().out
    assert 'find_order(order_id="7")' in shown
    assert '{"id": "7", "status": "shipped"}' in shown
    assert "complete" in shown.splitlines()
    assert "stopped:" not in shown
    assert main(["show", "t-1", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    (call,) = data["steps"][1]["steps"]
    assert (call["tool"], call["arguments"], call["result"]) == ("find_order", {"order_id": "7"}, RESULT)
    assert data["totals"]["usage"]["promptTokens"] == 6
    assert main(["report", "t-1", "-o", str(tmp_path / "report.html")]) == 0
    assert "find_order" in (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.usefixtures("sdk")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("way", ["chat/completions", "messages"])
def test_an_error_is_its_message(client: Client, way: str, *, stream: bool) -> None:
    """Whether the proxy records the provider's object, or its text with the status."""
    client.ask("POST", f"/v1/{way}", {"model": "no-such-model", "messages": [{"role": "user", "content": "Hi"}], "stream": stream}, TRACE)
    _, error = whyops.load_trace("t-1").steps
    assert isinstance(error, ErrorStep)
    said = {
        "chat/completions": "invalid_request_error: The model `no-such-model` does not exist",
        "messages": "not_found_error: model: no-such-model",
    }
    assert (error.message, error.status) == (said[way], 404 if stream else None)


@pytest.mark.usefixtures("sdk")
def test_an_embedding_is_one_step(client: Client) -> None:
    """Request and answer, though their spans differ; a failed one in between stays open, and its tokens count."""
    for model, given in (("m-1", "Hello!"), ("no-such-model", ["a", "b"]), ("m-1", ["a", "b", "c"])):
        client.ask("POST", "/v1/embeddings", {"model": model, "input": given}, TRACE)
    trace = whyops.load_trace("t-1")
    embeddings = [step for step in trace.steps if isinstance(step, Embedding)]
    assert [(len(step.inputs), step.count) for step in embeddings] == [(1, 1), (2, None), (3, 3)]
    assert trace.totals.usage.total == 6
    assert [step.kind for step in trace.steps] == ["embedding", "embedding", "error", "embedding"]


@pytest.mark.usefixtures("sdk")
def test_a_user_that_no_header_names(server: StrictServer, client: Client) -> None:
    """What a streamed answer lacks, its request has: the trace's user is known."""
    client.ask("POST", "/v1/messages", {"model": "m-1", "messages": [{"role": "user", "content": "Hi"}]}, TRACE)
    assert server.service.traces["t-1"].external_user_id == "mia"


def test_a_failed_result_is_a_failure() -> None:
    """Where Anthropic's form says so."""
    block = {"type": "tool_result", "tool_use_id": "1", "content": "no such order", "is_error": True}
    messages = [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "f", "input": {}}]},
        {"role": "user", "content": [block]},
    ]
    trace = whyops.RecordedTrace.from_events([{"eventType": "tool_result", "content": messages}])
    (call,) = trace.steps
    assert isinstance(call, ToolCall)
    assert (call.name, call.error, call.result) == ("f", "no such order", None)
