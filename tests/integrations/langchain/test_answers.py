"""Answers in the forms in which providers' packages hand them on: refusals, sounds, finish reasons, calls of the provider's own tools."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, GenerationChunk, LLMResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel

import whyops
from tests.integrations.langchain.parts import Scripted, Streaming, calls, only, types
from whyops._encoding.encoder import Encoder
from whyops._providers.answer import Answer, ServerCall
from whyops._trace.steps import LLMResponse
from whyops.integrations.langchain import WhyOpsCallbackHandler, _answers
from whyops.testing import capture

encode = Encoder().encode
LONG = "iVBORw0KGgo" * 1000


def answer(content: Any = "", **more: Any) -> Answer:
    """Return what is made of a message."""
    (one,) = _answers.answers_of(LLMResult(generations=[[ChatGeneration(message=AIMessage(content, **more))]]), encode)
    return one


@pytest.mark.parametrize(
    "message",
    [
        {"additional_kwargs": {"refusal": "I can't."}},
        {"content": [{"type": "refusal", "refusal": "I can't."}]},
    ],
)
def test_a_refusal_is_the_answer_and_is_marked(message):
    """OpenAI's two interfaces keep it in other places than the text."""
    refused = answer(**message)
    assert refused.content == "I can't."
    assert refused.more == {"refused": True}


def test_a_spoken_answer_is_its_transcript():
    """Of a sound, what was said is the answer; without that, a marker of the data."""
    assert answer(additional_kwargs={"audio": {"id": "a", "data": LONG, "transcript": "Hello"}}).content == "Hello"
    assert answer(additional_kwargs={"audio": {"id": "a", "data": LONG}}).content == [
        {"type": "audio", "id": "a", "data": "[11000 characters]"}
    ]


@pytest.mark.parametrize(
    "told, reason",
    [
        ({"finish_reason": "stop"}, "stop"),
        ({"status": "completed"}, "completed"),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "max_output_tokens"),
        ({"status": "incomplete", "incomplete_details": None}, "incomplete"),
        ({"stopReason": "max_tokens"}, "max_tokens"),
        ({"stop_reason": "end_turn"}, "end_turn"),
        ({}, None),
    ],
)
def test_finish_reasons(told, reason):
    """OpenAI's Chat and Responses, Bedrock's and Anthropic's."""
    assert answer("x", response_metadata=told).finish_reason == reason


@pytest.mark.parametrize(
    "usage, tokens",
    [
        ({"input_tokens": 1, "output_tokens": 20, "total_tokens": 21, "output_token_details": {"reasoning": 15}}, {"reasoningTokens": 15}),
        ({"input_tokens": 1, "output_tokens": 20, "total_tokens": 21, "output_token_details": {"reasoning": 0}}, {}),
        ({"input_tokens": 1, "output_tokens": 20, "total_tokens": 21}, {}),
        (None, {}),
    ],
)
def test_reasoning_tokens(usage, tokens):
    """How many of the answer's tokens went into reasoning, where that is told."""
    assert answer("x", usage_metadata=usage).more == tokens


def test_citations_stand_beside_the_text():
    """What a text was taken from, as the provider tells it."""
    cited = {"type": "char_location", "cited_text": "green", "document_title": "D"}
    said = answer([{"type": "text", "text": "Grass is green.", "citations": [cited]}])
    assert (said.content, said.more) == ("Grass is green.", {"citations": [cited]})


def test_redacted_thinking_leaves_a_sign():
    """Encrypted reasoning is told by its length."""
    said = answer([{"type": "redacted_thinking", "data": "xxxx"}, {"type": "text", "text": "ok"}])
    assert said.thinking == [("[redacted by the provider: 4 characters]", None)]


@pytest.mark.parametrize(
    "parts, call",
    [
        (
            [
                {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}},
                {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"url": "u", "encrypted_content": LONG}]},
            ],
            ServerCall("web_search", {"query": "q"}, "s1", [{"url": "u", "encrypted_content": "[11000 characters]"}]),
        ),
        (
            [
                {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}, "partial_json": '{"query": "q"}'},
                {"type": "web_search_tool_result", "tool_use_id": "s1", "content": {"type": "web_search_tool_result_error"}},
            ],
            ServerCall("web_search", {"query": "q"}, "s1", {"type": "web_search_tool_result_error"}, failed=True),
        ),
        (
            [{"type": "web_search_call", "id": "w", "status": "completed", "action": {"type": "search", "query": "q"}}],
            ServerCall("web_search", {"type": "search", "query": "q"}, "w", "completed"),
        ),
        (
            [{"type": "mcp_call", "id": "m", "name": "roll", "arguments": '{"n": 2}', "output": "7"}],
            ServerCall("roll", {"n": 2}, "m", "7"),
        ),
        (
            [{"type": "mcp_call", "id": "m", "name": "roll", "arguments": "{}", "error": "no dice"}],
            ServerCall("roll", {}, "m", "no dice", failed=True),
        ),
        (
            [{"type": "image_generation_call", "id": "i", "status": "completed", "result": LONG}],
            ServerCall("image_generation", {}, "i", "[11000 characters]"),
        ),
        (
            [{"type": "code_interpreter_call", "id": "c", "code": "1+1", "outputs": [{"type": "logs", "logs": "2"}]}],
            ServerCall("code_interpreter", {"code": "1+1"}, "c", [{"type": "logs", "logs": "2"}]),
        ),
        (
            [
                {"type": "server_tool_call", "id": "s1", "name": "run", "args": "not json"},
                {"type": "server_tool_result", "tool_call_id": "s1", "output": "x", "status": "error"},
            ],
            ServerCall("run", {"input": "not json"}, "s1", "x", failed=True),
        ),
        (
            [{"type": "mcp_tool_result", "tool_use_id": "?", "content": [], "is_error": True}],
            ServerCall("mcp", {}, "?", [], failed=True),
        ),
    ],
)
def test_calls_of_the_providers_own_tools(parts, call):
    """Query and result, as Anthropic, OpenAI and LangChain itself tell them, streamed or not; the text is what remains."""
    said = answer([*parts, {"type": "text", "text": "Found."}])
    assert said.server_calls == [call]
    assert said.content == "Found."


def test_calls_of_the_providers_own_tools_are_recorded_as_calls(captured, handler):
    """A request and a response with a span of their own, marked as made elsewhere, ahead of the answer."""
    parts: list[Any] = [
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"url": "u"}]},
        {"type": "server_tool_use", "id": "s2", "name": "web_search", "input": {"query": "r"}},
        {"type": "web_search_tool_result", "tool_use_id": "s2", "content": {"type": "web_search_tool_result_error"}},
        {"type": "text", "text": "Found."},
    ]
    Scripted(answers=[AIMessage(parts)]).invoke("Hi", {"callbacks": [handler]})
    assert types(captured) == ["user_message", *["tool_call_request", "tool_call_response"] * 2, "llm_response"]
    asked, gave, _, failed = captured.events[1:5]
    assert asked["spanId"] == gave["spanId"] != failed["spanId"]
    assert asked["content"]["toolCalls"] == [{"name": "web_search", "arguments": {"query": "q"}}]
    assert gave["content"]["toolResults"] == {"result": [{"url": "u"}]}
    assert (gave["metadata"]["server_side"], gave["metadata"]["tool_call_id"]) == (True, "s1")
    assert failed["content"]["error"] == {"type": "web_search_tool_result_error"}
    assert captured.events[5]["content"] == {"content": "Found."}


def test_custom_tool_calls_are_one_call_each():
    """OpenAI's custom tools stand among the parts and among the tool calls."""
    parts: list[Any] = [{"type": "custom_tool_call", "call_id": "c", "name": "run", "input": "ls"}]
    said = answer(parts, tool_calls=[{"name": "run", "args": {"__arg1": "ls"}, "id": "c"}])
    assert (said.content, len(said.tool_calls), said.server_calls) == (None, 1, [])


def test_what_came_of_a_stream():
    """Chunks are merged as LangChain merges them; texts alone are joined; of nothing, nothing is made."""
    chunks: list[Any] = [
        ChatGenerationChunk(message=AIMessageChunk("Half ", tool_call_chunks=[{"name": "f", "args": '{"a"', "id": "c", "index": 0}])),
        ChatGenerationChunk(message=AIMessageChunk("an answer", response_metadata={"model_name": "m"})),
    ]
    (merged,) = _answers.partial_answers(chunks, encode)
    assert (merged.content, merged.model) == ("Half an answer", "m")
    assert [call["function"]["name"] for call in merged.tool_calls] == ["f"]
    assert _answers.partial_answers(chunks[1:], encode)[0].content == "an answer"
    assert _answers.partial_answers(["Half ", GenerationChunk(text="an answer")], encode) == [Answer(content="Half an answer")]
    assert _answers.partial_answers([chunks[0], object()], encode)[0].content.startswith("Half ")
    assert _answers.partial_answers([], encode) == []
    assert _answers.answers_of(None, encode) == []


class Report(BaseModel):
    """A report."""

    sky: str


class Offering(Streaming):
    """Is offered tools in OpenAI's form, as real models are."""

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)


@pytest.mark.parametrize("how", ["invoke", "stream"])
@pytest.mark.usefixtures("home")
def test_a_structured_answer_by_function_calling_is_an_answer(handler, how):
    """The call that it is made as is no tool's, and is not missing: the answer is what it was called with."""
    model = Offering(answers=[calls(("Report", {"sky": "blue"}))]).with_structured_output(Report)
    config: Any = {"callbacks": [handler]}
    with whyops.trace("structured"):
        assert list(model.stream("How?", config)) if how == "stream" else model.invoke("How?", config)
    said = whyops.load_trace("structured").steps[-1]
    assert isinstance(said, LLMResponse)
    assert (said.content, said.not_called) == ({"sky": "blue"}, ())


def test_a_tools_call_beside_a_structured_answers_is_a_call():
    """Only calls of what was offered as the answer's form are the answer."""
    message = AIMessage("", tool_calls=json.loads('[{"name": "Report", "args": {}, "id": "1"}, {"name": "find", "args": {}, "id": "2"}]'))
    result = LLMResult(generations=[[ChatGeneration(message=message)]])
    assert "structured_output" not in _answers.answers_of(result, encode, {"Report"})[0].more
    assert _answers.answers_of(result, encode, {"Report", "find"})[0].more["structured_output"] is True


def test_answers_without_content_hold_none():
    """Where contents are not captured, refusals, citations and queries leave markers alone."""
    parts: list[Any] = [
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "secret plan"}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"title": "secret plan"}]},
        {"type": "text", "text": "secret plan", "citations": [{"cited_text": "secret plan"}]},
    ]
    with capture(capture_content=False) as captured:
        Scripted(answers=[AIMessage(parts)]).invoke("Hi", {"callbacks": [WhyOpsCallbackHandler()]})
    assert only(captured, "tool_call_request")["metadata"]["tool"] == "web_search"
    assert "secret plan" not in str(captured.events)
