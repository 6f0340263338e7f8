"""Prompts, answers and model errors, as LangChain's own objects tell them."""

# ruff: noqa: ARG002  (LangChain says what a model's methods take)

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.language_models import FakeListLLM
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGeneration, ChatResult, Generation, LLMResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel
from pydantic import BaseModel

import whyops
from tests.integrations.langchain.parts import Scripted, Streaming, also_async, calls, only, types
from whyops.integrations.langchain import WhyOpsCallbackHandler
from whyops.testing import capture

USAGE: Any = {
    "input_tokens": 100,
    "output_tokens": 20,
    "total_tokens": 120,
    "input_token_details": {"cache_read": 60, "cache_creation": 10},
}
COUNTED = {"promptTokens": 30, "completionTokens": 20, "totalTokens": 120, "cacheReadTokens": 60, "cacheCreationTokens": 10}


def answer(text: str = "It has shipped.") -> AIMessage:
    return AIMessage(text, usage_metadata=USAGE, response_metadata={"model_name": "acme-2", "finish_reason": "stop"})


def test_a_prompt_and_its_answer(captured, handler):
    """One `user_message` with the assembled prompt and what goes along with it, one `llm_response` with all that is known of the answer."""
    prompt = ChatPromptTemplate.from_messages([("system", "You help."), ("human", "Where is {order}?")])
    model = Scripted(answers=[answer()]).bind_tools([{"name": "find", "description": "Finds."}], stop=["END"])
    (prompt | model).invoke({"order": "123"}, {"callbacks": [handler]})
    assert types(captured) == ["user_message", "llm_response"]
    asked, said = captured.events
    assert asked["content"] == [{"role": "system", "content": "You help."}, {"role": "user", "content": "Where is 123?"}]
    assert asked["metadata"]["systemPrompt"] == "You help."
    assert asked["metadata"]["tools"] == [{"name": "find", "description": "Finds."}]
    assert asked["metadata"]["params"] == {"stop": ["END"]}
    assert said["content"] == {"content": "It has shipped.", "finishReason": "stop"}
    assert said["metadata"]["model"] == "acme-2"
    assert said["metadata"]["provider"] == "acme"
    assert said["metadata"]["usage"] == COUNTED
    assert said["metadata"]["latencyMs"] >= 0
    assert "timeToFirstTokenMs" not in said["metadata"]


@pytest.mark.parametrize("how", ["stream", "astream", "invoke", "ainvoke"])
def test_usage_and_text_are_the_same_however_the_model_is_called(captured, handler, how):
    """Sync and async, streamed and not: the same answer with the same tokens; a stream tells when its first token came."""
    model = Streaming(answers=[answer()]) if "stream" in how else Scripted(answers=[answer()])
    config: Any = {"callbacks": [handler]}

    async def drain() -> None:
        async for _ in model.astream("Hi", config):
            pass

    if how == "stream":
        list(model.stream("Hi", config))
    elif how == "astream":
        asyncio.run(drain())
    elif how == "invoke":
        model.invoke("Hi", config)
    else:
        asyncio.run(model.ainvoke("Hi", config))
    assert types(captured) == ["user_message", "llm_response"]
    said = captured.events[1]
    assert said["content"]["content"].strip() == "It has shipped."
    assert said["content"]["finishReason"] == "stop"
    assert said["metadata"]["usage"] == COUNTED
    assert ("timeToFirstTokenMs" in said["metadata"]) == ("stream" in how)


def test_tool_calls_of_a_stream_are_whole(captured, handler):
    """Tool calls that come in chunks are recorded as one call each, arguments as JSON text."""
    list(Streaming(answers=[calls(("find", {"order": "1"}))]).stream("Hi", {"callbacks": [handler]}))
    (call,) = only(captured, "llm_response")["content"]["toolCalls"]
    called = {"name": "find", "arguments": '{"order": "1"}'}
    assert call == {"id": "call-find-0", **called, "function": called}


def test_what_is_not_known_is_absent(captured, handler):
    """A model that tells neither tokens nor a finish reason has none recorded, and no zeros."""
    Scripted(answers=[AIMessage("Hi")]).invoke("Hi", {"callbacks": [handler]})
    said = only(captured, "llm_response")
    assert "usage" not in said["metadata"]
    assert "finishReason" not in said["content"]
    assert said["metadata"]["model"] == "scripted-1"


def test_a_prompt_that_ends_in_a_tools_result_is_no_users_message(captured):
    """Without `capture_prompts`, there is a `user_message` only where a user speaks last."""
    handler = WhyOpsCallbackHandler(capture_prompts=False)
    conversation = [HumanMessage("Where is 1?"), calls(("find", {"order": "1"})), ToolMessage("shipped", tool_call_id="call-find-0")]
    Scripted(answers=["It has shipped."]).invoke(conversation, {"callbacks": [handler]})
    assert types(captured) == ["llm_response"]


def test_earlier_turns_keep_their_roles_and_tool_calls(captured, handler):
    """The assembled prompt tells who said what, which tools were called, and what they gave."""
    conversation = [
        SystemMessage("Help."),
        HumanMessage("Where is 1?"),
        calls(("find", {"order": "1"})),
        ToolMessage("shipped", tool_call_id="call-find-0", name="find"),
        AIMessage("It has shipped."),
        HumanMessage([{"type": "text", "text": "And this?"}, {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]),
    ]
    Scripted(answers=["A cat."]).invoke(conversation, {"callbacks": [handler]})
    assert only(captured, "user_message")["content"] == [
        {"role": "system", "content": "Help."},
        {"role": "user", "content": "Where is 1?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "call-find-0", "function": {"name": "find", "arguments": '{"order": "1"}'}}],
        },
        {"role": "tool", "content": "shipped", "tool_call_id": "call-find-0", "name": "find"},
        {"role": "assistant", "content": "It has shipped."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "And this?"}, {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}],
        },
    ]


def test_a_completion_model(captured, handler):
    """A plain prompt is the user's message, and the text is the answer."""
    FakeListLLM(responses=["Fine."]).invoke("How are you?", {"callbacks": [handler]})
    assert only(captured, "user_message")["content"] == [{"role": "user", "content": "How are you?"}]
    assert only(captured, "llm_response")["content"] == {"content": "Fine."}


def test_several_prompts_are_several_runs(captured, handler):
    """`generate` with two prompts records two questions and two answers; without a trace around them each is a trace of its own."""
    Scripted(answers=["A", "B"]).generate([[HumanMessage("a")], [HumanMessage("b")]], callbacks=[handler])
    assert sorted(types(captured)) == ["llm_response", "llm_response", "user_message", "user_message"]
    asked, said = captured.of_type("user_message"), captured.of_type("llm_response")
    assert [event["traceId"] for event in asked] == [event["traceId"] for event in said]
    assert len({event["traceId"] for event in asked}) == 2


def test_alternatives_are_one_response_each_and_tokens_count_once(captured, handler):
    """With n alternatives there are n responses; the tokens that were counted for all of them stand on the first."""

    class Several(Scripted):
        def _generate(self, messages, stop=None, run_manager=None, **kwargs):
            return ChatResult(generations=[ChatGeneration(message=answer(text)) for text in ("A", "B")])

    Several().invoke("Hi", {"callbacks": [handler]})
    first, second = captured.of_type("llm_response")
    assert [first["content"]["content"], second["content"]["content"]] == ["A", "B"]
    assert first["metadata"]["usage"] == COUNTED
    assert "usage" not in second["metadata"]


def test_tokens_of_a_completion_model_come_from_its_output(captured, handler):
    """`llm_output` tells the tokens where no message does."""

    class Counting(FakeListLLM):
        def _generate(self, prompts, stop=None, run_manager=None, **kwargs):
            usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
            fine = Generation(text="Fine.", generation_info={"finish_reason": "stop"})
            return LLMResult(generations=[[fine]], llm_output={"token_usage": usage})

    Counting(responses=[]).invoke("Hi", {"callbacks": [handler]})
    said = only(captured, "llm_response")
    assert said["metadata"]["usage"] == {"promptTokens": 5, "completionTokens": 2, "totalTokens": 7}
    assert said["content"]["finishReason"] == "stop"


def test_reasoning_comes_before_the_answer(captured, handler):
    """Each block of reasoning is an `llm_thinking` with its signature, ahead of the response that it led to."""
    content = [
        {"type": "thinking", "thinking": "First,", "signature": "sig-1"},
        {"type": "thinking", "thinking": "then."},
        {"type": "text", "text": "Done."},
    ]
    Scripted(answers=[AIMessage(content)]).invoke("Hi", {"callbacks": [handler]})
    assert types(captured) == ["user_message", "llm_thinking", "llm_thinking", "llm_response"]
    first, second = captured.of_type("llm_thinking")
    assert first["content"] == {"type": "thinking", "thinking": "First,", "signature": "sig-1"}
    assert second["content"] == {"type": "thinking", "thinking": "then."}
    assert only(captured, "llm_response")["content"] == {"content": "Done."}


class Order(BaseModel):
    """An order."""

    number: int


def test_the_schema_of_a_structured_answer_is_recorded(captured, handler):
    """What form the answer is to have goes to the prompt's parameters, and the tool that stands for it to its tools."""
    model = Scripted(answers=[calls(("Order", {"number": 7}))])
    result = model.with_structured_output(Order).invoke("Which?", {"callbacks": [handler]})
    assert result == Order(number=7)
    metadata = only(captured, "user_message")["metadata"]
    assert metadata["tools"] == [{"name": "Order"}]
    assert metadata["params"]["structured_output"]["properties"]["number"]["type"] == "integer"


def test_a_cached_answer_spent_no_tokens(captured, handler):
    """An answer from LangChain's cache is recorded like any other, marked, and its tokens are not counted a second time."""
    model = Scripted(answers=[answer()], cache=InMemoryCache())
    model.invoke("Hi", {"callbacks": [handler]})
    model.invoke("Hi", {"callbacks": [handler]})
    first, second = captured.of_type("llm_response")
    assert first["metadata"]["usage"] == COUNTED
    assert "cached" not in first["metadata"]
    assert second["metadata"]["cached"] is True
    assert "usage" not in second["metadata"]
    assert second["content"] == first["content"]


def test_retries_are_attempts_of_their_own(captured, handler):
    """Each attempt is recorded, the failed one with its error, in one trace."""
    model = Scripted(answers=[ValueError("busy"), "Fine."]).with_retry(wait_exponential_jitter=False)
    model.invoke("Hi", {"callbacks": [handler]})
    assert types(captured) == ["user_message", "error", "user_message", "llm_response"]
    assert len({event["traceId"] for event in captured.events}) == 1


@pytest.mark.parametrize("call", also_async("invoke", "ainvoke"))
def test_fallbacks_stay_in_one_trace(captured, handler, call):
    """Attempts that LangChain starts as roots of their own are recorded in the trace of what tries them, sync and async."""
    model = Scripted(answers=[ValueError("down")]).with_fallbacks([Scripted(answers=["Fine."])])
    if call == "invoke":
        model.invoke("Hi", {"callbacks": [handler]})
    else:
        asyncio.run(model.ainvoke("Hi", {"callbacks": [handler]}))
    assert types(captured) == ["user_message", "error", "user_message", "llm_response"]
    assert len({event["traceId"] for event in captured.events}) == 1


def test_one_error_for_one_exception(captured, handler):
    """An exception that passes through model, sequence and the trace's block is recorded once."""
    chain = RunnableLambda(lambda x: x) | Scripted(answers=[ValueError("down")]) | StrOutputParser()
    with pytest.raises(ValueError, match="down"), whyops.trace("t"):
        chain.invoke("Hi", {"callbacks": [handler]})
    assert types(captured) == ["user_message", "error"]
    assert only(captured, "error")["content"]["message"] == "down"


def test_a_stream_that_is_left_early_keeps_what_came(captured, handler):
    """Leaving a model's stream by `break` is no error: what had come is the answer, marked."""
    for _ in (stream := Streaming(answers=["one two three"]).stream("Hi", {"callbacks": [handler]})):
        break
    stream.close()
    assert types(captured) == ["user_message", "llm_response"]
    said = only(captured, "llm_response")
    assert said["content"]["content"] == "one "
    assert said["metadata"]["closedEarly"] is True


def test_an_async_stream_that_is_left_early_keeps_what_came(captured, handler):
    """The same, asynchronously."""

    async def main() -> None:
        stream = Streaming(answers=["one two three"]).astream("Hi", {"callbacks": [handler]})
        async for _ in stream:
            break
        await stream.aclose()

    asyncio.run(main())
    assert only(captured, "llm_response")["metadata"]["closedEarly"] is True


def test_a_sequence_whose_stream_is_left_early(captured, handler):
    """LangChain reads the model to its end then, after the sequence's own: the whole answer is recorded, and no state is kept."""
    chain = Streaming(answers=["one two three"]) | StrOutputParser()
    stream = chain.stream("Hi", {"callbacks": [handler]})
    next(stream)
    stream.close()
    assert types(captured) == ["user_message", "llm_response"]


def test_a_model_that_fails_in_mid_stream(captured, handler):
    """What had come is recorded, then the error."""

    class Failing(Streaming):
        def _stream(self, messages, stop=None, run_manager=None, **kwargs):
            yield from list(super()._stream(messages, stop, run_manager))[:1]
            raise ValueError("cut off")

    with pytest.raises(ValueError, match="cut off"):
        list(Failing(answers=["one two"]).stream("Hi", {"callbacks": [handler]}))
    assert types(captured) == ["user_message", "llm_response", "error"]
    assert only(captured, "llm_response")["metadata"]["interrupted"] == "ValueError"


def test_parallel_models_stand_in_one_trace(captured, handler):
    """Branches of a RunnableParallel are recorded in the trace of their root, in threads and in tasks."""
    both = RunnableParallel(a=Scripted(reply=lambda _: "A"), b=Scripted(reply=lambda _: "B"))
    both.invoke("Hi", {"callbacks": [handler]})
    asyncio.run(both.ainvoke("Hi", {"callbacks": [handler]}))
    assert sorted(types(captured)) == ["llm_response"] * 4 + ["user_message"] * 4
    assert len({event["traceId"] for event in captured.events}) == 2


def test_batches_mix_no_two_roots(captured, handler):
    """Each input of `batch` and `abatch` is a trace of its own, whole and alone."""
    model = Scripted(reply=lambda messages: f"re: {messages[-1].content}")
    chain = RunnableLambda(lambda text: f"about {text}") | model
    inputs = [str(number) for number in range(20)]
    chain.batch(inputs, {"callbacks": [handler]})
    asyncio.run(chain.abatch(inputs, {"callbacks": [handler]}))
    by_trace: dict[str, list[Any]] = {}
    for event in captured.events:
        by_trace.setdefault(event["traceId"], []).append(event["content"])
    assert len(by_trace) == 40
    for asked, said in by_trace.values():
        assert said["content"] == f"re: {asked[0]['content']}"


@pytest.mark.parametrize("key", ["whyops_trace_id", "thread_id", "session_id", "conversation_id"])
def test_the_roots_metadata_names_the_trace_and_the_user(captured, handler, key):
    """Without a trace or an argument, the root run's metadata names trace and user."""
    Scripted(answers=["Fine."]).invoke("Hi", {"callbacks": [handler], "metadata": {key: "from-metadata", "user_id": "u1"}})
    assert {(event["traceId"], event["externalUserId"]) for event in captured.events} == {("from-metadata", "u1")}


def test_our_own_names_in_the_metadata_come_first(captured, handler):
    """`whyops_trace_id` goes before `thread_id`, and `whyops_user_id` before `user_id`."""
    metadata = {"thread_id": "thread", "whyops_trace_id": "ours", "user_id": "u1", "whyops_user_id": "u2"}
    Scripted(answers=["Fine."]).invoke("Hi", {"callbacks": [handler], "metadata": metadata})
    assert {(event["traceId"], event["externalUserId"]) for event in captured.events} == {("ours", "u2")}


def test_without_anything_the_root_runs_id_names_the_trace(captured, handler):
    """A run that nobody named is found under its root's id."""
    run_id = "01a209c6-d4b5-7571-bb55-0f9bf60e09ad"
    (RunnableLambda(lambda text: text) | Scripted(answers=["Fine."])).invoke("Hi", {"callbacks": [handler], "run_id": run_id})
    assert {event["traceId"] for event in captured.events} == {run_id}


def test_the_current_trace_goes_before_metadata_and_the_argument_before_all(captured):
    """An argument names the trace; else the trace that is open; both go before what metadata says."""
    config: Any = {"metadata": {"thread_id": "thread", "user_id": "of-metadata"}}
    with whyops.trace("open", external_user_id="of-trace"):
        Scripted(answers=["1"]).invoke("Hi", {**config, "callbacks": [WhyOpsCallbackHandler()]})
        given = WhyOpsCallbackHandler(trace_id="given", external_user_id="of-argument")
        Scripted(answers=["2"]).invoke("Hi", {**config, "callbacks": [given]})
    assert [(event["traceId"], event["externalUserId"]) for event in captured.of_type("llm_response")] == [
        ("open", "of-trace"),
        ("given", "of-argument"),
    ]


def test_a_user_that_only_the_handler_knows_is_the_open_traces_too(captured):
    """The user of metadata or argument is on the events of an open trace that had none."""
    with whyops.trace("open"):
        Scripted(answers=["1"]).invoke("Hi", {"callbacks": [WhyOpsCallbackHandler()], "metadata": {"user_id": "u1"}})
    assert {event["externalUserId"] for event in captured.events} == {"u1"}


def test_a_handlers_client_is_whose_events_these_are():
    """A handler that was made with a client records there, also inside a trace of another client."""
    with capture("one") as one, capture("other") as other:
        with other.client.trace("of-other"):
            Scripted(answers=["Fine."]).invoke("Hi", {"callbacks": [WhyOpsCallbackHandler(one.client, trace_id="of-one")]})
            Scripted(answers=["Fine."]).invoke("Hi", {"callbacks": [WhyOpsCallbackHandler(one.client)], "run_name": "named"})
        assert {event["agentName"] for event in one.events} == {"one"}
        assert len({event["traceId"] for event in one.events}) == 2
        assert other.events == []


def test_without_model_events_only_errors_of_models_are_recorded(captured):
    """`llm_events=False` leaves prompts and answers out; what a model raises is still an error of the run."""
    handler = WhyOpsCallbackHandler(llm_events=False)
    Scripted(answers=["Fine."]).invoke("Hi", {"callbacks": [handler]})
    with pytest.raises(ValueError, match="down"):
        Scripted(answers=[ValueError("down")]).invoke("Hi", {"callbacks": [handler]})
    assert types(captured) == ["error"]


def test_contents_stay_here_where_they_are_not_to_be_captured():
    """Without content, names, tokens and times are recorded, and no word of prompt, system prompt, reasoning or answer."""
    with capture(capture_content=False) as captured:
        content = [{"type": "thinking", "thinking": "secret-thought"}, {"type": "text", "text": "secret-answer"}]
        model = Scripted(answers=[AIMessage(content, usage_metadata=USAGE)])
        prompt = [SystemMessage("secret-rule"), HumanMessage("secret-question")]
        model.invoke(prompt, {"callbacks": [WhyOpsCallbackHandler()]})
        assert types(captured) == ["user_message", "llm_thinking", "llm_response"]
        assert "secret" not in str(captured.events)
        assert only(captured, "llm_response")["metadata"]["usage"] == COUNTED


def test_a_handler_in_a_models_constructor_records_that_model(captured, handler):
    """A handler that is told of nothing but one model's runs records these, in the trace that is open around them."""
    model = Scripted(answers=["Fine.", "Fine."], callbacks=[handler])
    chain = RunnableLambda(lambda text: text) | model
    with whyops.trace("open"):
        chain.invoke("Hi")
    chain.invoke("Hi")
    assert types(captured) == ["user_message", "llm_response"] * 2
    assert captured.events[0]["traceId"] == "open"
    assert captured.events[2]["traceId"] != "open"


def test_nothing_is_recorded_where_everything_is_switched_off(monkeypatch, handler):
    """With `WHYOPS_DISABLED` the run goes on, and nothing is kept."""
    monkeypatch.setenv("WHYOPS_DISABLED", "1")
    with capture() as captured:
        assert Scripted(answers=["Fine."]).invoke("Hi", {"callbacks": [handler]}).content == "Fine."
        assert captured.events == []
