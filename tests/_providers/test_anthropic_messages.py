"""Anthropic's messages, asked with the official client."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest

from tests._providers.asking import Providers, said
from tests.server.providers import Cut, messages
from whyops._wire.prompt import ModelToolCall
from whyops._wire.used import Usage

TOOL: Any = {"name": "find", "description": "Find an order.", "input_schema": {"type": "object"}}
MODEL = "claude-test"
WAYS = pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])


def ask(providers: Providers, prompt: list[Any], *, streams: bool, **more: Any) -> Any:
    """Ask, and record it. Return the blocks that came."""
    more["max_tokens"] = 100
    with providers.trace.model_call(MODEL, "anthropic", prompt, params=more) as call:
        response = providers.anthropic.messages.create(model=MODEL, messages=prompt, stream=streams, **more)
        if streams:
            return list(call.stream(response))
        call.answer(response)
        return response.content


@WAYS
def test_an_answer_with_all_that_it_tells(providers: Providers, streams) -> None:
    """Its thinking is signed, its system prompt stands beside the messages, writes to a cache are told apart."""
    providers.server.script.append(messages.answer(messages.thinking("Let me see."), messages.text("It is in Lübeck.")))
    system: Any = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    ask(providers, [{"role": "user", "content": "Where is it?"}], streams=streams, system=system, stop_sequences=["."])
    call = providers.call()
    assert call.prompt == (said("system", "Be brief."), said("user", "Where is it?"))
    assert (call.answer, call.thinking, call.finish_reason) == ("It is in Lübeck.", ("Let me see.",), "end_turn")
    assert call.usage == Usage(prompt=14, completion=9, cache_read=7, cache_creation=5)
    assert (call.model, call.params) == ("claude-test-1", {"stop_sequences": ["."], "max_tokens": 100})
    assert providers.recording.only("llm_thinking")["content"]["signature"] == "c2lnbmVk"
    usage = providers.recording.only("llm_response")["metadata"]["usage"]
    assert (usage["cacheWrite5mTokens"], usage["cacheWrite1hTokens"]) == (1, 4)


@WAYS
def test_tools_are_offered_called_and_told(providers: Providers, streams) -> None:
    """Results stand in a user's message, beside what the user says: each is a tool's message in the prompt."""
    called = [messages.call("c1", "find", {"id": 7}), messages.call("c2", "find", {})]
    providers.server.script.append(messages.answer(messages.thinking("Two."), messages.text("I look."), *called, stop_reason="tool_use"))
    providers.server.script.append(messages.answer(messages.text("Both are here.")))
    prompt: list[Any] = [{"role": "user", "content": "Where are they?"}]
    content = ask(providers, prompt, streams=streams, tools=[TOOL])
    prompt.append({"role": "assistant", "content": [messages.thinking("Two."), messages.text("I look."), *called] if streams else content})
    results = [{"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "here"}]}]
    results.append({"type": "tool_result", "tool_use_id": "c2", "content": "nowhere", "is_error": True})
    prompt.append({"role": "user", "content": [*results, {"type": "text", "text": "Be quick."}]})
    ask(providers, prompt, streams=streams, tools=[TOOL])
    first, second = providers.calls()
    asked = (ModelToolCall("c1", "find", {"id": 7}), ModelToolCall("c2", "find", {}))
    assert (first.tools, first.tool_calls, first.answer, first.finish_reason) == (("find",), asked, "I look.", "tool_use")
    told = (said("tool", "here", tool_call_id="c1"), said("tool", "nowhere", tool_call_id="c2"), said("user", "Be quick."))
    assert second.prompt == (said("user", "Where are they?"), said("assistant", "I look.", *asked), *told)
    assert [len(event["content"]) for event in providers.recording.of_type("user_message")] == [1, 3]


@WAYS
def test_a_refusal_is_marked(providers: Providers, streams) -> None:
    """The reason why it stopped says so."""
    providers.server.script.append(messages.answer(messages.text("I can't."), stop_reason="refusal"))
    ask(providers, [{"role": "user", "content": "Help!"}], streams=streams)
    event = providers.recording.only("llm_response")
    assert (event["content"]["content"], event["metadata"]["refused"]) == ("I can't.", True)


@WAYS
def test_what_the_server_searched_is_a_call_of_a_tool(providers: Providers, streams) -> None:
    """A search on the provider's side is recorded with its result, and the answer's citations with it."""
    result = {"type": "web_search_result", "url": "https://example.org", "title": "Orders", "encrypted_content": "x", "page_age": None}
    search = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "order 7"}}
    found = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [result]}
    providers.server.script.append(messages.answer(search, found, messages.text("In Lübeck.")))
    ask(providers, [{"role": "user", "content": "Where is it?"}], streams=streams)
    response = providers.recording.only("tool_call_response")
    assert (response["content"]["toolCalls"][0]["arguments"], response["metadata"]["server_side"]) == ({"query": "order 7"}, True)
    assert "Orders" in str(response["content"]["toolResults"])
    assert providers.call().answer == "In Lübeck."


@pytest.mark.parametrize("status", [400, 401, 429, 500, 529])
def test_a_request_that_fails_is_an_error_with_its_status(providers: Providers, status: int) -> None:
    """The exception propagates, its prompt is told, and there is no answer."""
    if status not in (400, 401):
        providers.server.script.append(messages.error(status, "not now"))
    client = providers.anthropic.with_options(api_key="bad") if status == 401 else providers.anthropic
    prompt: Any = [{"role": "assistant" if status == 400 else "user", "content": "Where is it?"}]
    with pytest.raises(anthropic.APIStatusError), providers.trace.model_call(MODEL, "anthropic", prompt) as call:
        call.answer(client.messages.create(model=MODEL, messages=prompt, max_tokens=10))
    assert providers.recording.only("error")["content"]["status"] == status
    assert len(providers.call().prompt or ()) == 1
    assert providers.recording.of_type("llm_response") == []


def test_the_helper_of_the_client(providers: Providers) -> None:
    """Its stream has events of its own among those of the API; the final message is an answer like any."""
    providers.server.script += [messages.answer(messages.text("Here."), messages.call("c1", "find", {"id": 7}))]
    prompt: Any = [{"role": "user", "content": "Where is it?"}]
    asked = {"model": MODEL, "messages": prompt, "max_tokens": 10}
    with providers.trace.model_call(MODEL, "anthropic", prompt) as call, providers.anthropic.messages.stream(**asked) as stream:
        kinds = {event.type for event in call.stream(stream)}
        final = stream.get_final_message()
    with providers.trace.model_call(MODEL, "anthropic", prompt) as call:
        call.answer(final)
    assert {"text", "input_json", "content_block_delta"} <= kinds
    for recorded in providers.calls():
        assert (recorded.answer, recorded.tool_calls) == ("Here.", (ModelToolCall("c1", "find", {"id": 7}),))
        assert recorded.usage == Usage(prompt=14, completion=9, cache_read=7, cache_creation=5)


def test_a_connection_that_is_lost_leaves_what_had_come(providers: Providers) -> None:
    """The arguments of a call that were not whole yet stay the text that they are."""
    providers.server.script.append(Cut(messages.answer(messages.text("I look."), messages.call("c1", "find", {"id": 7})), 9))
    with pytest.raises(Exception, match="incomplete"):
        ask(providers, [{"role": "user", "content": "Where is it?"}], streams=True)
    call = providers.call()
    assert (call.answer, call.tool_calls) == ("I look.", (ModelToolCall("c1", "find", '{"id'),))
    assert (call.interrupted, call.finish_reason) == ("RemoteProtocolError", None)


def test_thinking_that_is_kept_back_is_told_by_its_length(providers: Providers) -> None:
    """Nobody can read it."""
    providers.server.script.append(messages.answer({"type": "redacted_thinking", "data": "abc"}, messages.text("Here.")))
    ask(providers, [{"role": "user", "content": "Where is it?"}], streams=False)
    assert providers.call().thinking == ("[redacted by the provider: 3 characters]",)
