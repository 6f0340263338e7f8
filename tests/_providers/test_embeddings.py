"""Embeddings: texts that were embedded, and how many vectors came back."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from tests._providers.asking import Providers
from tests._recording.recording import Recording
from tests.server.providers import embeddings


@pytest.mark.parametrize("in_base64", [True, False], ids=["base64", "numbers"])
def test_openais_embeddings(providers: Providers, in_base64) -> None:
    """The request and its answer have one span; the vectors are not recorded."""
    providers.server.script.append(embeddings.answer([[0.5, 0.25, 0.125], [1.0, 2.0, 3.0]], in_base64=in_base64))
    texts = ["Where is it?", "Here."]
    with providers.trace.model_call("text-embedding-3-small", "openai", texts, embed=True) as call:
        call.answer(providers.openai.embeddings.create(model="text-embedding-3-small", input=texts))
    request, response = providers.recording.events
    assert (request["eventType"], request["content"]) == ("embedding_request", {"input": texts})
    assert (response["content"]["embeddingCount"], response["content"]["firstEmbeddingDimensions"]) == (2, 3)
    assert (response["metadata"]["usage"], response["metadata"]["provider"]) == ({"totalTokens": 6}, "openai")
    assert request["spanId"] == response["spanId"]
    assert "0.125" not in str(providers.recording.lines)


def test_a_request_that_fails_is_an_error_with_its_status(providers: Providers) -> None:
    """It goes on, and nothing came back."""
    with (
        pytest.raises(openai.BadRequestError),
        providers.trace.model_call("text-embedding-3-small", "openai", [], embed=True) as call,
    ):
        call.answer(providers.openai.embeddings.create(model="text-embedding-3-small", input=[]))
    assert [event["eventType"] for event in providers.recording.events] == ["embedding_request", "error"]
    assert providers.recording.only("error")["content"]["status"] == 400


@pytest.mark.parametrize(
    "answer, expected",
    [
        ({"embeddings": [{"values": [1.0, 2.0]}]}, (1, 2)),
        ({"embedding": {"values": [1.0, 2.0, 3.0]}}, (1, 3)),
        ({"embeddings": [[1.0, 2.0], [3.0, 4.0]]}, (2, 2)),
        ([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], (3, 2)),
        ({"data": [{"embedding": "AACAPwAAAEA="}]}, (1, 2)),
        ({"data": []}, (0, 0)),
        ("nothing", (0, 0)),
    ],
    ids=["google", "google's single", "cohere", "lists", "base64", "none", "odd"],
)
def test_vectors_of_other_providers(answer: Any, expected: tuple[int, int]) -> None:
    """Google's, Cohere's, and plain lists are counted alike."""
    recording = Recording()
    with recording.trace("t").model_call("m", "p", "Where is it?", embed=True) as call:
        call.answer(answer)
    content = recording.only("embedding_response")["content"]
    assert (content["embeddingCount"], content["firstEmbeddingDimensions"]) == expected


def test_tokens_in_place_of_texts_are_counted() -> None:
    """Numbers say nothing to a reader."""
    recording = Recording()
    for given in ([1, 2, 3], [[1, 2], [3]], None):
        with recording.trace("t").model_call("m", "p", given, embed=True):
            pass
    inputs = [event["content"]["input"] for event in recording.of_type("embedding_request")]
    assert inputs == [["[3 tokens]"], ["[2 tokens]", "[1 tokens]"], []]
