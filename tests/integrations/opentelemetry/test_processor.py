"""The processor keeps to the trace that is current, to OpenTelemetry's context, and to what others record."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

import whyops
from tests.integrations.opentelemetry.replayed import SPANS, asked_and_given, make, replay, steps_of, trace_of
from whyops._recording import context
from whyops.integrations._shared import origin
from whyops.integrations.opentelemetry import WhyOpsSpanProcessor
from whyops.testing import Captured, capture

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
ASKED = {**CHAT, "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]'}
ANSWERED = {"gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Ho"}]}]'}


def tool_attributes(name: str, arguments: str | None = "{}") -> dict[str, str]:
    told = {} if arguments is None else {"gen_ai.tool.call.arguments": arguments}
    return {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name, **told}


@whyops.tool
def add(a: int, b: int) -> int:
    return a + b


@whyops.tool(capture_arguments=False, capture_result=False)
def secret(word: str) -> str:
    return word


def test_the_current_trace_wins(captured: Captured, provider: TracerProvider) -> None:
    """Inside a trace's block, spans are recorded in it, whatever conversation they name; outside, the conversation is the trace."""
    with whyops.trace("mine"):
        replay(provider, "pydantic_ai")
    assert trace_of(captured).trace_id == "mine"


def test_without_a_conversation_opentelemetrys_trace_is_the_trace(captured: Captured, provider: TracerProvider) -> None:
    """All spans of one of its traces are one of ours."""
    with provider.get_tracer("t").start_as_current_span("chat", attributes=ASKED) as span:
        span.set_attributes(ANSWERED)
        id_ = f"{span.get_span_context().trace_id:032x}"
    assert trace_of(captured).trace_id == id_


def test_a_request_is_recorded_when_its_span_starts(captured: Captured, provider: TracerProvider) -> None:
    """It is there while the tool runs, if the span has the arguments by then, and else once it has ended."""
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span("execute_tool add", attributes=tool_attributes("add", '{"a": 1}')):
        assert captured.tool_names() == ["add"]
    with tracer.start_as_current_span("execute_tool late", attributes=tool_attributes("late", None)) as span:
        assert captured.tool_names() == ["add"]
        span.set_attribute("gen_ai.tool.call.arguments", '{"b": 2}')
    assert [arguments for _, arguments, _ in asked_and_given(captured)] == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("arguments", ['{"a": 1, "b": 2}', None])
def test_a_decorated_tool_is_recorded_once(captured: Captured, provider: TracerProvider, arguments: str | None) -> None:
    """The call inside a span of the same tool is the span's; one of another tool is its child."""
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span("execute_tool add", attributes=tool_attributes("add", arguments)) as span:
        result = add(1, 2)
        span.set_attribute("gen_ai.tool.call.result", str(result))
    assert asked_and_given(captured) == [("add", {"a": 1, "b": 2}, {"result": 3})]
    with tracer.start_as_current_span("execute_tool outer", attributes=tool_attributes("outer", arguments)):
        add(3, 4)
    outer, inner = trace_of_last(captured)
    assert (outer["content"]["name"], inner["content"]["name"]) == ("outer", "add")
    assert inner["metadata"]["parentSpanId"] == outer["spanId"]


def trace_of_last(captured: Captured) -> list[dict[str, Any]]:
    last = captured.events[-1]["traceId"]
    found = [event for event in captured.of_type("tool_call_request") if event["traceId"] == last]
    return sorted(found, key=lambda event: event["content"]["name"] != "outer")


def test_what_a_tool_hides_stays_hidden(captured: Captured, provider: TracerProvider) -> None:
    """A framework's span tells arguments and result of a tool that is decorated so as to record neither."""
    with provider.get_tracer("t").start_as_current_span(
        "execute_tool secret", attributes=tool_attributes("secret", '{"word": "xyzzy"}')
    ) as span:
        span.set_attribute("gen_ai.tool.call.result", secret("xyzzy"))
    assert captured.tool_names() == ["secret"]
    assert "xyzzy" not in str(captured.events)


def test_what_is_around_and_inside_follows_both_contexts(captured: Captured, provider: TracerProvider) -> None:
    """A tool's span in a decorated tool is its child, and so is a model's in a tool's span; afterwards nothing is current."""
    tracer = provider.get_tracer("t")

    @whyops.tool
    def plan() -> str:
        with tracer.start_as_current_span("execute_tool inner", attributes=tool_attributes("inner")):
            with tracer.start_as_current_span("chat", attributes=ASKED) as span:
                span.set_attributes(ANSWERED)
            return "done"

    with whyops.trace("t1"):
        plan()
    requests = {event["content"]["name"]: event for event in captured.of_type("tool_call_request")}
    assert requests["inner"]["metadata"]["parentSpanId"] == requests["plan"]["spanId"]
    (answer,) = captured.of_type("llm_response")
    assert answer["metadata"]["parentSpanId"] == requests["inner"]["spanId"]


def test_a_span_that_ends_in_another_thread_leaves_nothing_current(captured: Captured, provider: TracerProvider) -> None:
    """Its frame is over wherever it lies."""
    span = provider.get_tracer("t").start_span("execute_tool add", attributes=tool_attributes("add"))
    thread = threading.Thread(target=span.end)
    thread.start()
    thread.join()
    assert context.top() is None
    assert captured.tool_names() == ["add"]


def test_an_exception_is_one_error_also_of_the_block_around(captured: Captured, provider: TracerProvider) -> None:
    """What a span records is not recorded again where the same exception leaves the trace's block."""
    tracer = provider.get_tracer("t")
    with pytest.raises(ValueError, match="broken"), whyops.trace("t1"):  # noqa: PT012, SIM117  (the blocks are what is tested)
        with tracer.start_as_current_span("invoke_agent a", attributes={"gen_ai.operation.name": "invoke_agent"}):
            with tracer.start_as_current_span("execute_tool add", attributes=tool_attributes("add")):
                raise ValueError("broken")
    assert [event["content"]["message"] for event in captured.of_type("error")] == ["broken"]


def test_a_call_that_a_block_records_is_not_recorded_by_its_span(captured: Captured, provider: TracerProvider) -> None:
    """Of `model_call` and the span of the client in it, the block is recorded; a second request is a call of its own."""
    tracer = provider.get_tracer("t")
    with whyops.trace("t1") as trace, trace.model_call("m", "openai", messages=[{"role": "user", "content": "Hi"}]) as call:
        with tracer.start_as_current_span("chat m", attributes=ASKED) as span:
            span.set_attributes(ANSWERED)
        call.answer("Ho")
    assert [event["content"]["content"] for event in captured.of_type("llm_response")] == ["Ho"]
    assert len(captured.of_type("user_message")) == 1


def test_a_models_span_in_another_is_the_same_call(captured: Captured, provider: TracerProvider) -> None:
    """A framework's span, and inside it one of the provider's client."""
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span("chat", attributes=ASKED) as outer:
        with tracer.start_as_current_span("chat m", attributes=ASKED) as inner:
            inner.set_attributes(ANSWERED)
        outer.set_attributes(ANSWERED)
    assert len(captured.of_type("llm_response")) == len(captured.of_type("user_message")) == 1


def test_a_framework_with_a_handler_of_ours_is_left_to_it(captured: Captured, provider: TracerProvider) -> None:
    """Spans of LangChain's instrumentation are passed over as long as a handler is there."""
    tracer = provider.get_tracer("openinference.instrumentation.langchain")
    handler = origin.Origin("LangChain", None, None, None, llm_events=True)
    with tracer.start_as_current_span("ChatOpenAI", attributes={"openinference.span.kind": "LLM", "input.value": "Hi"}):
        pass
    assert captured.events == []
    del handler
    with tracer.start_as_current_span("ChatOpenAI", attributes={"openinference.span.kind": "LLM", "input.value": "Hi"}):
        pass
    assert len(captured.of_type("user_message")) == 1


def test_spans_that_tell_of_no_agent_are_passed_over(captured: Captured, provider: TracerProvider) -> None:
    """An HTTP server's or a database's span records nothing, and hides nothing of what is in it."""
    tracer = provider.get_tracer("http")
    with tracer.start_as_current_span("GET /", attributes={"http.method": "GET"}):
        with tracer.start_as_current_span("SELECT"):
            pass
        with tracer.start_as_current_span("execute_tool add", attributes=tool_attributes("add")):
            pass
    assert captured.tool_names() == ["add"]
    assert {event["eventType"] for event in captured.events} == {
        "tool_call_request",
        "tool_call_response",
    }


def test_without_a_model_an_agents_span_tells_what_was_said(captured: Captured, provider: TracerProvider) -> None:
    """A run of which only the outermost span is told is recorded as its question and its answer."""
    told = {"openinference.span.kind": "AGENT", "input.value": "Weather?", "output.value": "Sunny."}
    with provider.get_tracer("t").start_as_current_span("guide.run", attributes=told):
        pass
    (question,), (answer,) = captured.of_type("user_message"), captured.of_type("tool_result")
    assert question["content"] == [{"role": "user", "content": "Weather?"}]
    assert "Sunny." in str(answer["content"])


def test_an_agents_run_is_a_span_where_steps_are_recorded(captured: Captured) -> None:
    """Its model calls are inside it."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(WhyOpsSpanProcessor(record_steps=True))
    replay(provider, "pydantic_ai_streams")
    run, _ = captured.of_type("tool_call_request")
    assert run["content"]["name"] == "invoke_agent guide"
    assert {event["metadata"]["parentSpanId"] for event in captured.of_type("llm_response")} == {run["spanId"]}


def test_a_span_that_tells_late_what_it_is_is_recorded_at_its_end(captured: Captured, provider: TracerProvider) -> None:
    """Of unknown frameworks some set every attribute at the end."""
    steps = [{**step, "scope": "other"} if step["at"] == "start" else step for step in steps_of("strands")]
    make(provider, [{**step, "name": "s", "attributes": {}} if step["at"] == "start" else step for step in steps])
    assert [name for name, _, _ in asked_and_given(captured)] == ["weather", "weather"]
    assert len(captured.of_type("llm_response")) == 2


BROKEN: list[Mapping[str, Any]] = [
    {"gen_ai.operation.name": "chat", "gen_ai.input.messages": "{not json", "gen_ai.output.messages": '[1, null, {"parts": 5}]'},
    {"gen_ai.operation.name": "chat", "gen_ai.input.messages": '[{"role": 7, "parts": [{"type": "tool_call"}, {"type": 3}, [1]]}]'},
    {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": "many", "gen_ai.response.finish_reasons": ()},
    {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": "[1, 2"},
    {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "", "gen_ai.tool.call.arguments": "17"},
    {"gen_ai.operation.name": "embeddings"},
    {"gen_ai.operation.name": "what?", "gen_ai.system": "x"},
    {"openinference.span.kind": "LLM", "llm.input_messages.x.message.role": "user", "llm.input_messages.99999999.message.role": "user"},
    {
        "openinference.span.kind": "LLM",
        "llm.input_messages.3.message.tool_calls.0.tool_call.function.arguments": "{",
        "llm.tools.0.tool.json_schema": "x",
    },
    {"openinference.span.kind": "LLM", "llm.invocation_parameters": "5", "llm.token_count.prompt": "5"},
    {
        "openinference.span.kind": "TOOL",
        "input.value": '{"args": 3, "kwargs": {}}',
        "output.mime_type": "application/json",
        "output.value": "{",
    },
    {
        "openinference.span.kind": "RETRIEVER",
        "retrieval.documents.0.document.content": "text",
        "retrieval.documents.0.document.metadata": "{",
    },
    {"openinference.span.kind": "EMBEDDING", "embedding.embeddings.0.embedding.text": "text"},
    {"openinference.span.kind": "NEW KIND", "input.value": "x" * 100_000},
]


@pytest.mark.parametrize("attributes", BROKEN)
def test_what_is_broken_is_kept_as_well_as_can_be(captured: Captured, provider: TracerProvider, attributes: Mapping[str, Any]) -> None:
    """Nothing is raised or logged, and a call that has begun is closed."""
    with provider.get_tracer("t").start_as_current_span("s", attributes=attributes):
        pass
    kinds = {event["eventType"] for event in captured.events}
    assert ("tool_call_request" in kinds) == ("tool_call_response" in kinds)
    assert attributes.get("gen_ai.operation.name") not in {"chat", "execute_tool"} or kinds


@pytest.mark.parametrize("name", ["openai_agents_model_fails", "pydantic_ai_model_fails"])
def test_without_model_events_a_models_failure_is_recorded(captured: Captured, name: str) -> None:
    """It is one error, and no prompt and no answer is there."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(WhyOpsSpanProcessor(llm_events=False))
    replay(provider, name)
    assert [event["eventType"] for event in captured.events] == ["error"]


@pytest.mark.parametrize("name", sorted(path.stem for path in SPANS.glob("*.json")))
def test_nothing_of_the_contents_is_recorded_where_none_is_wanted(name: str) -> None:
    """With `capture_content=False` there are the same events, and no word of what was said, given and told."""
    with capture() as whole:
        _replayed(name)
        kinds = [event["eventType"] for event in whole.events]
    with capture(capture_content=False) as captured:
        _replayed(name)
        assert [event["eventType"] for event in captured.events] == kinds
        told = str(captured.events)
    assert kinds
    assert not [word for word in ("Paris", "Nowhere", "sunny", "Sunny", "Looking", "Be short", "no such", "model down") if word in told]


def _replayed(name: str) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(WhyOpsSpanProcessor())
    replay(provider, name)


def test_spans_that_never_end_are_bounded(captured: Captured, processor: WhyOpsSpanProcessor) -> None:
    """Of more than are kept, the oldest are forgotten."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    processor._open._most = 50
    tracer = provider.get_tracer("t")
    spans = [tracer.start_span("s") for _ in range(200)]
    assert len(processor._open) <= 50
    for span in spans:
        span.end()
    assert captured.events == []
    assert processor.force_flush()
    processor.shutdown()
