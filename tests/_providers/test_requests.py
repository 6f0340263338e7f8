"""What is sent to a provider, as a prompt: messages in every form that an API takes them in."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessage
from openai.types.responses import ResponseFunctionToolCall

from whyops._encoding.encoder import Encoder
from whyops._providers.messages import prompt_metadata
from whyops._providers.requests import messages_of, request_of
from whyops._providers.unit import said, written
from whyops._runtime import guard

ENCODE = Encoder().encode


def prompt(given: Any) -> list[dict[str, Any]]:
    """Return a prompt's messages as they are recorded."""
    return [dict(written(unit, ENCODE)) for unit in messages_of(given)]


def call(id_: str | None, name: str, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"function": function, "id": id_} if id_ else {"function": function}


ASKED = {"role": "assistant", "content": "", "tool_calls": [call("c1", "find", '{"id": 7}')]}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/lamp.png"}}


@pytest.mark.parametrize(
    "given, expected",
    [
        (None, []),
        ("Hello", [{"role": "user", "content": "Hello"}]),
        ({"role": "user", "content": "Hello"}, [{"role": "user", "content": "Hello"}]),
        ([{"role": "developer", "content": "Be brief."}], [{"role": "system", "content": "Be brief."}]),
        ([{"role": "user", "content": "Hello", "name": "mia"}], [{"role": "user", "content": "Hello", "name": "mia"}]),
        (
            [{"role": "user", "content": [{"type": "text", "text": "What?"}, IMAGE]}],
            [{"role": "user", "content": [{"type": "text", "text": "What?"}, IMAGE]}],
        ),
        (
            [{"role": "user", "content": [{"type": "text", "text": "One"}, {"type": "text", "text": "two"}]}],
            [{"role": "user", "content": [{"type": "text", "text": "One"}, {"type": "text", "text": "two"}]}],
        ),
        ([{"role": "assistant", "content": None, "refusal": "No."}], [{"role": "assistant", "content": "No."}]),
        ([{"role": "assistant", "content": None, "tool_calls": [{"type": "function", **call("c1", "find", '{"id": 7}')}]}], [ASKED]),
        (
            [{"role": "assistant", "content": None, "function_call": {"name": "find", "arguments": "{}"}}],
            [{"role": "assistant", "content": "", "tool_calls": [call(None, "find", "{}")]}],
        ),
        (
            [{"role": "assistant", "tool_calls": [{"id": "c1", "type": "custom", "custom": {"name": "run", "input": "ls"}}]}],
            [{"role": "assistant", "content": "", "tool_calls": [call("c1", "run", "ls")]}],
        ),
        (
            [{"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "here"}]}],
            [{"role": "tool", "content": "here", "tool_call_id": "c1"}],
        ),
        ([ChatCompletionMessage(role="assistant", content="Hi", annotations=[])], [{"role": "assistant", "content": "Hi"}]),
        ([{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}], [{"role": "user", "content": "Hi"}]),
        ([ResponseFunctionToolCall(call_id="c1", name="find", arguments='{"id": 7}', type="function_call")], [ASKED]),
        (
            [{"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "here"}]}],
            [{"role": "tool", "content": "here", "tool_call_id": "c1"}],
        ),
        (
            [{"role": "user", "content": "a"}, {"type": "item_reference", "id": "rs_1"}],
            [{"role": "user", "content": "a"}, {"role": "user", "content": [{"type": "item_reference", "id": "rs_1"}]}],
        ),
        (
            [{"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "find", "input": {"id": 7}}]}],
            [ASKED],
        ),
        ([{"role": "user", "parts": [{"text": "Hello"}]}], [{"role": "user", "content": "Hello"}]),
        ([{"role": "model", "parts": [{"function_call": {"id": "c1", "name": "find", "args": {"id": 7}}}]}], [ASKED]),
        (["Hello", "you"], [{"role": "user", "content": [{"text": "Hello"}, {"text": "you"}]}]),
    ],
)
def test_messages_of_every_form(given: Any, expected: list[dict[str, Any]]) -> None:
    """Role, content, the calls of tools with their ids, whose result it is, and a name."""
    assert prompt(given) == expected


def test_each_answer_of_a_responses_input_is_one_message() -> None:
    """A message after calls, or reasoning after anything, begins the next one."""
    items = [
        {"type": "reasoning", "id": "r1", "summary": []},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
        {"type": "function_call", "call_id": "c1", "name": "find", "arguments": "{}"},
        {"type": "function_call", "call_id": "c2", "name": "find", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "here"},
        {"type": "function_call_output", "call_id": "c2", "output": "there"},
        {"type": "function_call", "call_id": "c3", "name": "count", "arguments": "{}"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Done."}]},
    ]
    told = [(unit.role, unit.content, [one[0] for one in unit.calls]) for unit in messages_of(items)]
    assert told == [
        ("assistant", "I look.", ["c1", "c2"]),
        ("tool", "here", []),
        ("tool", "there", []),
        ("assistant", "", ["c3"]),
        ("assistant", "Done.", []),
    ]


def test_a_message_is_known_again_whatever_holds_it() -> None:
    """The answer's own object, its dict, and one that was written by hand have the same parts."""
    whole = ChatCompletionMessage.model_validate(
        {"role": "assistant", "content": None, "tool_calls": [{"type": "function", **call("c1", "find", "{}")}]}
    )
    by_hand = {"role": "assistant", "content": None, "tool_calls": [{"type": "function", **call("c1", "find", "{}")}]}
    item = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "find", "arguments": "{}", "status": "completed"}
    parts = [said(messages_of([each])[0]).parts for each in (whole, whole.model_dump(), by_hand, item)]
    assert parts[1:] == parts[:-1]


def test_marks_of_a_cache_make_no_other_message() -> None:
    """They move from message to message as a conversation grows."""
    plain = [{"type": "text", "text": "One"}, {"type": "text", "text": "two"}]
    marked = [plain[0], {**plain[1], "cache_control": {"type": "ephemeral"}}]
    first, second = (said(messages_of([{"role": "user", "content": content}])[0]) for content in (plain, marked))
    assert first.parts == second.parts


def test_a_request_is_told_apart_into_messages_tools_and_parameters() -> None:
    """What was not given is no parameter, and neither are headers, which hold keys."""
    kwargs = {
        "model": "m",
        "messages": [{"role": "user", "content": "Hello"}],
        "system": [{"type": "text", "text": "Be brief."}],
        "tools": [{"type": "function", "function": {"name": "find"}}, {"type": "custom", "custom": {"name": "run"}}],
        "temperature": 0,
        "top_p": openai.omit,
        "seed": openai.NOT_GIVEN,
        "stop": None,
        "extra_headers": {"Authorization": "Bearer x"},
        "timeout": 5,
    }
    request = request_of("openai", kwargs)
    assert [(unit.role, unit.content) for unit in request.messages] == [("system", "Be brief."), ("user", "Hello")]
    assert (request.model, request.provider, request.params) == ("m", "openai", {"temperature": 0})
    assert [tool["name"] for tool in prompt_metadata([], request.tools)["tools"]] == ["find", "run"]


def test_what_can_not_be_read_is_told_as_it_is(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mapping that raises costs its reading, said once, and not the call."""
    monkeypatch.setattr(guard, "notices", guard.Notices())

    class Broken(dict[str, Any]):
        def items(self) -> Any:
            raise RuntimeError("no")

    broken = Broken(role="user")
    for _ in range(2):
        request = request_of("openai", {"model": "m", "messages": [broken]})
        assert (request.model, [unit.content for unit in request.messages]) == ("m", [[broken]])
    assert ["RuntimeError" in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.parametrize("odd", [5, object(), [[]], [None], [{}], {"role": 5}, [{"role": "user", "content": 5}], [{"parts": [5]}]])
def test_odd_messages_are_told_as_well_as_can_be(odd: Any) -> None:
    """Nothing that an application sends makes recording fail."""
    assert all(message["role"] for message in prompt(odd))
