"""LlamaIndex's objects and those of its integrations → plain values."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse, ImageBlock, TextBlock
from llama_index.core.base.response.schema import Response, StreamingResponse
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.schema import ImageNode, NodeWithScore, QueryBundle, TextNode

from whyops.integrations.llama_index import _models as models
from whyops.integrations.llama_index import _translate as translate


def encode(value: object) -> tuple[bytes, int, int]:
    return json.dumps(value, default=str).encode(), 0, 0


@pytest.mark.parametrize("role, expected", [("user", "user"), ("assistant", "assistant"), ("chatbot", "assistant"), ("function", "tool")])
def test_roles(role: str, expected: str) -> None:
    """System, user, assistant or tool."""
    assert translate.prompt_messages([ChatMessage(role=role, content="x")], encode) == [{"role": expected, "content": "x"}]


def test_a_message_with_parts_and_calls() -> None:
    """Text beside a picture is a list of parts; tool calls and a tool's id stand beside the content."""
    message = ChatMessage(
        role="assistant",
        blocks=[TextBlock(text="see"), ImageBlock(url="https://example.com/cat.png")],
        additional_kwargs={"tool_calls": [ToolSelection(tool_id="t1", tool_name="look", tool_kwargs={"at": 1})], "tool_call_id": "t0"},
    )
    (item,) = translate.prompt_messages([message], encode)
    assert item["content"] == [
        {"type": "text", "text": "see"},
        {"type": "image", "url": "https://example.com/cat.png", "image_mimetype": "image/png"},
    ]
    assert item["tool_calls"] == [{"id": "t1", "function": {"name": "look", "arguments": '{"at": 1}'}}]
    assert item["tool_call_id"] == "t0"


def test_what_is_no_prompt_is_none() -> None:
    """Nothing is made up."""
    assert translate.prompt_messages(None, encode) == []
    assert not translate.ends_in_users_words([])


CALLS: list[Any] = [
    SimpleNamespace(id="t", function=SimpleNamespace(name="f", arguments='{"a": 1}')),
    {"id": "t", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
    {"id": "t", "name": "f", "input": {"a": 1}},
    {"id": "t", "name": "f", "args": {"a": 1}},
    ToolSelection(tool_id="t", tool_name="f", tool_kwargs={"a": 1}),
]


@pytest.mark.parametrize("call", CALLS, ids=["openai object", "openai dict", "anthropic", "langchain", "llama_index"])
def test_tool_calls_of_each_form(call: Any) -> None:
    """Arguments are JSON text."""
    message = SimpleNamespace(blocks=[], additional_kwargs={"tool_calls": [call]})
    assert translate.tool_calls_of(message, encode) == [{"id": "t", "function": {"name": "f", "arguments": '{"a": 1}'}}]


def test_tool_calls_as_blocks() -> None:
    """Today's integrations have them among the message's blocks."""
    types = pytest.importorskip("llama_index.core.base.llms.types")
    block = types.ToolCallBlock(tool_call_id="t", tool_name="f", tool_kwargs={"a": 1})
    message = ChatMessage(role="assistant", blocks=[TextBlock(text="I look."), block])
    assert translate.tool_calls_of(message, encode) == [{"id": "t", "function": {"name": "f", "arguments": '{"a": 1}'}}]
    assert translate.prompt_messages([message], encode)[0]["content"] == "I look."


RAWS: list[tuple[Any, str]] = [
    ({"choices": [SimpleNamespace(finish_reason="length")]}, "length"),
    (SimpleNamespace(choices=[SimpleNamespace(finish_reason="stop")]), "stop"),
    ({"delta": SimpleNamespace(stop_reason="end_turn")}, "end_turn"),
    ({"candidates": [{"finishReason": "MAX_TOKENS"}]}, "MAX_TOKENS"),
    ({"stopReason": "max_tokens", "output": {"message": {}}}, "max_tokens"),
    ({"messageStop": {"stopReason": "tool_use"}}, "tool_use"),
    ({"output": [], "status": "completed", "incomplete_details": None}, "completed"),
    (SimpleNamespace(output=[], status="incomplete", incomplete_details=SimpleNamespace(reason="max_output_tokens")), "max_output_tokens"),
    ({"type": "response.completed", "response": SimpleNamespace(output=[], status="completed")}, "completed"),
    ({"choices": []}, None),
    (None, None),
]


@pytest.mark.parametrize("raw, reason", RAWS)
def test_finish_reasons(raw: Any, reason: str | None) -> None:
    """From wherever the provider's integration leaves them."""
    assert translate.finish_reason_of(CompletionResponse(text="x", raw=raw)) == reason


def test_usage_beside_the_answer() -> None:
    """Some integrations put the counts into `additional_kwargs`; what is not told stays absent."""
    kwargs = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    assert translate.usage_of(CompletionResponse(text="x", additional_kwargs=kwargs)) == {
        "promptTokens": 3,
        "completionTokens": 2,
        "totalTokens": 5,
    }
    assert translate.usage_of(CompletionResponse(text="x")) is None


@pytest.mark.parametrize(
    "raw",
    [
        {"usage": {"completion_tokens_details": {"reasoning_tokens": 7}}},
        {"response": SimpleNamespace(usage=SimpleNamespace(output_tokens_details=SimpleNamespace(reasoning_tokens=7)))},
        {"usage_metadata": {"prompt_token_count": 9, "thoughts_token_count": 7}},
    ],
)
def test_reasoning_tokens(raw: Any) -> None:
    """As chat completions, the Responses API's last event and Google count them; elsewhere nothing is told."""
    assert translate.reasoning_tokens_of(CompletionResponse(text="x", raw=raw)) == 7
    assert translate.reasoning_tokens_of(CompletionResponse(text="x", raw={"usage": {"completion_tokens": 9}})) is None


def test_thinking_of_a_chunk() -> None:
    """In the chunk's own extras, or in its message's."""
    message = ChatMessage(role="assistant", content="", additional_kwargs={"thinking_delta": "Hm"})
    assert translate.thinking_delta_of(ChatResponse(message=message)) == "Hm"
    assert translate.thinking_delta_of(ChatResponse(message=ChatMessage(), additional_kwargs={"thinking_delta": "Hm"})) == "Hm"
    assert translate.thinking_delta_of(CompletionResponse(text="x")) == ""


class FakeOpenAI:
    """Lives where an integration does."""


FakeOpenAI.__module__ = "llama_index.llms.openai.base"


class OwnModel(FakeOpenAI):
    """The application's own class around an integration's."""


class Acme:
    """The application's own model, that names itself nothing."""


def test_names_of_models_and_providers() -> None:
    """The integration's package names the provider; a class without a model's name stands for it."""
    assert models.provider_of({"class_name": "openai_llm"}, FakeOpenAI()) == "openai"
    assert models.provider_of({"class_name": "Anthropic_LLM"}) == "anthropic"
    assert models.provider_of({"class_name": "OpenAIEmbedding"}) == "openai"
    assert models.provider_of({}) == "unknown"
    assert models.provider_of({"class_name": "custom_llm"}, OwnModel()) == "openai"
    assert models.provider_of({"class_name": "base_component"}, Acme()) == "acme"
    assert models.provider_of({"class_name": "base_component"}) == "unknown"
    assert models.model_of({"model_name": "unknown", "model": "gpt-4o"}) == "gpt-4o"
    assert models.model_of({"model_name": "unknown"}, FakeOpenAI()) == "FakeOpenAI"
    assert models.model_of({"class_name": "custom_llm"}) == "custom_llm"


def test_tools_offered_as_llama_index_has_them() -> None:
    """By name and description."""
    tool = SimpleNamespace(metadata=SimpleNamespace(name="f", description="Does."))
    assert translate.sent_along([], None, {"tools": [tool, {"name": "g"}]})["tools"] == [
        {"name": "f", "description": "Does."},
        {"name": "g"},
    ]


def test_queries_and_nodes() -> None:
    """Text, or a bundle; nodes with or without a score, and what is no node."""
    assert [translate.query_of(query) for query in ("a", QueryBundle("b"), None, object())] == ["a", "b", None, None]
    node = TextNode(id_="n", text="x")
    assert translate.nodes_of([NodeWithScore(node=node, score=0.5), node, "y"]) == [
        {"id": "n", "content": "x", "score": 0.5},
        {"id": "n", "content": "x"},
        "y",
    ]
    assert translate.nodes_of([ImageNode(id_="i", text="", image_url="u")])[0]["id"] == "i"  # type: ignore[index]
    assert translate.ranked([NodeWithScore(node=node, score=0.5), "y"]) == [{"id": "n", "score": 0.5}, "y"]
    assert translate.nodes_of(None) == []


def test_results() -> None:
    """A query's response is its text and sources, nodes are their contents, a stream is left alone."""
    node = NodeWithScore(node=TextNode(id_="n", text="x"), score=0.5)
    found = {"id": "n", "content": "x", "score": 0.5}
    assert translate.result_of(Response("text", source_nodes=[node])) == {"response": "text", "sources": [found]}
    assert translate.result_of([node]) == {"nodes": [found]}
    stream = (word for word in ["a", "b"])
    assert translate.result_of(StreamingResponse(stream, source_nodes=[node])) == {"sources": [found]}
    assert list(stream) == ["a", "b"]
    assert translate.result_of(3) == 3


@pytest.mark.parametrize("result, expected", [([], (0, 0)), (None, (0, 0)), ([0.1, 0.2], (1, 2)), ([[0.1], [0.2], [0.3]], (3, 1))])
def test_vectors(result: Any, expected: tuple[int, int]) -> None:
    """One vector, or a list of them."""
    assert translate.vectors_of(result) == expected


def a_chosen_call() -> ChatMessage:
    call = ToolSelection(tool_id="t1", tool_name="look", tool_kwargs={"at": 1, "where": ["a"]})
    return ChatMessage(role="assistant", content="Let me look.", additional_kwargs={"tool_calls": [call], "name": "clerk"})


@pytest.mark.parametrize(
    "change",
    [
        lambda message: setattr(message.blocks[0], "text", "Let me think."),
        lambda message: message.blocks.append(TextBlock(text="More.")),
        lambda message: message.additional_kwargs.update(name="boss"),
        lambda message: message.additional_kwargs["tool_calls"][0].tool_kwargs["where"].append("b"),
        lambda message: message.additional_kwargs["tool_calls"][0].tool_kwargs.update(at=True),
        lambda message: message.additional_kwargs["tool_calls"].clear(),
        lambda message: setattr(message, "role", "user"),
    ],
    ids=["text", "block", "name", "argument", "type", "no calls", "role"],
)
def test_a_message_that_was_changed_in_place_has_another_seal(change: Any) -> None:
    """Whatever of it is read; one that was not has the same, and is taken apart once."""
    message = a_chosen_call()
    before = translate.seal(message)
    assert before is not None
    assert before == translate.seal(message)
    change(message)
    assert translate.seal(message) != before


@pytest.mark.parametrize(
    "message",
    [
        ChatMessage(role="user", blocks=[ImageBlock(url="https://example.com/cat.png")]),
        ChatMessage(role="user", content="Hello", additional_kwargs={"tool_calls": [SimpleNamespace(id="t1")]}),
        "Hello",
    ],
)
def test_a_message_whose_changes_are_not_seen_has_no_seal(message: Any) -> None:
    """Other parts than text, calls of a provider's own classes: taken apart each time."""
    assert translate.seal(message) is None
