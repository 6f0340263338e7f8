"""What instrumentations of LangChain tell in a way of their own.

OpenInference's tells nothing where a run starts, and makes no span current, since LangChain may tell of a run from another context. What
it knows by then is some frames up the stack.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from itertools import islice
from traceback import walk_stack
from typing import Any

from ._told import from_json

UNATTACHED = frozenset({"openinference.instrumentation.langchain", "opentelemetry.instrumentation.langchain"})
"""Who makes spans of models that are current nowhere; OpenInference's of tools are so too."""

_TRACER = "openinference.instrumentation.langchain._tracer"
_KINDS = {"llm": "LLM", "chat_model": "LLM", "embedding": "EMBEDDING", "tool": "TOOL", "retriever": "RETRIEVER"}
_FRAMES_TO_A_RUN = 16


def starting_kind() -> str | None:
    """Return OpenInference's kind of the run whose span is being started right now; None where it is no call, or not to be found."""
    for frame, _ in islice(walk_stack(sys._getframe(1)), _FRAMES_TO_A_RUN):  # noqa: SLF001  (the documented way to the caller's frame)
        if frame.f_globals.get("__name__") == _TRACER and "run" in frame.f_locals:
            return _KINDS.get(str(getattr(frame.f_locals["run"], "run_type", None)))
    return None


def arguments_in(given: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a tool's arguments: those in what Traceloop's instrumentation tells of a run, or what is given."""
    inputs = given.get("inputs") if given is not None and "input_str" in given else None
    return inputs if isinstance(inputs, dict) else given


def content_in(result: object) -> object:
    """Return what a tool gave: the content of its message, if that is one of LangChain's as JSON, or the result as it is."""
    held = from_json(result)
    if isinstance(held, Mapping) and isinstance(held.get("output"), Mapping) and held.keys() <= {"output", "kwargs"}:
        held = held["output"]
    if not isinstance(held, Mapping):
        return result
    message = held.get("data") if held.get("type") == "tool" else held.get("kwargs") if held.get("type") == "constructor" else None
    return message["content"] if isinstance(message, Mapping) and message.get("content") is not None else result
