"""What instrumentations of LangChain tell in a way of their own: a tool's arguments and its message."""

from __future__ import annotations

import json

import pytest
from opentelemetry.sdk.trace import TracerProvider

from tests.integrations.opentelemetry.replayed import asked_and_given
from whyops.testing import Captured

MESSAGE = {"content": "3", "type": "tool", "name": "add", "tool_call_id": "c1", "status": "success"}
RUN = {"input_str": "{'a': 1}", "tags": [], "metadata": {"langgraph_step": 2}, "inputs": {"a": 1}, "kwargs": {"color": "green"}}
ENDED = {"output": {"lc": 1, "type": "constructor", "id": ["langchain", "ToolMessage"], "kwargs": MESSAGE}, "kwargs": {"name": "add"}}
JSON = "application/json"

OF_OPENINFERENCE = {
    "openinference.span.kind": "TOOL",
    "tool.name": "add",
    "input.value": '{"a": 1}',
    "output.mime_type": "application/json",
}
OF_TRACELOOP = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "add", "gen_ai.tool.call.arguments": json.dumps(RUN)}


@pytest.mark.parametrize(
    "attributes",
    [
        {**OF_OPENINFERENCE, "output.value": json.dumps({"type": "tool", "data": MESSAGE})},
        {**OF_TRACELOOP, "gen_ai.tool.call.result": json.dumps(ENDED)},
    ],
)
def test_a_tools_message_is_its_content(captured: Captured, provider: TracerProvider, attributes: dict[str, str]) -> None:
    """Arguments and result are the tool's own, without what LangChain puts around them."""
    with provider.get_tracer("t").start_as_current_span("add", attributes=attributes):
        pass
    assert asked_and_given(captured) == [("add", {"a": 1}, {"result": "3"})]


@pytest.mark.parametrize("result", ['{"type": "tool"}', '{"output": {}}', '{"type": "constructor", "kwargs": {"content": null}}', "[1"])
def test_what_is_no_message_is_kept_as_it_is(captured: Captured, provider: TracerProvider, result: str) -> None:
    """Whatever it holds."""
    attributes = {**OF_TRACELOOP, "gen_ai.tool.call.result": result}
    with provider.get_tracer("t").start_as_current_span("add", attributes=attributes):
        pass
    ((_, _, given),) = asked_and_given(captured)
    assert given == (json.loads(result) if result.startswith("{") else {"result": result})
