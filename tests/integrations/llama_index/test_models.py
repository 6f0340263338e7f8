"""LlamaIndex's models: each call is recorded once, whatever way it is made, and a stream at its real end."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Generator
from contextlib import aclosing
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ImageBlock, MessageRole
from llama_index.core.bridge.pydantic import BaseModel
from llama_index.core.llms import MockLLM
from llama_index.core.llms.callbacks import llm_chat_callback

import whyops
from tests.integrations.llama_index.scripted import ScriptedLLM, calls, embedding, in_turn
from whyops.integrations.llama_index import _dispatch, instrument
from whyops.testing import Captured

ASKED = [ChatMessage(role="system", content="Be kind."), ChatMessage(role="user", content="Hello?")]
WAYS = ["chat", "stream_chat", "achat", "astream_chat", "complete", "stream_complete", "acomplete", "astream_complete"]
STREAMS = [way for way in WAYS if "stream" in way]
MODELS: list[Callable[[], Any]] = [MockLLM, lambda: ScriptedLLM(script=in_turn("Hi there you."))]


def ask(llm: Any, way: str, prompt: Any = None, chunks: int | None = None) -> None:
    """Ask a model one way, and read the answer to its end, or its first chunks and then close it."""
    given = prompt or (ASKED if "chat" in way else "Hello?")
    asyncio.run(_asynchronously(llm, way, given, chunks)) if way.startswith("a") else _synchronously(llm, way, given, chunks)


def _synchronously(llm: Any, way: str, given: Any, chunks: int | None) -> None:
    answer = getattr(llm, way)(given)
    if "stream" in way:
        for i, _ in enumerate(answer):
            if i + 1 == chunks:
                break
        answer.close()


async def _asynchronously(llm: Any, way: str, given: Any, chunks: int | None) -> None:
    answer = await getattr(llm, way)(given)
    if "stream" in way:
        async with aclosing(answer):
            seen = 0
            async for _ in answer:
                seen += 1
                if seen == chunks:
                    break


def types(captured: Captured) -> list[str]:
    """Return the types of all events."""
    return [event["eventType"] for event in captured.events]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", MODELS, ids=["MockLLM", "native"])
def test_a_call_is_recorded_once(make: Callable[[], Any], way: str, captured: Captured) -> None:
    """A class that makes `achat` of `chat` and `chat` of `complete` starts up to three times for one call; so does its stream, later."""
    ask(make(), way)
    asked, answered = captured.events
    assert types(captured) == ["user_message", "llm_response"]
    assert asked["traceId"] == answered["traceId"]
    assert asked["content"][-1] == {"role": "user", "content": "Hello?"}
    assert isinstance(answered["metadata"]["latencyMs"], int)
    assert ("timeToFirstTokenMs" in answered["metadata"]) == ("stream" in way)


@pytest.mark.parametrize("way", STREAMS)
@pytest.mark.parametrize("make", MODELS, ids=["MockLLM", "native"])
def test_a_stream_left_early_is_recorded_with_what_came(make: Callable[[], Any], way: str, captured: Captured) -> None:
    """The text so far, and that it was closed; no error."""
    ask(make(), way, chunks=2)
    (answered,) = captured.of_type("llm_response")
    assert types(captured) == ["user_message", "llm_response"]
    assert answered["metadata"]["closedEarly"] is True
    if make is not MockLLM:  # which gives its whole text with each chunk
        assert answered["content"]["content"] == "Hi there"


def test_a_stream_collected_unread_but_begun_is_recorded_too(captured: Captured) -> None:
    """Dropping the generator is closing it."""
    stream = ScriptedLLM(script=in_turn("Hi there you.")).stream_chat(ASKED)
    next(stream)
    del stream
    gc.collect()
    assert captured.of_type("llm_response")[0]["content"]["content"] == "Hi"


def test_a_stream_that_is_never_read_is_forgotten(captured: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """LlamaIndex tells no end of it: a cap and an expiry keep the state bounded."""
    monkeypatch.setattr(_dispatch._spans._calls, "_most", 10)
    llm = ScriptedLLM(script=lambda _: "Hi.")
    for _ in range(50):
        llm.stream_chat(ASKED)
    assert len(_dispatch._spans) == 10
    assert types(captured) == ["user_message"] * 50
    _dispatch._spans.forget()


def test_a_stream_that_breaks_is_what_came_and_one_error(captured: Captured) -> None:
    """The exception goes on; the partial answer says that it was interrupted."""
    llm = ScriptedLLM(script=in_turn("Hi there you."), breaks_after=2)
    with pytest.raises(ConnectionError):
        ask(llm, "astream_chat")
    answered, error = captured.events[1:]
    assert answered["content"] == {"content": "Hi there"}
    assert answered["metadata"]["interrupted"] == "ConnectionError"
    assert error["content"]["message"] == "the stream broke"
    assert error["traceId"] == answered["traceId"]


@pytest.mark.parametrize("way", WAYS)
def test_a_call_that_fails_is_one_error(way: str, captured: Captured) -> None:
    """However many spans the exception passes through, and no answer is made up; it says which model failed."""
    llm = ScriptedLLM(script=in_turn(ValueError("no such model")))
    with pytest.raises(ValueError, match="no such model"):
        ask(llm, way)
    assert types(captured) == ["user_message", "error"]
    assert captured.events[1]["metadata"]["model"] == llm.metadata.model_name


def test_a_cancelled_call_is_no_error(captured: Captured) -> None:
    """The model was asked; that it was interrupted is no answer, and is said."""

    class Slow(ScriptedLLM):
        @llm_chat_callback()
        async def achat(self, _messages: Any, **_: Any) -> Any:
            await asyncio.sleep(30)

    async def cancelled() -> None:
        task = asyncio.create_task(Slow(script=None).achat(ASKED))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert types(captured) == ["user_message", "llm_response"]
    assert captured.events[1]["content"] == {}
    assert captured.events[1]["metadata"]["interrupted"] == "CancelledError"


class Hesitant(ScriptedLLM):
    """Says first who speaks, as OpenAI's streams do, and the rest later or never."""

    def _chunks(self, message: ChatMessage) -> Generator[ChatResponse, None, None]:
        yield ChatResponse(message=ChatMessage(role="assistant", content=""), delta="")
        if self.breaks_after == 0:
            raise ConnectionError("the stream broke")
        time.sleep(0.02)
        yield from super()._chunks(message)


@pytest.mark.parametrize("way", ["stream_chat", "astream_chat"])
def test_the_first_token_is_the_first_with_content(way: str, captured: Captured) -> None:
    """A chunk that only says who speaks is none."""
    ask(Hesitant(script=in_turn("Hi you.")), way)
    assert captured.of_type("llm_response")[0]["metadata"]["timeToFirstTokenMs"] >= 20


@pytest.mark.parametrize("way", ["stream_chat", "astream_chat"])
def test_there_is_no_empty_answer_before_an_error(way: str, captured: Captured) -> None:
    """A stream that broke before anything was said has none."""
    with pytest.raises(ConnectionError):
        ask(Hesitant(script=in_turn("Hi you."), breaks_after=0), way)
    assert types(captured) == ["user_message", "error"]


def test_the_same_messages_asked_at_once_are_so_many_calls(captured: Captured) -> None:
    """Best of three is three calls, also where all three streams are opened before the first is read."""
    llm = ScriptedLLM(script=lambda _: "Hi.")

    async def best_of_three() -> None:
        streams = [await llm.astream_chat(ASKED) for _ in range(3)]
        for stream in streams:
            async for _ in stream:
                pass
        await asyncio.gather(*[llm.achat(ASKED) for _ in range(3)])

    asyncio.run(best_of_three())
    assert types(captured).count("llm_response") == 6


def test_what_goes_along_with_a_prompt(captured: Captured) -> None:
    """System prompt, tools and parameters stand in the metadata, messages in the content, with pictures in bounds."""
    picture = ChatMessage(role="user", blocks=[ImageBlock(image=b"x" * 30_000, image_mimetype="image/png")])
    ScriptedLLM(script=in_turn("A cat.")).chat(
        [ASKED[0], picture], tools=[{"type": "function", "function": {"name": "look", "parameters": {}}}], top_p=0.1
    )
    (asked,) = captured.of_type("user_message")
    assert asked["metadata"]["systemPrompt"] == "Be kind."
    assert asked["metadata"]["tools"] == [{"name": "look", "parameters": {}}]
    assert asked["metadata"]["params"] == {"temperature": 0.5, "top_p": 0.1}
    (part,) = asked["content"][1]["content"]
    assert part["type"] == "image"
    assert len(str(part)) < 1000


@pytest.mark.parametrize("last", [MessageRole.TOOL, MessageRole.FUNCTION, MessageRole.ASSISTANT])
def test_a_prompt_that_ends_in_no_users_words_is_no_message_of_the_user(last: MessageRole, captured: Captured) -> None:
    """A tool's result is none: without `capture_prompts` nothing is recorded of it."""
    with instrument(capture_prompts=False):
        ScriptedLLM(script=in_turn("Done.")).chat([*ASKED, ChatMessage(role=last, content="42")])
    assert types(captured) == ["llm_response"]


def test_an_answer_with_tool_calls(captured: Captured) -> None:
    """Arguments are JSON text."""
    ScriptedLLM(script=in_turn(calls(("add", {"a": 1})))).chat(ASKED)
    (answered,) = captured.of_type("llm_response")
    called = {"name": "add", "arguments": '{"a": 1}'}
    assert answered["content"]["toolCalls"] == [{"id": "call-0", **called, "function": called}]


OPENAI = {
    "choices": [{"finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "prompt_tokens_details": {"cached_tokens": 4}},
}
ANTHROPIC = {"stop_reason": "end_turn", "usage": {"input_tokens": 6, "output_tokens": 5, "cache_read_input_tokens": 4}}
GOOGLE = {
    "finish_reason": "STOP",
    "usage_metadata": {"prompt_token_count": 10, "candidates_token_count": 5, "total_token_count": 15, "cached_content_token_count": 4},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "raw, reason", [(OPENAI, "stop"), (ANTHROPIC, "end_turn"), (GOOGLE, "STOP")], ids=["openai", "anthropic", "google"]
)
def test_usage_and_finish_reason_of_each_provider(raw: dict[str, Any], reason: str, way: str, captured: Captured) -> None:
    """`promptTokens` is without the cached ones, whoever counts."""
    ask(ScriptedLLM(script=in_turn("Hi there."), raw=raw), way)
    (answered,) = captured.of_type("llm_response")
    assert answered["content"] == {"content": "Hi there.", "finishReason": reason}
    assert answered["metadata"]["usage"] == {"promptTokens": 6, "completionTokens": 5, "totalTokens": 15, "cacheReadTokens": 4}
    assert answered["metadata"]["model"] == "scripted-1"


def test_thinking_comes_before_the_answer(captured: Captured) -> None:
    """Each block is an event of its own, with its signature."""
    types_ = pytest.importorskip("llama_index.core.base.llms.types")
    if not hasattr(types_, "ThinkingBlock"):
        pytest.skip("this version has no thinking blocks")
    thought = types_.ThinkingBlock(content="Hm.", additional_information={"signature": "s1"})
    reply = ChatMessage(role="assistant", blocks=[thought, types_.TextBlock(text="Yes.")])
    ScriptedLLM(script=in_turn(reply)).chat(ASKED)
    assert types(captured) == ["user_message", "llm_thinking", "llm_response"]
    assert captured.events[1]["content"] == {"type": "thinking", "thinking": "Hm.", "signature": "s1"}
    assert captured.events[2]["content"] == {"content": "Yes."}


class Pet(BaseModel):
    """A pet."""

    name: str


@pytest.mark.parametrize("wrapped", [False, True], ids=["structured_predict", "as_structured_llm"])
def test_structured_output_is_one_model_call_and_no_tool(*, wrapped: bool, captured: Captured) -> None:
    """LlamaIndex makes a tool of the class, and a model of the model: nobody asked for the one, and the other asks no one itself."""
    llm = ScriptedLLM(script=in_turn(calls(("Pet", {"name": "Rex"}))))
    if wrapped:
        assert llm.as_structured_llm(Pet).chat(ASKED).raw == Pet(name="Rex")
    else:
        prompts = pytest.importorskip("llama_index.core.prompts")
        assert llm.structured_predict(Pet, prompts.PromptTemplate("Name it.")) == Pet(name="Rex")
    assert types(captured) == ["user_message", "llm_response"]
    assert captured.events[1]["metadata"]["structured_output"] is True


def test_the_proxys_signature_is_taken_out(captured: Captured) -> None:
    """What the proxy appends is for no reader."""
    ScriptedLLM(script=in_turn("Hi.\u200b\u200c\u200d\u200c\u200d\u200c\u200d\u200c\u200d\u200e")).chat(ASKED)
    assert captured.of_type("llm_response")[0]["content"]["content"] == "Hi."


def test_model_calls_are_left_to_the_proxy_where_that_is_wanted_or_seen(recorded: Captured) -> None:
    """`llm_events=False` leaves them out, and so does the address of the model's own client; errors are recorded all the same."""

    class Proxied(ScriptedLLM):
        api_base: str = "https://proxy.whyops.com/v1"

    with instrument(llm_events=False):
        ask(MockLLM(), "astream_chat")
    with instrument():
        ask(Proxied(script=in_turn("Hi.")), "stream_chat")
        with pytest.raises(ValueError, match="no"):
            Proxied(script=in_turn(ValueError("no"))).chat(ASKED)
    assert types(recorded) == ["error"]


def test_messages_are_recorded_as_they_were_when_the_model_was_asked(captured: Captured) -> None:
    """The application changes its own objects later."""
    message = ChatMessage(role="user", content="before")
    stream = ScriptedLLM(script=in_turn("Hi.")).stream_chat([message])
    message.blocks = []
    list(stream)
    assert captured.of_type("user_message")[0]["content"] == [{"role": "user", "content": "before"}]


def test_a_stream_read_in_another_thread_stays_in_its_trace(captured: Captured) -> None:
    """The end comes wherever the stream is read."""
    with whyops.trace("asked-here"):
        stream = ScriptedLLM(script=in_turn("Hi there.")).stream_chat(ASKED)
    reader = threading.Thread(target=list, args=[stream])
    reader.start()
    reader.join()
    assert {event["traceId"] for event in captured.events} == {"asked-here"}
    assert types(captured) == ["user_message", "llm_response"]


@pytest.mark.parametrize("way", ["get_text_embedding", "get_query_embedding", "get_text_embedding_batch"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_an_embedding_call_is_one_pair(way: str, *, asynchronous: bool, captured: Captured) -> None:
    """Texts, then count, dimensions, model and latency: one pair for a call, however many batches it makes."""
    model = embedding()
    model.embed_batch_size = 2
    given: Any = ["a", "b", "c"] if "batch" in way else "a"
    asyncio.run(getattr(model, f"a{way}")(given)) if asynchronous else getattr(model, way)(given)
    request, response = captured.events
    assert request["content"] == {"input": list(given)}
    assert response["content"] == {
        "object": "list",
        "embeddingCount": len(given),
        "firstEmbeddingDimensions": 3,
        "encodingFormat": "float",
    }
    assert response["spanId"] == request["spanId"]
    assert {"model", "provider", "latencyMs"} <= set(response["metadata"])


def test_a_failing_embedding_is_one_error(captured: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """The texts are known, and the error carries their span."""

    def fails(*_: Any) -> None:
        raise TimeoutError("too slow")

    monkeypatch.setattr("llama_index.core.embeddings.MockEmbedding._get_text_embedding", fails)
    with pytest.raises(TimeoutError):
        embedding().get_text_embedding("a")
    request, error = captured.events
    assert (request["eventType"], error["eventType"]) == ("embedding_request", "error")
    assert request["spanId"] == error["spanId"]


class Refused(Exception):
    """As the providers' clients raise it."""

    def __init__(self, status_code: int) -> None:
        super().__init__("slow down")
        self.status_code = status_code


@pytest.mark.parametrize("way", ["chat", "astream_chat"])
def test_an_error_says_the_status_that_it_knows(way: str, captured: Captured) -> None:
    """Too many requests, say."""
    with pytest.raises(Refused):
        ask(ScriptedLLM(script=in_turn(Refused(429))), way)
    (error,) = captured.of_type("error")
    assert error["content"]["status"] == 429
