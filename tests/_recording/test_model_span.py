"""`trace.model_call`: a block around a call that is made with a provider's own client."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import whyops
from tests._recording.recording import Recording
from whyops._encoding.encoder import Encoder
from whyops._recording import context
from whyops._recording.model_span import ModelSpan
from whyops._render.markdown import render_brief
from whyops._runtime import guard
from whyops._trace.model_calls import ModelCall
from whyops._trace.recorded import RecordedTrace

MESSAGES = [{"role": "user", "content": "Where is order 7?"}]
ANSWER = {"choices": [{"message": {"role": "assistant", "content": "In Lübeck."}, "finish_reason": "stop"}]}


def chunks(*texts: str, end: bool = True) -> Iterator[dict[str, Any]]:
    """Give the chunks of a stream."""
    for text in texts:
        yield {"choices": [{"delta": {"content": text}}]}
    if end:
        yield {"choices": [{"delta": {}, "finish_reason": "stop"}]}


async def chunks_later(*texts: str) -> AsyncIterator[dict[str, Any]]:
    """Give them asynchronously."""
    for chunk in chunks(*texts):
        await asyncio.sleep(0)
        yield chunk


def calls_in(recording: Recording) -> tuple[ModelCall, ...]:
    return RecordedTrace.from_events(recording.events).model_calls


def ask(recording: Recording, **more: Any) -> ModelSpan:
    return recording.trace("trace-1").model_call("m", "p", MESSAGES, **more)


def test_a_call_is_told_by_its_prompt_and_its_answer() -> None:
    """Both have the id of the call, which can be given to other methods while the block runs; the answer is handed back."""
    recording = Recording()
    with ask(recording, system="Be brief.", params={"temperature": 0}) as call:
        id_ = call.id
        assert call.answer(ANSWER) is ANSWER
    assert id_ is not None
    assert [event["metadata"]["callId"] for event in recording.events] == [id_, id_]
    assert call.id is None
    (recorded,) = calls_in(recording)
    assert (recorded.answer, recorded.params, recorded.prompt and recorded.prompt[0].content) == (
        "In Lübeck.",
        {"temperature": 0},
        "Be brief.",
    )


def test_a_block_left_without_an_answer_says_so() -> None:
    """It is not an empty answer."""
    recording = Recording()
    with ask(recording):
        pass
    event = recording.only("llm_response")
    assert (event["content"], event["metadata"]["unanswered"]) == ({}, True)
    (recorded,) = calls_in(recording)
    assert (recorded.answer, recorded.interrupted) == (None, "no answer recorded")
    assert "no answer was recorded" in render_brief(RecordedTrace.from_events(recording.events))


def test_an_exception_is_recorded_and_goes_on() -> None:
    """With the status that it knows, in the call; what is raised after the answer is not the call's failure."""
    recording = Recording()

    class Refused(Exception):
        status_code = 429

    with pytest.raises(Refused), ask(recording):
        raise Refused("too many")
    with contextlib.suppress(KeyError), ask(recording) as call:
        call.answer(ANSWER)
        raise KeyError("orders")
    error = recording.only("error")
    assert (error["content"]["message"], error["content"]["status"]) == ("too many", 429)
    first, second = calls_in(recording)
    assert (str(first.error).endswith("Refused: too many"), second.error) == (True, None)


def test_an_exception_of_the_reader_ends_the_stream_with_what_had_come() -> None:
    """The answer says what stopped it, and the exception is the call's error."""
    recording = Recording()
    with contextlib.suppress(ValueError), ask(recording) as call:
        for _ in call.stream(chunks("In ", "Lübeck.")):
            raise ValueError("odd")
    (recorded,) = calls_in(recording)
    assert (recorded.answer, recorded.interrupted, recorded.error) == ("In ", "ValueError", "ValueError: odd")


def test_a_stream_is_handed_on_as_it_is() -> None:
    """The very chunks, one by one: each is asked for when the reader wants it."""
    recording = Recording()
    given = list(chunks("In ", "Lübeck."))
    asked = []

    def stream() -> Iterator[dict[str, Any]]:
        for chunk in given:
            asked.append(chunk)
            yield chunk

    with ask(recording) as call:
        for count, chunk in enumerate(call.stream(stream()), 1):
            assert chunk is given[count - 1]
            assert len(asked) == count
    event = recording.only("llm_response")
    assert event["content"] == {"content": "In Lübeck.", "finishReason": "stop"}
    assert 0 <= event["metadata"]["timeToFirstTokenMs"] <= event["metadata"].get("durationMs", event["metadata"]["latencyMs"])


def test_a_stream_whose_end_was_told_is_whole_though_its_reader_leaves() -> None:
    """Many readers stop at the chunk that says why the model stopped."""
    recording = Recording()
    with ask(recording) as call:
        for chunk in call.stream(chunks("In ", "Lübeck.")):
            if chunk["choices"][0].get("finish_reason"):
                break
    (recorded,) = calls_in(recording)
    assert (recorded.answer, recorded.interrupted, recorded.finish_reason) == ("In Lübeck.", None, "stop")


def test_a_stream_that_nobody_began_to_read_was_closed_early() -> None:
    """Nothing had come of it."""
    recording = Recording()
    with ask(recording) as call:
        call.stream(chunks("In ", "Lübeck."))
    assert [recorded.interrupted for recorded in calls_in(recording)] == ["closed early"]


def test_what_comes_after_the_block_changes_nothing() -> None:
    """A stream goes on for its reader, and an answer is not recorded twice."""
    recording = Recording()
    with ask(recording) as call:
        stream = call.stream(chunks("In ", "Lübeck."))
        next(iter(stream))
    assert len(list(stream)) == 2
    call.answer(ANSWER)
    assert [recorded.answer for recorded in calls_in(recording)] == ["In "]


def test_a_task_that_is_cancelled_is_an_interrupted_call() -> None:
    """It is no error."""
    recording = Recording()

    async def read(reads: asyncio.Event) -> None:
        async with ask(recording) as call:
            async for _ in call.stream(chunks_later("In ", "Lübeck.")):
                reads.set()
                await asyncio.Event().wait()

    async def cancel() -> None:
        reads = asyncio.Event()
        task = asyncio.create_task(read(reads))
        await reads.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    (recorded,) = calls_in(recording)
    assert (recorded.answer, recorded.interrupted, recorded.error) == ("In ", "CancelledError", None)


def test_an_asynchronous_stream_is_recorded_as_a_synchronous_one() -> None:
    """Read to the end, and left early: the block's end counts, not when the loop closes the generator."""
    recording = Recording()

    async def read() -> None:
        async with ask(recording) as call:
            assert [chunk async for chunk in call.stream(chunks_later("In ", "Lübeck."))] == list(chunks("In ", "Lübeck."))
        async with ask(recording) as call:
            async for _ in call.stream(chunks_later("In ", "Lübeck.")):
                break
        assert len(calls_in(recording)) == 2

    asyncio.run(read())
    assert [(recorded.answer, recorded.interrupted) for recorded in calls_in(recording)] == [("In Lübeck.", None), ("In ", "closed early")]


def test_a_call_knows_the_span_that_it_is_made_in_and_hands_it_on() -> None:
    """Tools that are called in its block are siblings, and the trace is the current one there."""
    recording = Recording()
    trace = recording.trace("trace-1")
    with trace.tool_span("research") as span:
        with trace.model_call("m", "p", MESSAGES) as call:
            current = whyops.current_trace()
            with trace.tool_span("search") as inner:
                inner.result = 1
            call.answer(ANSWER)
        span.result = 2
    assert current is not None
    assert current.id == "trace-1"
    parents = {event["eventType"]: event["metadata"].get("parentSpanId") for event in recording.events}
    assert (parents["user_message"], parents["llm_response"]) == (span.span_id, span.span_id)
    inner_request = [event for event in recording.of_type("tool_call_request") if event["content"]["name"] == "search"]
    assert inner_request[0]["metadata"]["parentSpanId"] == span.span_id
    assert context.top() is None


def test_entered_again_it_is_another_call() -> None:
    """The same block in a loop: an unchanged message object is recorded once."""
    recording = Recording()
    call = ask(recording)
    for _ in range(3):
        with call:
            call.answer(ANSWER)
    assert len({recorded.id for recorded in calls_in(recording)}) == 3
    assert len(recording.of_type("user_message")) == 1


def test_what_a_user_says_again_is_said_again() -> None:
    """Equal words in another message object, or in a text, are a new message."""
    recording = Recording()
    trace = recording.trace("trace-1")
    for messages in ([{"role": "user", "content": "Go on."}], [{"role": "user", "content": "Go on."}], "Go on.", "Go on."):
        with trace.model_call("m", "p", messages) as call:
            call.answer(ANSWER)
    assert len(recording.of_type("user_message")) == 4


def test_threads_that_call_at_once_have_calls_of_their_own() -> None:
    """Each with its prompt and its answer."""
    recording = Recording()
    trace = recording.trace("trace-1")
    together = threading.Barrier(4)

    def call_model(number: int) -> None:
        with trace.model_call("m", "p", [{"role": "user", "content": f"Where is order {number}?"}]) as call:
            together.wait()
            call.answer(f"answer {number}")

    threads = [threading.Thread(target=call_model, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = {recorded.answer: recorded.prompt and recorded.prompt[0].content for recorded in calls_in(recording)}
    assert told == {f"answer {number}": f"Where is order {number}?" for number in range(4)}


def test_without_prompts_only_what_a_user_says_last_is_told() -> None:
    """As the frameworks' handlers do it."""
    recording = Recording(capture_prompts=False)
    trace = recording.trace("trace-1")
    asked: list[Any] = [*MESSAGES]
    with trace.model_call("m", "p", asked) as call:
        call.answer({"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "find", "input": {}}]})
    asked += [{"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "find", "input": {}}]}]
    asked += [{"role": "tool", "tool_call_id": "c1", "content": "here"}]
    with trace.model_call("m", "p", asked) as call:
        call.answer(ANSWER)
    assert [event["eventType"] for event in recording.events] == ["user_message", "llm_response", "llm_response"]
    assert "promptIds" not in recording.events[0]["metadata"]


def test_no_content_is_captured_where_none_is_to_be() -> None:
    """Of prompt, answer, reasoning, calls, parameters and errors."""
    recording = Recording(capture_content=False)
    whole = {"choices": [{"message": {"content": "SECRET", "reasoning_content": "SECRET", "refusal": "SECRET"}, "finish_reason": "stop"}]}
    whole["choices"][0]["message"]["tool_calls"] = [{"id": "c1", "function": {"name": "find", "arguments": '{"id": "SECRET"}'}}]  # type: ignore[index]
    trace = recording.trace("trace-1")
    prompt = [{"role": "user", "content": "SECRET", "name": "SECRET"}]
    with trace.model_call("m", "p", prompt, system="SECRET", params={"stop": "SECRET", "metadata": {"a": "SECRET"}}) as call:
        call.answer(whole)
    with trace.model_call("m", "p", ["SECRET"], embed=True) as call:
        call.answer({"data": [{"embedding": [1.0]}]})
    with trace.model_call("m", "p", prompt) as call:
        call.answer({"status": "failed", "error": {"code": "server_error", "message": "SECRET"}, "output": []})
    with contextlib.suppress(ValueError), trace.model_call("m", "p", prompt) as call:
        raise ValueError("SECRET")
    assert len(recording.of_type("error")) == 2
    assert "SECRET" not in str(recording.lines)


def test_secrets_are_redacted_and_long_values_cut() -> None:
    """By the client's own rules, as all that is recorded."""
    recording = Recording(encode=Encoder(max_value_bytes=2_000).encode)
    key = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKL"
    with recording.trace("t").model_call("m", "p", [{"role": "user", "content": f"my key is {key}"}], params={"api_key": key}) as call:
        call.answer({"choices": [{"message": {"content": "x" * 50_000}}]})
    assert key not in str(recording.lines)
    assert len(recording.lines[1]) < 4_000


def test_where_nothing_is_recorded_a_stream_goes_through_all_the_same() -> None:
    """A client that is switched off costs the caller nothing but the block."""
    recording = Recording(enabled=False)
    with ask(recording) as call:
        assert call.id is None
        assert list(call.stream(chunks("In ", "Lübeck."))) == list(chunks("In ", "Lübeck."))
        call.answer(ANSWER)
    assert recording.lines == []


def test_what_nobody_knows_is_recorded_as_it_is(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """An answer of an unknown form, a broken one, and messages of odd types: said once, and the agent goes on."""
    monkeypatch.setattr(guard, "notices", guard.Notices())

    class Odd:
        @property
        def choices(self) -> Any:
            raise RuntimeError("no")

    recording = Recording()
    trace = recording.trace("trace-1")
    for answer in ({"generations": ["In Lübeck."]}, 5, Odd(), [{"text": "In Lübeck."}], None, "In Lübeck."):
        with trace.model_call("m", "p", [object(), 5, None, {"role": 7}]) as call:
            call.answer(answer)
    with trace.model_call("m", "p") as call:
        assert list(call.stream([1, 2])) == [1, 2]
    with trace.model_call("m", "p") as call:
        assert len(list(call.stream([Odd(), Odd()]))) == 2
    with trace.model_call("m", "p") as call:
        assert list(call.stream(["In ", "Lübeck."])) == ["In ", "Lübeck."]
    answers = recording.of_type("llm_response")
    assert len(answers) == 9
    assert answers[0]["content"]["content"] == {"generations": ["In Lübeck."]}
    assert answers[-1]["content"]["content"] == "In Lübeck."
    said = [record for record in caplog.records if "of no API that whyops knows" in record.getMessage()]
    assert {record.getMessage().split()[4] for record in said} >= {"dict", "int", "list"}
    assert len(said) == len({record.getMessage() for record in said})


def test_answers_of_other_providers_are_read_as_well_as_can_be() -> None:
    """A message that an answer holds, whole or in pieces, with the counts beside it."""
    recording = Recording()
    trace = recording.trace("trace-1")
    counts = {"prompt_eval_count": 3, "eval_count": 4}
    ollama = {"model": "llama", "message": {"role": "assistant", "content": "In Lübeck."}, "done_reason": "stop", **counts}
    bedrock = {"output": {"message": {"role": "assistant", "content": [{"text": "In Lübeck."}]}}, "stopReason": "end_turn"}
    for given in (ollama, {**bedrock, "usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}}):
        with trace.model_call("m", "p", MESSAGES) as call:
            call.answer(given)
    pieces = [{"message": {"content": piece}, "done": False} for piece in ("In ", "Lübeck.")]
    with trace.model_call("m", "p", MESSAGES) as call:
        assert len(list(call.stream([*pieces, {**ollama, "message": {"role": "assistant", "content": ""}}]))) == 3
    told = [(recorded.usage.total, recorded.finish_reason) for recorded in calls_in(recording)]
    assert told == [(7, "stop"), (7, "end_turn"), (7, "stop")]
    assert [recorded.answer for recorded in calls_in(recording)] == ["In Lübeck."] * 3


def test_a_stream_that_is_longer_than_what_is_kept_is_told_with_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first chunks and its last ones are kept, and the answer says that some are left out."""
    monkeypatch.setattr("whyops._recording.followed_stream.MOST_CHUNKS", 50)
    recording = Recording()

    async def read() -> None:
        async with ask(recording) as call:
            assert len([chunk async for chunk in call.stream(chunks_later(*"x" * 500))]) == 501

    with ask(recording) as call:
        assert len(list(call.stream(chunks(*"x" * 500)))) == 501
    asyncio.run(read())
    for event in recording.of_type("llm_response"):
        assert event["metadata"]["chunksLeftOut"] is True
        assert 140 < len(event["content"]["content"]) < 200
        assert event["content"]["finishReason"] == "stop"
