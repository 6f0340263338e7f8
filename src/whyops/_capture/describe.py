"""Functions → the tools of an agent's metadata."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any, get_type_hints

from ..types import AgentTool
from .plan import hidden_parameters

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
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in _RECEIVERS or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if any(rule(parameter) for rule in hidden_parameters):
            continue
        properties[parameter.name] = _schema(annotations.get(parameter.name, Any))
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
    target = function if inspect.isroutine(function) else type(function).__call__
    try:
        return get_type_hints(target, include_extras=True)
    except (NameError, TypeError):
        return dict(getattr(target, "__annotations__", {}))


def _schema(annotation: Any) -> dict[str, Any]:
    from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter  # noqa: PLC0415  (slow to import, and rarely used)

    if annotation is inspect.Parameter.empty or annotation is Any or isinstance(annotation, str):
        return {}
    try:
        return TypeAdapter(annotation).json_schema()
    except (PydanticSchemaGenerationError, PydanticUserError):
        return {}
