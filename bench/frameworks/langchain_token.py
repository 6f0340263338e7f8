"""A streamed token of LangChain's, as a model's class tells its handlers of it."""

from __future__ import annotations

import time

from handlers import Listening
from langchain_core.callbacks import CallbackManager
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, LLMResult

TOKENS = 5_000
_CHUNKS = [ChatGenerationChunk(message=AIMessageChunk(content=f"word{number % 10} ")) for number in range(TOKENS)]


def sample(listening: Listening) -> float:
    """Tell of the tokens of one answer; return the microseconds of one token, without the beginning and the end."""
    manager = CallbackManager.configure(inheritable_callbacks=listening.callbacks)
    (run,) = manager.on_chat_model_start({}, [[HumanMessage("Tell a story.")]], invocation_params={"model": "scripted-1"})
    began = time.thread_time()
    for chunk in _CHUNKS:
        run.on_llm_new_token(chunk.text, chunk=chunk)
    took = time.thread_time() - began
    run.on_llm_end(LLMResult(generations=[[ChatGeneration(message=AIMessage("A story."))]]))
    listening.deliver()
    return took * 1e6 / TOKENS
