"""What LangChain and LangGraph put into a tool's call by themselves, and what they steer with: neither arguments nor errors."""

from __future__ import annotations

import inspect
import re

from ..._recording.arguments import hidden_parameters
from ..._wire import exceptions

_BY_NAME = frozenset({"callbacks", "run_manager"})
"""What LangChain hands to a tool's function by the parameter's name."""

_NAMES = re.compile(r"\b(Runtime|Callbacks|BaseStore|StreamWriter)\b")
"""How types are written where an annotation is text that can't be resolved, beyond those that are known without this integration."""


def is_injected(parameter: inspect.Parameter) -> bool:
    """Tell whether a tool's parameter is filled in by the framework, where that is not seen by its type."""
    annotation = parameter.annotation
    if annotation is parameter.empty:
        return parameter.name in _BY_NAME
    return isinstance(annotation, str) and _NAMES.search(annotation) is not None


hidden_parameters.append(is_injected)
exceptions.control_flow.append(("langgraph.errors", "GraphBubbleUp"))  # an interrupt, a command to the parent graph, and all of that kind
