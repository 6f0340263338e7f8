"""Functions → the tools of an agent's metadata."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any, get_type_hints

from .._runtime.safely import safely_or
from ..types import AgentTool
from .arguments import hidden_parameters
from .parameters import annotations_of, parameters_of

_RECEIVERS = ("self", "cls")


def describe_tools(*functions: Callable[..., Any]) -> list[AgentTool]:
    """Return `functions` as the `tools` of an agent's metadata: name, description (the docstring), and both schemas as JSON strings.

    What has no annotation, or one that no schema can be made of, is described as any value. Describing other tools makes a new version of
    the agent on the service, which is why this is never done by itself.
    """
    return [_describe(function) for function in functions]


def _describe(function: Callable[..., Any]) -> AgentTool:
    name = getattr(function, "__name__", type(function).__name__)
    annotations = _annotations(function)
    named = [p for p in parameters_of(function) if p.name not in _RECEIVERS and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    meant = [p.replace(annotation=annotations.get(p.name, p.empty)) for p in named]
    shown = [p for p in meant if not any(rule(p) for rule in hidden_parameters)]
    schema = {
        "type": "object",
        "properties": {p.name: _schema(p.annotation) for p in shown},
        "required": [p.name for p in shown if p.default is p.empty],
    }
    return {
        "name": name,
        "description": inspect.getdoc(function) or name,
        "inputSchema": json.dumps(schema),
        "outputSchema": json.dumps(_schema(annotations.get("return", Any))),
    }


def _annotations(function: Callable[..., Any]) -> dict[str, Any]:
    """Return what the annotations mean: of all together, names inside of names too; where that fails, of each alone."""
    together = functools.partial(get_type_hints, include_extras=True)
    hints = safely_or(together, function, None) if isinstance(function, (FunctionType, MethodType)) else None
    return annotations_of(function) if hints is None else hints


def _schema(annotation: Any) -> dict[str, Any]:
    from pydantic import TypeAdapter  # noqa: PLC0415  (slow to import, and rarely used)

    if annotation is inspect.Parameter.empty or annotation is Any or isinstance(annotation, str):
        return {}
    return safely_or(lambda each: TypeAdapter(each).json_schema(), annotation, {})
