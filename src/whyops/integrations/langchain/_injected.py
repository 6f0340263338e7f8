"""What LangChain and LangGraph put into a tool's call by themselves, and what they steer with: neither arguments nor errors."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.callbacks.base import RunManagerMixin
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import InjectedToolArg

from ..._capture import exceptions, plan

_BY_NAME = frozenset({"callbacks", "run_manager"})
"""What LangChain hands to a tool's function by the parameter's name."""

_NAMES = re.compile(
    r"\b(Injected[A-Z]\w*|ToolRuntime|Runtime|RunnableConfig|Callbacks|BaseStore|\w*CallbackManager(For\w+)?|StreamWriter)\b"
)
"""How the types are written where an annotation is text that can't be resolved."""

_RUNTIMES = (("langgraph.runtime", "Runtime"), ("langgraph.prebuilt.tool_node", "ToolRuntime"), ("langgraph.store.base", "BaseStore"))


def is_injected(parameter: inspect.Parameter) -> bool:
    """Tell whether a tool's parameter is filled in by the framework: graph state, store, runtime, config, callbacks, the call's id."""
    annotation = parameter.annotation
    if annotation is parameter.empty:
        return parameter.name in _BY_NAME
    if isinstance(annotation, str):
        return _NAMES.search(annotation) is not None
    return any(_is_injected_type(each) for each in _alternatives(annotation))


def is_control_flow(error: BaseException) -> bool:
    """Tell whether LangGraph steers with the exception: an interrupt, a command to the parent graph, or any other of that kind.

    LangGraph is not imported: where it is not loaded, no such exception can have been raised.
    """
    module = sys.modules.get("langgraph.errors")
    kind = getattr(module, "GraphBubbleUp", None)
    return isinstance(kind, type) and isinstance(error, kind)


def register() -> None:
    """Let capture know the rules, once."""
    if is_injected not in plan.hidden_parameters:
        plan.hidden_parameters.append(is_injected)
        exceptions.control_flow.append(is_control_flow)


def _alternatives(annotation: object) -> Iterator[Any]:
    """Give the annotation itself, or each part of a union or of a list of unions."""
    if get_origin(annotation) in (Union, UnionType):
        for part in get_args(annotation):
            yield from _alternatives(part)
    else:
        yield annotation


def _is_injected_type(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        kind, *notes = get_args(annotation)
        return any(_is_a(note if isinstance(note, type) else type(note), InjectedToolArg) for note in notes) or _is_injected_type(kind)
    kind = get_origin(annotation) or annotation
    if kind is RunnableConfig:
        return True
    return _is_a(kind, BaseCallbackManager, RunManagerMixin, InjectedToolArg, *_loaded_runtimes())


def _is_a(kind: object, *classes: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, classes)


def _loaded_runtimes() -> Iterator[type]:
    """Give LangGraph's classes of injected things, as far as they are loaded: a function can't be annotated with any other."""
    for module, name in _RUNTIMES:
        kind = getattr(sys.modules.get(module), name, None)
        if isinstance(kind, type):
            yield kind
