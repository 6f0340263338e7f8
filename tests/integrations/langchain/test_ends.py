"""How model calls end that come to no end of their own, and what had come of their answers."""

# ruff: noqa: ARG002  (LangChain says what a model's methods take)

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.runnables import RunnableLambda

import whyops
from tests.integrations.langchain.parts import Scripted, ask, hands_config_on, only, types
from whyops.integrations.langchain._runs import open_runs


class Halting(Scripted):
    """Streams these chunks, then fails, or waits for good."""

    chunks: list[AIMessageChunk] = [AIMessageChunk(word) for word in ("Half ", "an ", "answer")]  # noqa: RUF012  (a field of a pydantic model)
    error: Exception | None = None

    def _stream(self, messages: Any, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        yield from (ChatGenerationChunk(message=chunk) for chunk in self.chunks)
        if self.error is not None:
            raise self.error

    async def _astream(self, messages: Any, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in self.chunks:
            yield ChatGenerationChunk(message=chunk)
        if self.error is not None:
            raise self.error
        await asyncio.Event().wait()

    async def _agenerate(self, *args: Any, **kwargs: Any) -> Any:
        await asyncio.Event().wait()


def agent_of(model: Halting) -> Any:
    return create_agent(model, [])


def with_parser(model: Halting) -> Any:
    return RunnableLambda(lambda given: given["messages"]) | model | StrOutputParser()


async def read(runnable: Any, config: Any, **kwargs: Any) -> None:
    async for _ in runnable.astream(ask()["messages"] if isinstance(runnable, Halting) else ask(), config, **kwargs):
        pass


async def cancelled(work: Any) -> None:
    """Run something, and cancel it once it waits."""
    task = asyncio.ensure_future(work)
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@hands_config_on
@pytest.mark.parametrize("made", [agent_of, with_parser])
def test_what_came_of_a_cancelled_stream_inside_another_runnable(captured, handler, made):
    """Told by its tokens alone, the part that came is an answer that is marked as interrupted, and no error."""
    asyncio.run(cancelled(read(made(Halting()), {"callbacks": [handler]}, **({"stream_mode": "messages"} if made is agent_of else {}))))
    assert types(captured) == ["user_message", "llm_response"]
    said = only(captured, "llm_response")
    assert said["content"] == {"content": "Half an answer"}
    assert said["metadata"].get("interrupted") == "CancelledError"
    assert said["metadata"]["timeToFirstTokenMs"] <= said["metadata"]["latencyMs"] + 1


@hands_config_on
def test_what_came_of_a_failed_stream_inside_an_agent(captured, handler):
    """The part that came stands before the error, marked with what cut it off."""
    model = Halting(error=ConnectionError("server went away"))
    with pytest.raises(ConnectionError):
        asyncio.run(read(create_agent(model, []), {"callbacks": [handler]}, stream_mode="messages"))
    assert types(captured) == ["user_message", "llm_response", "error"]
    said = only(captured, "llm_response")
    assert (said["content"], said["metadata"]["interrupted"]) == ({"content": "Half an answer"}, "ConnectionError")


def test_what_came_of_a_stream_of_an_agent_that_fails_in_a_thread(captured, handler):
    """The same without asyncio."""
    agent = create_agent(Halting(error=ConnectionError("server went away")), [])
    with pytest.raises(ConnectionError):
        list(agent.stream(ask(), {"callbacks": [handler]}, stream_mode="messages"))
    assert only(captured, "llm_response")["content"] == {"content": "Half an answer"}
    assert len(captured.of_type("error")) == 1


@hands_config_on
def test_a_sequences_stream_that_its_reader_leaves(captured, handler):
    """LangChain tells the model nothing: the end of the sequence is its end, with what had come."""

    async def main() -> None:
        stream = with_parser(Halting()).astream(ask(), {"callbacks": [handler]})
        await anext(stream)
        await stream.aclose()

    asyncio.run(main())
    said = only(captured, "llm_response")
    assert said["content"]["content"].startswith("Half ")
    assert said["metadata"]["closedEarly"] is True
    assert len(open_runs) == 0


@hands_config_on
def test_a_cancelled_call_ends_with_the_block_around_it(captured, handler):
    """Of a bare call nothing tells the end: that of the trace's block does. It is marked as interrupted, and is no answer."""

    async def main() -> None:
        with whyops.trace("block"):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(Halting().ainvoke("Hi", {"callbacks": [handler]}), 0.05)
            assert types(captured) == ["user_message"]

    asyncio.run(main())
    assert types(captured) == ["user_message", "llm_response"]
    end = only(captured, "llm_response")
    assert (end["content"], end["metadata"]["interrupted"]) == ({}, "CancelledError")
    assert len(open_runs) == 0


@hands_config_on
def test_a_call_that_a_task_waits_for_outlives_the_block(captured, handler):
    """What was started in a block and goes on after it is not called interrupted."""
    goes_on = asyncio.Event

    class Waiting(Scripted):
        event: Any = None

        async def _agenerate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
            await self.event.wait()
            return self._generate(messages)

    async def main() -> None:
        model = Waiting(answers=["late"], event=goes_on())
        with whyops.trace("block"):
            task = asyncio.ensure_future(model.ainvoke("Hi", {"callbacks": [handler]}))
            await asyncio.sleep(0.05)
        model.event.set()
        await task

    asyncio.run(main())
    said = only(captured, "llm_response")
    assert said["content"] == {"content": "late"}
    assert "interrupted" not in said["metadata"]


@hands_config_on
def test_a_stream_that_is_cancelled_before_anything_came(captured, handler):
    """LangChain tells its end, and nothing of an answer: it is an end that is marked as interrupted."""
    asyncio.run(cancelled(read(Halting(chunks=[]), {"callbacks": [handler]})))
    end = only(captured, "llm_response")
    assert (end["content"], end["metadata"]["interrupted"]) == ({}, "CancelledError")
    assert captured.of_type("error") == []


def test_the_first_token_is_one_with_content(captured, handler):
    """Providers begin streams with chunks that hold nothing: these do not count."""
    chunks = [AIMessageChunk(""), AIMessageChunk("", tool_call_chunks=[{"name": "find", "args": "{}", "id": "c", "index": 0}])]
    list(Halting(chunks=[chunks[0]]).stream("Hi", {"callbacks": [handler]}))
    list(Halting(chunks=chunks).stream("Hi", {"callbacks": [handler]}))
    empty, called = captured.of_type("llm_response")
    assert "timeToFirstTokenMs" not in empty["metadata"]
    assert "timeToFirstTokenMs" in called["metadata"]


def test_an_error_before_anything_came_is_no_answer(captured, handler):
    """A failed call leaves its error alone, and the status that a server answered with."""

    class RateLimitError(Exception):
        status_code = 429

    with pytest.raises(RateLimitError):
        list(Halting(chunks=[AIMessageChunk("")], error=RateLimitError("quota")).stream("Hi", {"callbacks": [handler]}))
    assert types(captured) == ["user_message", "error"]
    assert only(captured, "error")["content"]["status"] == 429
