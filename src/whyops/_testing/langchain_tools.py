"""LangChain's tools while a run is replayed: each runs as it does, but for its own work."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from langchain_core.tools import BaseTool, ToolException

from .._recording.tool import observer_of
from .._trace.steps import ToolCall
from .._wire.values import as_mapping
from ..integrations.langchain._results import arguments_of
from .given import Given
from .replaying import Replaying

_GIVEN = "_whyops_given"
_FUNCTIONS = ("func", "coroutine")
_COMMAND = frozenset({"graph", "goto", "updated", "result", "resume"})


@contextmanager
def replaced(running: Callable[[], Replaying | None]) -> Iterator[None]:
    """Let LangChain's tools give back what the replay says that is running where they are called, inside the block."""
    run, arun = BaseTool.run, BaseTool.arun

    @functools.wraps(run)
    def replayed_run(self: BaseTool, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        return run(_stand_in(self, tool_input, running()), tool_input, *args, **kwargs)

    @functools.wraps(arun)
    async def replayed_arun(self: BaseTool, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        return await arun(_stand_in(self, tool_input, running()), tool_input, *args, **kwargs)

    BaseTool.run, BaseTool.arun = replayed_run, replayed_arun  # type: ignore[method-assign]
    try:
        yield
    finally:
        BaseTool.run, BaseTool.arun = run, arun  # type: ignore[method-assign]


def _stand_in(tool: BaseTool, tool_input: Any, replay: Replaying | None) -> BaseTool:
    """Return a copy of the tool that gives what the recorded run holds; the tool itself, where its function is recorded by itself."""
    if replay is None or any(observer_of(getattr(tool, name, None)) is not None for name in _FUNCTIONS):
        return tool
    inputs = tool._filter_injected_args(tool_input) if isinstance(tool_input, dict) else None  # noqa: SLF001  (as `run` asks it)
    copy: BaseTool = tool.model_copy()
    vars(copy)[_GIVEN] = functools.partial(_given, tool, replay, arguments_of(inputs, tool_input))
    copy.__class__ = _class_for(type(tool))
    return copy


def _given(tool: BaseTool, replay: Replaying, arguments: dict[str, object]) -> Any:
    given = replay.call(tool.name, arguments, _trouble)
    if given.failed:
        raise ToolException(as_mapping(given.value).get("error", given.value))
    value = given.result()
    if tool.response_format != "content_and_artifact" or isinstance(value, tuple):
        return value
    told = as_mapping(value)
    return (told["result"], told["artifact"]) if told.keys() == {"result", "artifact"} else (value, None)


def _trouble(call: ToolCall, given: Given) -> str:
    """Return what is not recorded whole of what LangChain's tools give: a Command's update is told by its names alone."""
    value = given.value
    if isinstance(value, dict) and "updated" in value and value.keys() <= _COMMAND:
        return f"{call.name} gave a Command, of which the recorded run has the names of what it updated alone."
    return ""


@functools.lru_cache
def _class_for(kind: type[BaseTool]) -> type[BaseTool]:
    def give(self: Any, *_: Any, **__: Any) -> Any:
        return self.__dict__[_GIVEN]()

    async def agive(self: Any, *_: Any, **__: Any) -> Any:
        return self.__dict__[_GIVEN]()

    return type(kind.__name__, (kind,), {"__module__": kind.__module__, "_run": give, "_arun": agive})
