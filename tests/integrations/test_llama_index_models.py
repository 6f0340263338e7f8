"""LlamaIndex's models: each call is recorded once, whatever way it is made, and streams at their real end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.llms import MockLLM

import whyops
from tests.integrations.llama_index_models import ScriptedLLM, in_turn
from whyops import _guard
from whyops.integrations.llama_index import _dispatch, instrument
from whyops.testing import Captured, capture

ASKED = [ChatMessage(role="system", content="Be kind."), ChatMessage(role="user", content="Hello?")]
WAYS = ["chat", "stream_chat", "achat", "astream_chat", "complete", "stream_complete", "acomplete", "astream_complete"]
STREAMS = [way for way in WAYS if "stream" in way]


@pytest.fixture
def captured(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Captured]:
    """Record in memory what LlamaIndex does. LlamaIndex swallows what a handler raises: a fault of ours shows as a warning."""
    monkeypatch.setattr(_guard, "reraise", False)
    with caplog.at_level(logging.WARNING, "whyops"), capture() as captured, instrument():
        yield captured
    assert not [record.getMessage() for record in caplog.records if record.name == "whyops"]
    assert len(_dispatch._spans) == 0


def ask(llm: MockLLM | ScriptedLLM, way: str, prompt: list[ChatMessage] | None = None) -> str:
    """Ask a model one way, read the answer to its end, and return it."""
    given = (prompt or ASKED) if "chat" in way else "Hello?"

    async def asynchronously() -> str:
        answer = await getattr(llm, way)(given)
        if "stream" in way:
            return [chunk async for chunk in answer][-1]
        return answer

    if way.startswith("a"):
        return str(asyncio.run(asynchronously()))
    answer = getattr(llm, way)(given)
    return str(list(answer)[-1] if "stream" in way else answer)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [MockLLM, ScriptedLLM])
def test_a_call_is_recorded_once(kind: type, way: str, captured: Captured) -> None:
    """A class that makes `achat` of `chat` and `chat` of `complete` starts up to three times for one call; so does its stream, later."""
    llm = MockLLM() if kind is MockLLM else ScriptedLLM(script=in_turn("Hi there."))
    ask(llm, way)
    assert [event["eventType"] for event in captured.events] == ["user_message", "llm_response"]
    assert len({event["traceId"] for event in captured.events}) == 1
