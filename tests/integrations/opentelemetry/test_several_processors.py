"""Several processors, several providers, one that comes late, a process that is forked: a call is recorded once, and none is lost."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

import whyops
from tests.integrations.opentelemetry.replayed import replay
from whyops.integrations.opentelemetry import WhyOpsSpanProcessor
from whyops.testing import Captured, capture

CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Ho"}]}]',
}
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "add", "gen_ai.tool.call.arguments": "{}"}


def provider_with(*processors: WhyOpsSpanProcessor) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    for processor in processors:
        provider.add_span_processor(processor)
    return provider


def kinds(captured: Captured) -> Counter[Any]:
    return Counter(event["eventType"] for event in captured.events)


@pytest.mark.parametrize("name", ["pydantic_ai", "strands", "smolagents", "haystack"])
@pytest.mark.parametrize("is_same", [False, True])
def test_of_several_processors_on_a_provider_one_records(name: str, *, is_same: bool) -> None:
    """Two that are for the same client, or one that was added twice."""
    with capture() as once:
        replay(provider_with(WhyOpsSpanProcessor()), name)
    with capture() as captured:
        processor = WhyOpsSpanProcessor()
        replay(provider_with(processor, processor if is_same else WhyOpsSpanProcessor()), name)
    assert kinds(captured) == kinds(once)


def test_processors_of_two_clients_both_record() -> None:
    """Each for its own."""
    with capture() as captured, capture() as other:
        replay(provider_with(WhyOpsSpanProcessor(captured.client), WhyOpsSpanProcessor(other.client)), "pydantic_ai")
    assert kinds(captured) == kinds(other)
    assert captured.of_type("llm_response")


@pytest.mark.parametrize("is_same", [False, True])
def test_a_frameworks_provider_and_another_of_the_client_tell_of_one_call(captured: Captured, *, is_same: bool) -> None:
    """The framework's span is recorded, whichever processors the providers have; so are both where they tell of two calls."""
    processor = WhyOpsSpanProcessor()
    providers = provider_with(processor), provider_with(processor if is_same else WhyOpsSpanProcessor())
    framework, client = (provider.get_tracer("t") for provider in providers)
    with framework.start_as_current_span("chat", attributes=CHAT), client.start_as_current_span("chat m", attributes=CHAT):
        pass
    assert kinds(captured) == {"user_message": 1, "llm_response": 1}
    with client.start_as_current_span("chat m", attributes=CHAT):
        pass
    assert kinds(captured)["llm_response"] == 2


def test_a_processor_that_comes_late_records_what_starts_from_then_on(captured: Captured) -> None:
    """In one trace; what had begun before is passed over."""
    provider = provider_with()
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span("invoke_agent a", attributes={"gen_ai.operation.name": "invoke_agent"}):
        with tracer.start_as_current_span("execute_tool before", attributes=TOOL):
            provider.add_span_processor(WhyOpsSpanProcessor())
        with tracer.start_as_current_span("execute_tool add", attributes=TOOL):
            pass
        with tracer.start_as_current_span("chat", attributes=CHAT):
            pass
    assert kinds(captured) == {"tool_call_request": 1, "tool_call_response": 1, "user_message": 1, "llm_response": 1}
    assert len({event["traceId"] for event in captured.events}) == 1


def test_a_processor_that_is_shut_down_leaves_nothing_current(captured: Captured) -> None:
    """Spans that were open then are over for it."""
    processor = WhyOpsSpanProcessor()
    provider = provider_with(processor)
    with provider.get_tracer("t").start_as_current_span("execute_tool add", attributes=TOOL):
        provider.shutdown()
        with whyops.trace("mine") as trace:
            trace.user_message_sync([{"role": "user", "content": "Hi"}])
    (message,) = captured.of_type("user_message")
    assert message["traceId"] == "mine"
    assert message["metadata"].get("parentSpanId") is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_goes_on_inside_the_span_that_is_open(captured: Captured) -> None:
    """Its model's call is recorded once, inside the tool that was called before; the tool's end is the parent's to tell."""
    tracer = provider_with(WhyOpsSpanProcessor(), WhyOpsSpanProcessor()).get_tracer("t")
    with tracer.start_as_current_span("execute_tool add", attributes=TOOL):
        (request,) = captured.events
        pid = os.fork()
        if pid == 0:
            failed = True
            try:
                with tracer.start_as_current_span("chat", attributes=CHAT):
                    pass
                (answer,) = captured.of_type("llm_response")
                failed = answer["metadata"]["parentSpanId"] != request["spanId"] or answer["traceId"] != request["traceId"]
            finally:
                os._exit(failed)  # whatever happened: a child that went on would run the other tests too
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert kinds(captured) == {"tool_call_request": 1, "tool_call_response": 1}
