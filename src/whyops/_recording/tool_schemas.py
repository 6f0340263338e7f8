"""Functions → the tools of an agent's metadata."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any, get_type_hints

from .._runtime.safely import Failed, safely
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
    properties: dict[str, Any] = {}
    required = []
    for parameter in parameters_of(function):
        if parameter.name in _RECEIVERS or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        meant = parameter.replace(annotation=annotations.get(parameter.name, parameter.empty))
        if any(rule(meant) for rule in hidden_parameters):
            continue
        properties[parameter.name] = _schema(meant.annotation)
        if parameter.default is parameter.empty:
            required.append(parameter.name)
    schema = {"type": "object", "properties": properties, "required": required}
    return {
        "name": name,
        "description": inspect.getdoc(function) or name,
        "inputSchema": json.dumps(schema),
        "outputSchema": json.dumps(_schema(annotations.get("return", Any))),
    }


def _annotations(function: Callable[..., Any]) -> dict[str, Any]:
    """Return what the annotations mean: of all together, names inside of names too; where that fails, of each alone."""
    if not isinstance(function, (FunctionType, MethodType)):
        return annotations_of(function)
    hints = safely(lambda each: get_type_hints(each, include_extras=True), function)
    return annotations_of(function) if isinstance(hints, Failed) else hints


def _schema(annotation: Any) -> dict[str, Any]:
    from pydantic import TypeAdapter  # noqa: PLC0415  (slow to import, and rarely used)

    if annotation is inspect.Parameter.empty or annotation is Any or isinstance(annotation, str):
        return {}
    schema = safely(lambda each: TypeAdapter(each).json_schema(), annotation)
    return {} if isinstance(schema, Failed) else schema
