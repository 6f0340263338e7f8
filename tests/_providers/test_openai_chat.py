"""OpenAI's chat completions and completions, asked with the official client."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from tests._providers.asking import Providers, said
from tests.server.answer import Answer
from tests.server.providers import Cut, chat, completions
from whyops._wire.prompt import ModelToolCall
from whyops._wire.used import Usage

TOOL: Any = {"type": "function", "function": {"name": "find", "description": "Find an order.", "parameters": {"type": "object"}}}
MODEL = "gpt-4o-mini"
WAYS = pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])


def ask(providers: Providers, messages: list[Any], *, streams: bool, **more: Any) -> Any:
    """Ask, and record it. Return the answer's message, or what its chunks say."""
    if streams:
        more |= {"stream": True, "stream_options": {"include_usage": True}}
    tools = more.get("tools")
    params = {name: value for name, value in more.items() if name != "tools"}
    with providers.trace.model_call(MODEL, "openai", messages, tools=tools, params=params) as call:
        response = providers.openai.chat.completions.create(model=MODEL, messages=messages, **more)
        if streams:
            return [chunk for chunk in call.stream(response)]  # noqa: C416  (as users write it)
        call.answer(response)
        return response.choices[0].message


@WAYS
def test_an_answer_with_all_that_it_tells(providers: Providers, streams) -> None:
    """Text, reasoning as other providers add it, the counts of the cache and of reasoning, why it ended, which model."""
    providers.server.script.append(chat.answer("It is in Lübeck.", reasoning_content="Let me see."))
    messages = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "Where is it?"}]}]
    ask(providers, messages, streams=streams, temperature=0.5)
    call = providers.call()
    assert call.prompt == (said("system", "Be brief."), said("user", "Where is it?"))
    assert (call.answer, call.thinking, call.finish_reason) == ("It is in Lübeck.", ("Let me see.",), "stop")
    assert call.usage == Usage(prompt=11, completion=21, cache_read=8)
    assert (call.model, call.params["temperature"], call.interrupted, call.error) == ("gpt-4o-mini-2024-07-18", 0.5, None, None)
    event = providers.recording.only("llm_response")
    assert event["metadata"]["reasoningTokens"] == 5
    assert ("timeToFirstTokenMs" in event["metadata"]) is streams
    assert event["metadata"]["provider"] == "openai"


@WAYS
def test_tools_are_offered_called_and_told(providers: Providers, streams) -> None:
    """A second prompt is put together again from the first one and its answer: of the messages only what is new is recorded."""
    called = chat.calls(("c1", "find", {"id": 7}), ("c2", "find", {"id": 8}))
    providers.server.script += [chat.answer(None, "tool_calls", tool_calls=called), chat.answer("Both are here.")]
    messages: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where are 7 and 8?"}]
    message = ask(providers, messages, streams=streams, tools=[TOOL])
    messages.append({"role": "assistant", "content": None, "tool_calls": called} if streams else message)
    messages += [{"role": "tool", "tool_call_id": id_, "content": "here"} for id_ in ("c1", "c2")]
    ask(providers, messages, streams=streams, tools=[TOOL])
    first, second = providers.calls()
    asked = (ModelToolCall("c1", "find", {"id": 7}), ModelToolCall("c2", "find", {"id": 8}))
    assert (first.tools, second.tools) == (("find",), ("find",))
    assert (first.tool_calls, first.answer, first.finish_reason) == (asked, None, "tool_calls")
    told = (said("tool", "here", tool_call_id="c1"), said("tool", "here", tool_call_id="c2"))
    assert second.prompt == (said("system", "Be brief."), said("user", "Where are 7 and 8?"), said("assistant", "", *asked), *told)
    assert [len(event["content"]) for event in providers.recording.of_type("user_message")] == [2, 2]


@WAYS
def test_a_refusal_is_the_answer_and_is_marked(providers: Providers, streams) -> None:
    """What the model says when it refuses is its answer."""
    providers.server.script.append(chat.answer(None, refusal="I can't help with that."))
    ask(providers, [{"role": "user", "content": "Help!"}], streams=streams)
    event = providers.recording.only("llm_response")
    assert (event["content"]["content"], event["metadata"]["refused"]) == ("I can't help with that.", True)


def test_alternatives_are_answers_of_one_call_and_tokens_count_once(providers: Providers) -> None:
    """With `n` each alternative is an answer; the counts are of all of them."""
    whole = chat.answer("Heads.")
    whole["choices"].append({**whole["choices"][0], "index": 1, "message": {"role": "assistant", "content": "Tails."}})
    providers.server.script += [whole, whole]
    for streams in (False, True):
        ask(providers, [{"role": "user", "content": "Toss!"}], streams=streams, n=2)
    for call in providers.calls():
        assert [event.answer for event in call.events if event.type == "llm_response"] == ["Heads.", "Tails."]
        assert call.usage == Usage(prompt=11, completion=21, cache_read=8)


def test_a_stream_left_early_is_an_answer_that_was_cut_off(providers: Providers) -> None:
    """What had come is recorded, and that the reader left."""
    providers.server.script.append(chat.answer("It is in Lübeck."))
    with providers.trace.model_call(MODEL, "openai", "Where is it?") as call:
        messages: Any = [{"role": "user", "content": "Where is it?"}]
        with providers.openai.chat.completions.create(model=MODEL, messages=messages, stream=True) as stream:
            for chunk in call.stream(stream):
                if chunk.choices[0].delta.content:
                    break
    (recorded,) = providers.calls()
    assert (recorded.answer, recorded.interrupted, recorded.finish_reason) == ("It i", "closed early", None)


def test_a_connection_that_is_lost_is_an_error_with_what_had_come(providers: Providers) -> None:
    """The partial answer says what stopped it, and the error follows."""
    providers.server.script.append(Cut(chat.answer(None, tool_calls=chat.calls(("c1", "find", {"id": 7}))), 4))
    with pytest.raises(openai.APIConnectionError):
        ask(providers, [{"role": "user", "content": "Where is it?"}], streams=True)
    (call,) = providers.calls()
    assert (call.tool_calls, call.interrupted) == ((ModelToolCall("c1", "find", '{"id": 7'),), "APIConnectionError")
    assert providers.recording.only("error")["metadata"]["callId"] == call.id


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_a_request_that_fails_is_an_error_with_its_status(providers: Providers, status: int) -> None:
    """The exception propagates, its prompt is told, and there is no answer."""
    if status not in (400, 401):
        providers.server.script.append(chat.error(status, "not now"))
    messages: list[Any] = [{"role": "user", "content": "Where is it?"}, *([{"role": "tool", "content": "1"}] if status == 400 else ())]
    client = providers.openai.with_options(api_key="bad") if status == 401 else providers.openai
    with pytest.raises(openai.APIStatusError), providers.trace.model_call(MODEL, "openai", messages) as call:
        call.answer(client.chat.completions.create(model=MODEL, messages=messages))
    error = providers.recording.only("error")
    assert error["content"]["status"] == status
    assert len(providers.call().prompt or ()) == len(messages)
    assert providers.recording.of_type("llm_response") == []


def test_the_helpers_of_the_client(providers: Providers) -> None:
    """Its stream of events holds chunks, which are read; `parse` answers with an answer."""
    providers.server.script += [chat.answer("Here."), chat.answer("There.")]
    messages: Any = [{"role": "user", "content": "Where is it?"}]
    chats = providers.openai.chat.completions
    with providers.trace.model_call(MODEL, "openai", messages) as call, chats.stream(model=MODEL, messages=messages) as stream:
        kinds = {event.type for event in call.stream(stream)}
    with providers.trace.model_call(MODEL, "openai", messages) as call:
        call.answer(chats.parse(model=MODEL, messages=messages))
    assert {"chunk", "content.delta"} <= kinds
    assert [call.answer for call in providers.calls()] == ["Here.", "There."]


@WAYS
def test_completions_of_a_text(providers: Providers, streams) -> None:
    """The older API: a prompt, and what follows it."""
    providers.server.script.append(completions.answer("and far away"))
    with providers.trace.model_call("gpt-instruct", "openai", "Once upon a time") as call:
        response = providers.openai.completions.create(model="gpt-instruct", prompt="Once upon a time", stream=streams)
        if streams:
            assert "".join(chunk.choices[0].text for chunk in call.stream(response)) == "and far away"
        else:
            call.answer(response)
    recorded = providers.call()
    assert (recorded.prompt, recorded.answer, recorded.finish_reason) == ((said("user", "Once upon a time"),), "and far away", "length")
    assert recorded.usage.total == (0 if streams else 7)


def test_a_filtered_answer_is_marked(providers: Providers) -> None:
    """What a provider's filter keeps back was refused."""
    with providers.trace.model_call(MODEL, "azure", "Help!") as call:
        call.answer({"choices": [{"message": {"content": None}, "finish_reason": "content_filter"}]})
    event = providers.recording.only("llm_response")
    assert (event["metadata"]["refused"], event["content"]["finishReason"]) == (True, "content_filter")


def test_calls_in_a_stream_of_providers_that_number_them_otherwise(providers: Providers) -> None:
    """Each with the same index, or without one: an id begins a call, and a piece without goes on with the last."""
    for index in ({"index": 0}, {}):
        pieces = [("a", "find", "{}"), ("b", "count", '{"of":'), (None, None, " 1}")]
        deltas = [{"tool_calls": [{**index, "id": id_, "function": {"name": name, "arguments": given}}]} for id_, name, given in pieces]
        with providers.trace.model_call(MODEL, "gateway", "Count!") as call:
            list(call.stream([{"choices": [{"delta": delta}]} for delta in deltas]))
    for recorded in providers.calls():
        assert recorded.tool_calls == (ModelToolCall("a", "find", {}), ModelToolCall("b", "count", {"of": 1}))


def test_an_answer_of_an_error_status_keeps_the_scripts_order(providers: Providers) -> None:
    """A call after a failed one has a prompt of its own, told by the same ids."""
    providers.server.script += [Answer(500, {"error": {"message": "no"}}), chat.answer("Here.")]
    messages: Any = [{"role": "user", "content": "Where is it?"}]
    with pytest.raises(openai.InternalServerError):
        ask(providers, messages, streams=False)
    ask(providers, messages, streams=False)
    assert [call.prompt for call in providers.calls()] == [(said("user", "Where is it?"),)] * 2
    assert len(providers.recording.of_type("user_message")) == 1
