"""What came in as frameworks' spans goes out again as ours, through the strict receiver: nothing is lost that the conventions name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from tests.integrations.opentelemetry.replayed import SPANS, replay, steps_of
from tests.server.otlp import OtlpServer, attributes_of
from whyops._otlp.sink import OtlpSink
from whyops.integrations.opentelemetry import WhyOpsSpanProcessor
from whyops.testing import Captured

EITHER = {
    "gen_ai.agent.name": ("gen_ai.agent.name",),
    "gen_ai.conversation.id": ("gen_ai.conversation.id",),
}
"""An attribute that goes out, and under which names the conventions of the fixtures have it."""

OF_MODELS = {
    "gen_ai.request.model": ("gen_ai.request.model", "llm.model_name"),
    "gen_ai.response.model": ("gen_ai.response.model",),
    "gen_ai.provider.name": ("gen_ai.provider.name", "gen_ai.system", "llm.system"),
    "gen_ai.response.finish_reasons": ("gen_ai.response.finish_reasons",),
    "gen_ai.usage.input_tokens": ("gen_ai.usage.input_tokens", "llm.token_count.prompt"),
    "gen_ai.usage.output_tokens": ("gen_ai.usage.output_tokens", "llm.token_count.completion"),
    "gen_ai.usage.cache_read.input_tokens": ("gen_ai.usage.cache_read.input_tokens", "llm.token_count.prompt_details.cache_read"),
    "gen_ai.usage.cache_creation.input_tokens": ("gen_ai.usage.cache_creation.input_tokens",),
    "gen_ai.usage.reasoning.output_tokens": ("llm.token_count.completion_details.reasoning",),
    "gen_ai.client.operation.time_to_first_chunk": ("gen_ai.client.operation.time_to_first_chunk",),
    "gen_ai.request.temperature": ("gen_ai.request.temperature",),
    "gen_ai.request.max_tokens": ("gen_ai.request.max_tokens",),
}
OF_TOOLS = {
    "gen_ai.tool.name": ("gen_ai.tool.name", "tool.name"),
    "gen_ai.tool.call.id": ("gen_ai.tool.call.id", "tool.id"),
}

MODEL = {"chat", "generate_content", "text_completion", "LLM"}
TOOL = {"execute_tool", "TOOL"}
NO_TOOLS = {"(merged tools)"}
"""What one framework calls the results of parallel calls, once more."""

NO_CONVENTION = {"haystack", "haystack_model_fails"}
"""Spans whose attributes have names of the framework's own."""

NO_IDS = {"<not specified>"}
FAILED = 2


@pytest.fixture
def receiver() -> Iterator[OtlpServer]:
    with OtlpServer() as running:
        yield running


def kind(attributes: dict[str, Any]) -> str | None:
    told = attributes.get("gen_ai.operation.name") or attributes.get("openinference.span.kind")
    is_tool = told in TOOL and attributes.get("gen_ai.tool.name") not in NO_TOOLS
    return "model" if told in MODEL else "tool" if is_tool else None


def came_in(name: str) -> dict[str, list[dict[str, Any]]]:
    """Return the attributes of the calls in a fixture, with those of an event that holds the messages, in the order in which they ended."""
    steps = steps_of(name)
    began = {step["id"]: step for step in steps if step["at"] == "start"}
    found: dict[str, list[dict[str, Any]]] = {"model": [], "tool": []}
    for step in (step for step in steps if step["at"] == "end"):
        attributes = {**began[step["id"]]["attributes"], **step["attributes"]}
        for event in step["events"]:
            attributes |= {key: value for key, value in event["attributes"].items() if key.startswith("gen_ai.") and key.endswith("s")}
        if (told := kind(attributes)) is not None:
            found[told].append({**attributes, "failed": step["status"]["code"] == "ERROR"})
    return found


def from_json(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def words(value: Any) -> Any:
    """Return the text of a result that is a list of nothing but one text."""
    match value:
        case [{"text": text}]:
            return text
    return value


def parts_of(message: dict[str, Any], *, thinks: bool) -> list[Any]:
    said: list[Any] = []
    for part in message["parts"]:
        match part["type"]:
            case "text":
                said.append(part["content"])
            case "reasoning" | "thinking":
                said += [("thought", part["content"])] if thinks else []
            case "tool_call":
                said.append((part["id"], part["name"], from_json(part["arguments"])))
            case _:
                said.append((part["id"], words(from_json(part.get("response", part.get("result"))))))
    return said


def said(attributes: dict[str, Any], name: str) -> list[tuple[str, Any]] | None:
    """Return who says what, a part each, in whatever way messages and instructions are put together."""
    given = from_json(attributes.get(name))
    if given is None:
        return None
    thinks = name == "gen_ai.output.messages"
    instructions = [] if thinks else from_json(attributes.get("gen_ai.system_instructions", "[]"))
    messages = [{"role": "system", "parts": instructions}, *given]
    told = [(message["role"], part) for message in messages for part in parts_of(message, thinks=thinks)]
    return [("tool" if isinstance(part, tuple) and len(part) == 2 and part[0] != "thought" else role, part) for role, part in told]


def offered(attributes: dict[str, Any]) -> list[Any]:
    """Return the tools: their names, what they are for, and their parameters."""
    tools = from_json(attributes.get("gen_ai.tool.definitions") or "[]")
    return [{name: tool[name] for name in ("name", "description", "parameters") if tool.get(name) is not None} for tool in tools]


@pytest.mark.parametrize("name", sorted({path.stem for path in SPANS.glob("*.json")} - NO_CONVENTION))
def test_it_goes_out_again(
    captured: Captured, provider: TracerProvider, processor: WhyOpsSpanProcessor, receiver: OtlpServer, name: str
) -> None:
    """Each call once, with its names, tokens, ids, messages, tools, arguments and results, under the convention's newest names."""
    replay(provider, name)
    processor._open.clear()  # one instrumentation never ends a span
    sink = OtlpSink(receiver.url, {}, "tester")
    sink.send([json.dumps(event).encode() for event in captured.events])
    sink.close()
    assert set(receiver.statuses) == {200}
    out: dict[str, list[Any]] = {"model": [], "tool": []}
    for span in receiver.spans:
        if (told := kind(attributes_of(span))) is not None:
            out[told].append(span)
    expected = came_in(name)
    assert expected["model"]
    assert {kind: len(spans) for kind, spans in out.items()} == {kind: len(spans) for kind, spans in expected.items()}
    for given, span in zip([*expected["model"], *expected["tool"]], [*out["model"], *out["tool"]], strict=True):
        held = attributes_of(span)
        for told, names in (EITHER | (OF_MODELS if kind(given) == "model" else OF_TOOLS)).items():
            value = next((given[one] for one in names if given.get(one) not in (None, 0, *NO_IDS)), None)
            assert value is None or held[told] == (pytest.approx(value) if isinstance(value, float) else value), told
        assert (span.status.code == FAILED) is given["failed"]
        assert not given.get("error.type") or held["error.type"] == given["error.type"]
        for messages in ("gen_ai.input.messages", "gen_ai.output.messages") if kind(given) == "model" else ():
            if (whole := said(given, messages)) is not None and not given["failed"]:
                assert said(held, messages) == whole
        if not given["failed"]:  # without an answer some tell no prompt, and so not what was offered with it
            assert not offered(given) or offered(held) == offered(given)
        _same_call(given, held)


def _same_call(given: dict[str, Any], held: dict[str, Any]) -> None:
    for told in ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"):
        if told in given and not (given["failed"] and told.endswith("result")):
            ours, theirs = words(from_json(held[told])), words(from_json(given[told]))
            assert str(ours) in given[told] if "traceloop.span.kind" in given else ours == theirs  # which puts much around it
