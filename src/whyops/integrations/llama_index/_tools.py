"""LlamaIndex's tools: what a call of one is called with and what came of it, and which spans are one and the same call. Pure."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from llama_index.core.tools import BaseTool, FunctionTool, ToolOutput

from ..._providers.said import Said
from ..._recording import arguments
from ..._recording.tool import Observer, observer_of
from ..._wire.names import PROXY_ARGUMENT
from .._shared import mcp
from ._translate import result_of

METHODS = frozenset({"__call__", "acall", "call"})
"""The methods of a tool that LlamaIndex reports as spans."""

_NO_REASON = "The tool reports an error."
_MADE_FOR_STRUCTURED_OUTPUT = "llama_index.core.program"


def tool_name(tool: BaseTool) -> str:
    """Return the name that the model knows the tool by."""
    return tool.metadata.name or type(tool).__name__


def is_the_apps(tool: BaseTool) -> bool:
    """Tell whether the tool is one of the application's: structured output makes one of a pydantic class, which no agent asked for."""
    function = getattr(tool, "_real_fn", None)
    return not str(getattr(function, "__module__", "")).startswith(_MADE_FOR_STRUCTURED_OUTPUT)


def is_inside(tool: BaseTool, method: str, outer: BaseTool, outer_method: str) -> bool:
    """Tell whether a tool's method is called by the way in which LlamaIndex hands one call down.

    `__call__` goes on to `call`; the adapter for async code goes from `acall` to `call`, and from there to the tool that it adapts. A tool
    of another kind may make its `acall` of its `call`; a FunctionTool never does.
    """
    if getattr(outer, "base_tool", None) is tool:
        return outer_method == "call"
    if outer is not tool or method != "call":
        return False
    return outer_method == "__call__" or (outer_method == "acall" and not isinstance(tool, FunctionTool))


def observers_of(tool: BaseTool) -> list[Observer]:
    """Return what records the tool's own function by itself, because it carries `@whyops.tool`."""
    functions = [getattr(tool, name, None) for name in ("_real_fn", "_fn", "_async_fn")]
    if not any(functions):
        functions = [getattr(getattr(type(tool), name, None), "__wrapped__", None) for name in METHODS]
    return [observer for function in functions if (observer := observer_of(function)) is not None]


def arguments_of(tool: BaseTool, bound: inspect.BoundArguments) -> dict[str, Any]:
    """Return a call's arguments by name, with those that the tool adds, and without the context that is injected."""
    args, kwargs = _given(bound)
    if isinstance(tool, FunctionTool):
        kwargs = {**getattr(tool, "_field_defaults", {}), **getattr(tool, "partial_params", {}), **kwargs}
        named = _opened(tool.real_fn, args, kwargs)
    else:
        named = {**dict(zip(_declared(tool), args, strict=False)), **kwargs}
        if len(args) > len(_declared(tool)):
            named["input" if len(args) == 1 else "args"] = args[0] if len(args) == 1 else list(args)
    hidden = {PROXY_ARGUMENT, getattr(tool, "ctx_param_name", None)}
    return {name: value for name, value in named.items() if name not in hidden}


def outcome_of(result: object) -> tuple[object, object]:
    """Return what a tool reports as its failure without raising, or None; and what it gave, without LlamaIndex's wrapping, or MCP's."""
    output = result if isinstance(result, ToolOutput) else None
    given = result if output is None else output.raw_output
    answer = mcp.answered(given)
    if output is not None and output.is_error:
        return (answer.result if answer else output.content or given) or _NO_REASON, None
    if answer is None:
        return None, result_of(given)
    return (answer.result or _NO_REASON, None) if answer.failed else (None, answer.result)


def _opened(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return arguments by name; those that a function takes as `**kwargs` at the same level: all of an MCP server's tool's are."""
    known = arguments.arguments_of(function)
    named = known.by_name(args, kwargs)
    more = named.pop(known.takes_keywords, None) if known.takes_keywords is not None else None
    return {**more, **named} if isinstance(more, dict) else named


def said_of(result: object, tool_call_id: object) -> Said | None:
    """Return what makes up the message in which an agent tells its model of a result, if that is the text which is recorded."""
    if not isinstance(result, ToolOutput) or not isinstance(result.raw_output, str) or result.content != result.raw_output:
        return None
    return Said("tool", [result.raw_output, tool_call_id])


def _given(bound: inspect.BoundArguments) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return what a method was called with: its catch-alls opened, a parameter with a name of its own by that name."""
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            args = tuple(value)
        elif kind is inspect.Parameter.VAR_KEYWORD:
            kwargs.update(value)
        else:
            kwargs[name] = value
    return args, kwargs


def _declared(tool: BaseTool) -> list[str]:
    """Return the names of the parameters that the model is told of."""
    schema = tool.metadata.fn_schema
    properties = schema.model_fields if schema is not None else {}
    return list(properties) if isinstance(properties, Mapping) else []
