"""LlamaIndex's models that ask through a recorded client: each call is recorded once, by the handler where one listens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import openai
import pytest
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.bridge.pydantic import Field
from llama_index.core.callbacks import CallbackManager

from tests.integrations.llama_index.scripted import ScriptedLLM
from tests.integrations.llama_index.test_models import WAYS, ask
from tests.server.unproxied import ModelProvider
from whyops.integrations.llama_index import WhyOpsCallbackHandler
from whyops.testing import Captured


@pytest.fixture(scope="module")
def official() -> Iterator[openai.OpenAI]:
    with ModelProvider() as provider, openai.OpenAI(api_key="sk-1", base_url=f"{provider.origin}/v1") as client:
        yield client


class Asking:
    """A model's script: it asks a client."""

    def __init__(self, client: openai.OpenAI) -> None:
        self.client = client

    def __call__(self, messages: Sequence[ChatMessage]) -> str:
        """Return what the client is told."""
        asked: Any = [{"role": message.role.value, "content": message.content} for message in messages]
        return str(self.client.chat.completions.create(model="m-1", messages=asked).choices[0].message.content)


class Embedding(BaseEmbedding):
    """Embeds with a client, two requests for each text."""

    client: Any = Field(exclude=True)

    def _get_text_embedding(self, text: str) -> list[float]:
        answers = [self.client.embeddings.create(model="m-1", input=[text]) for _ in range(2)]
        return list(answers[-1].data[0].embedding)

    _get_query_embedding = _get_text_embedding

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)


@pytest.mark.parametrize("way", WAYS)
def test_each_call_is_recorded_once(captured: Captured, official: openai.OpenAI, way: str) -> None:
    """By the dispatcher's handler, in each way of asking; another call of the client is one of its own."""
    client = captured.client.openai(official)
    with captured.client.trace("t-1"):
        ask(ScriptedLLM(script=Asking(client)), way)
        client.embeddings.create(model="m-1", input="Hello?")
        Asking(client)([ChatMessage(role="user", content="Mine!")])
    assert [event["eventType"] for event in captured.events] == [
        "user_message",
        "llm_response",
        "embedding_request",
        "embedding_response",
        "user_message",
        "llm_response",
    ]


def test_each_request_of_an_embedding_is_the_handlers(captured: Captured, official: openai.OpenAI) -> None:
    """However many there are."""
    with captured.client.trace("t-1"):
        Embedding(client=captured.client.openai(official)).get_text_embedding("Hello?")
    assert [event["eventType"] for event in captured.events] == ["embedding_request", "embedding_response"]


def test_where_no_handler_listens_the_client_records(recorded: Captured, official: openai.OpenAI) -> None:
    """Outside `instrument`."""
    with recorded.client.trace("t-1"):
        ScriptedLLM(script=Asking(recorded.client.openai(official))).chat([ChatMessage(role="user", content="Hello?")])
    assert [event["eventType"] for event in recorded.events] == ["user_message", "llm_response"]


def test_the_classic_handler_records_once(recorded: Captured, official: openai.OpenAI) -> None:
    """A handler in a callback manager; its embeddings too."""
    client = recorded.client.openai(official)
    manager = CallbackManager([WhyOpsCallbackHandler()])
    with recorded.client.trace("t-1"):
        ScriptedLLM(script=Asking(client), callback_manager=manager).chat([ChatMessage(role="user", content="Hello?")])
        Embedding(client=client, callback_manager=manager).get_text_embedding("Hello?")
    assert [event["eventType"] for event in recorded.events] == ["user_message", "llm_response", "embedding_request", "embedding_response"]
