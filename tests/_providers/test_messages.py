"""Roles, parts and tool calls, as both frameworks' handlers write them."""

from __future__ import annotations

import json
from enum import Enum

import pytest

from whyops._encoding.encoder import Encoder
from whyops._providers.messages import MAX_DATA, offered_tool, prompt_metadata, role_of, shown_content, text_of, tool_call

SIGNED = "Hello\u200b" + "\u200c\u200d" * 4 + "\u200e"
encode = Encoder().encode


class Role(Enum):
    """A role as LlamaIndex names it."""

    CHATBOT = "chatbot"


@pytest.mark.parametrize(
    "name, role",
    [
        ("human", "user"),
        ("ai", "assistant"),
        ("AIMessageChunk", "assistant"),
        ("developer", "system"),
        ("function", "tool"),
        ("User", "user"),
        (Role.CHATBOT, "assistant"),
        ("moderator", "moderator"),
    ],
)
def test_roles_are_named_as_the_service_names_them(name, role):
    """Each framework's name of a role becomes system, user, assistant or tool; a role of the caller's own stays."""
    assert role_of(name) == role


def test_long_data_is_told_by_its_length_whatever_its_name():
    """What is so long without a blank is data, as `result` of a generated image or `encrypted_content` hold it; a text is not."""
    data = "iVBORw0KGgo+/=" * MAX_DATA
    words = "a word " * MAX_DATA
    parts = [{"type": "image_generation_call", "result": data}, {"encrypted_content": data, "note": words, "text": data}]
    marker = f"[{len(data)} characters]"
    assert shown_content(parts) == [
        {"type": "image_generation_call", "result": marker},
        {"encrypted_content": marker, "note": words, "text": data},
    ]
    assert shown_content(data) == data


def test_multimodal_parts_stay_and_long_data_is_told_by_its_length():
    """Text parts stay whole; an image's or file's data beyond the bound is replaced by its kind and length, at any depth."""
    data = "A" * (MAX_DATA + 1)
    parts = [
        {"type": "text", "text": "look " * 2000},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
        {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}},
        b"raw",
    ]
    assert shown_content(parts) == [
        {"type": "text", "text": "look " * 2000},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,[{MAX_DATA + 1} characters]"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": f"[{MAX_DATA + 1} characters]"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}},
        "[3 bytes]",
    ]


def test_the_proxys_signature_is_taken_out_of_texts():
    """The invisible signature of the proxy is in no recorded text, whether content is text or parts."""
    assert shown_content(SIGNED) == "Hello"
    assert shown_content([{"type": "text", "text": SIGNED}]) == [{"type": "text", "text": "Hello"}]
    assert text_of(SIGNED) == "Hello"


def test_text_of_parts_joins_the_texts():
    """Strings and text parts are joined; images and reasoning are no text."""
    assert text_of(["a", {"type": "text", "text": "b"}, {"type": "image_url", "image_url": {}}, {"type": "reasoning", "text": "c"}]) == "ab"
    assert text_of(None) == ""


def test_arguments_of_a_tool_call_are_json_text_without_the_proxys_argument():
    """Arguments come as dict, text or nothing, and leave as JSON text; `_whyops_trace_id` is not among them."""
    assert tool_call("f", {"a": 1, "_whyops_trace_id": "t"}, "c1", encode) == {
        "id": "c1",
        "function": {"name": "f", "arguments": '{"a": 1}'},
    }
    assert tool_call("f", '{"a": 1, "_whyops_trace_id": "t"}', None, encode) == {"function": {"name": "f", "arguments": '{"a": 1}'}}
    assert tool_call("f", "half of {", None, encode)["function"]["arguments"] == "half of {"
    assert tool_call("f", 'broken "_whyops_trace_id', None, encode)["function"]["arguments"] == 'broken "_whyops_trace_id'
    assert tool_call("f", '["_whyops_trace_id"]', None, encode)["function"]["arguments"] == '["_whyops_trace_id"]'
    assert tool_call(None, None, None, encode) == {"function": {"name": "unknown", "arguments": "{}"}}


def test_arguments_that_are_no_plain_json_are_encoded_all_the_same():
    """An object among the arguments costs no event."""
    arguments = tool_call("f", {"a": {1, 2}, "b": float("nan")}, None, encode)["function"]["arguments"]
    assert set(json.loads(arguments)) == {"a", "b"}


def test_what_goes_along_with_a_prompt():
    """The system messages' text, the tools in one form whoever's they were, and the parameters that are set."""
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    tools = [
        {"type": "function", "function": {"name": "a", "description": "A", "parameters": {"type": "object"}}},
        {"name": "b", "input_schema": {"type": "object"}},
        {"type": "web_search"},
        {"googleSearch": {}},
        Role,
    ]
    assert prompt_metadata(messages, tools, {"temperature": 0, "stop": None}) == {
        "systemPrompt": "Be brief.",
        "tools": [
            {"name": "a", "description": "A", "parameters": {"type": "object"}},
            {"name": "b", "parameters": {"type": "object"}},
            {"name": "web_search"},
            {"googleSearch": {}},
            {"name": "Role"},
        ],
        "params": {"temperature": 0},
    }
    assert prompt_metadata([{"role": "user", "content": "Hi"}]) == {}
    assert offered_tool(3) == {"name": "int"}
