"""OpenAI's Responses, asked with the official client."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest

from tests._providers.asking import Providers, said
from tests.server.providers import Cut, openai_form, responses
from whyops._wire.prompt import ModelToolCall
from whyops._wire.used import Usage

TOOL: Any = {"type": "function", "name": "find", "description": "Find an order.", "parameters": {"type": "object"}, "strict": False}
MODEL = "gpt-5-mini"
WAYS = pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])


def ask(providers: Providers, given: Any, *, streams: bool, **more: Any) -> Any:
    """Ask, and record it. Return what came."""
    with providers.trace.model_call(MODEL, "openai", given, params=more) as call:
        response = providers.openai.responses.create(model=MODEL, input=given, stream=streams, **more)
        if streams:
            return [event for event in call.stream(response)][-1].response  # noqa: C416  (as users write it)
        call.answer(response)
        return response


@WAYS
def test_an_answer_with_all_that_it_tells(providers: Providers, streams) -> None:
    """Instructions are the system's message; reasoning, text, citations, the counts of the cache and of reasoning."""
    cited = {"type": "url_citation", "start_index": 0, "end_index": 2, "url": "https://example.org", "title": "Example"}
    providers.server.script.append(
        responses.answer(responses.reasoning("Let me see."), responses.message("In Lübeck.", annotations=[cited]))
    )
    ask(providers, "Where is it?", streams=streams, instructions="Be brief.", max_output_tokens=50)
    call = providers.call()
    assert call.prompt == (said("system", "Be brief."), said("user", "Where is it?"))
    assert (call.answer, call.thinking, call.finish_reason) == ("In Lübeck.", ("Let me see.",), "completed")
    assert (call.usage, call.params["max_output_tokens"]) == (Usage(prompt=25, completion=11, cache_read=12), 50)
    metadata = providers.recording.only("llm_response")["metadata"]
    assert (metadata["reasoningTokens"], metadata["citations"], metadata["model"]) == (4, [cited], "gpt-5-mini-2025-08-07")
    assert ("timeToFirstTokenMs" in metadata) is streams


@WAYS
def test_tools_are_called_and_told(providers: Providers, streams) -> None:
    """What the answer consists of is one message of the next prompt, whose items the application hands back as they are."""
    calls = [responses.call("c1", "find", {"id": 7}), responses.call("c2", "find", {"id": 8})]
    providers.server.script.append(responses.answer(responses.reasoning("Two of them."), responses.message("I look."), *calls))
    providers.server.script.append(responses.answer(responses.message("Both are here.")))
    given: list[Any] = [{"role": "user", "content": [{"type": "input_text", "text": "Where are 7 and 8?"}]}]
    response = ask(providers, given, streams=streams, tools=[TOOL])
    given = [*given, *response.output]
    given += [{"type": "function_call_output", "call_id": id_, "output": "here"} for id_ in ("c1", "c2")]
    ask(providers, given, streams=streams, tools=[TOOL])
    first, second = providers.calls()
    asked = (ModelToolCall("c1", "find", {"id": 7}), ModelToolCall("c2", "find", {"id": 8}))
    assert (first.tools, first.tool_calls, first.answer, first.thinking) == (("find",), asked, "I look.", ("Two of them.",))
    told = (said("tool", "here", tool_call_id="c1"), said("tool", "here", tool_call_id="c2"))
    assert second.prompt == (said("user", "Where are 7 and 8?"), said("assistant", "I look.", *asked), *told)
    assert [len(event["content"]) for event in providers.recording.of_type("user_message")] == [1, 2]


@WAYS
def test_a_refusal_is_the_answer_and_is_marked(providers: Providers, streams) -> None:
    """What the model says when it refuses is its answer."""
    providers.server.script.append(responses.answer(responses.message(refusal="I can't help with that.")))
    ask(providers, "Help!", streams=streams)
    event = providers.recording.only("llm_response")
    assert (event["content"]["content"], event["metadata"]["refused"]) == ("I can't help with that.", True)


@WAYS
def test_what_the_server_searched_is_a_call_of_a_tool(providers: Providers, streams) -> None:
    """A search on the provider's side is recorded with what was looked for."""
    search = {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "order 7"}}
    providers.server.script.append(responses.answer(search, responses.message("In Lübeck.")))
    ask(providers, "Where is it?", streams=streams)
    (call,) = providers.recording.only("tool_call_request")["content"]["toolCalls"]
    assert (call["name"], call["arguments"]["query"]) == ("web_search", "order 7")
    assert providers.call().answer == "In Lübeck."


@WAYS
def test_an_answer_that_is_cut_short_says_why(providers: Providers, streams) -> None:
    """The reason is how it ended."""
    details = {"reason": "max_output_tokens"}
    providers.server.script.append(responses.answer(responses.message("In Lü"), status="incomplete", incomplete_details=details))
    ask(providers, "Where is it?", streams=streams)
    call = providers.call()
    assert (call.answer, call.finish_reason) == ("In Lü", "max_output_tokens")


@WAYS
def test_a_failure_that_is_no_exception_is_an_error(providers: Providers, streams) -> None:
    """The client raises nothing where the answer itself says that it failed."""
    error = {"code": "server_error", "message": "The model is away."}
    providers.server.script.append(responses.answer(status="failed", error=error, usage=None))
    ask(providers, "Where is it?", streams=streams)
    recorded = providers.recording.only("error")["content"]
    assert (recorded["message"], recorded["type"]) == ("The model is away.", "server_error")
    assert providers.call().finish_reason == "failed"


@pytest.mark.parametrize("events, came", [(8, ("", ("Let me see.",))), (13, ("In L", ("Let me see.",)))], ids=["thinking", "text"])
def test_a_connection_that_is_lost_leaves_what_had_come(providers: Providers, events: int, came: tuple[str, Any]) -> None:
    """Items that were not whole yet hold the pieces that had come."""
    whole = responses.answer(responses.reasoning("Let me see."), responses.message("In Lübeck."))
    providers.server.script.append(Cut(whole, events))
    with pytest.raises(openai.APIConnectionError):
        ask(providers, "Where is it?", streams=True)
    call = providers.call()
    assert (call.answer, call.thinking, call.interrupted) == (*came, "APIConnectionError")


def test_an_asynchronous_stream(providers: Providers) -> None:
    """`async with` and `async for` do the same."""
    providers.server.script += [responses.answer(responses.message("In Lübeck.")), responses.answer(responses.message("In Kiel."))]

    async def ask_twice() -> None:
        async with openai.AsyncOpenAI(api_key=openai_form.KEY, base_url=f"{providers.server.url}/v1", max_retries=0) as client:
            async with providers.trace.model_call(MODEL, "openai", "Where is it?") as call:
                call.answer(await client.responses.create(model=MODEL, input="Where is it?"))
            async with providers.trace.model_call(MODEL, "openai", "And now?") as call:
                async for event in call.stream(await client.responses.create(model=MODEL, input="And now?", stream=True)):
                    if event.type == "response.output_text.delta":
                        break

    asyncio.run(ask_twice())
    first, second = providers.calls()
    assert (first.answer, second.answer, second.interrupted) == ("In Lübeck.", "In K", "closed early")
