"""Ask LlamaIndex a question, and see what it looked up, what the model was asked and what it answered.

Needs, in a clone, `pip install '.[llama-index]'`. Run it, then look at it with `whyops show last`. The model and its embeddings are
scripted, so that this runs without a key and without a network.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from llama_index.core import VectorStoreIndex, set_global_tokenizer
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.llms import CompletionResponse, CustomLLM, LLMMetadata
from llama_index.core.llms.callbacks import llm_completion_callback
from llama_index.core.schema import TextNode

from whyops.integrations.llama_index import instrument

ANSWER = "Returns are free for 30 days."


class ScriptedModel(CustomLLM):
    """Answers as a model did once, word by word."""

    @property
    def metadata(self) -> LLMMetadata:
        """Say who answers."""
        return LLMMetadata(model_name="scripted-1")

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponse:  # noqa: ARG002, FBT001, FBT002  (as LlamaIndex calls it)
        """Answer at once."""
        return CompletionResponse(text=ANSWER)

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **_: Any) -> Generator[CompletionResponse, None, None]:  # noqa: ARG002, FBT001, FBT002
        """Answer word by word."""
        words = ANSWER.split()
        return (CompletionResponse(text=" ".join(words[: i + 1]), delta=f"{word} ") for i, word in enumerate(words))


def main() -> None:
    """Ask once; the query is one trace."""
    instrument()
    set_global_tokenizer(str.split)  # LlamaIndex would fetch one

    pages = [
        TextNode(text="Returns are free within 30 days of delivery.", metadata={"page": 4}),
        TextNode(text="Parcels to Norway take five days.", metadata={"page": 7}),
    ]
    index = VectorStoreIndex(pages, embed_model=MockEmbedding(embed_dim=8))
    engine = index.as_query_engine(llm=ScriptedModel(), streaming=True)

    response = engine.query("Can I send it back?")
    print(response)  # it is read here, after the query has returned, and still belongs to the query's trace
    print("\nNow run: whyops show last")


if __name__ == "__main__":
    main()
