"""What agent frameworks put into a tool's call by themselves: contexts of runs, runtimes, agents, managers of callbacks.

Nobody chose these arguments, and each leads to everything else: dependencies, clients, the whole history. They are recognized by the
names of their classes and of the packages that define them; no framework is imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from operator import attrgetter
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, ForwardRef, Union, get_args, get_origin

from .._runtime.safely import Failed, safely
from .class_fields import mro, package_of, short_name
from .redaction.regex import Pattern

if TYPE_CHECKING:
    import inspect

_CLASSES = frozenset(
    {
        ("agents", "RunContextWrapper"),  # OpenAI's
        ("agno", "Agent"),
        ("agno", "RunContext"),
        ("agno", "Team"),
        ("autogen_core", "CancellationToken"),
        ("fastmcp", "Context"),
        ("google", "InvocationContext"),  # ADK's
        ("google", "ReadonlyContext"),
        ("haystack", "State"),
        ("langchain_core", "BaseCallbackManager"),
        ("langchain_core", "InjectedToolArg"),
        ("langchain_core", "RunManagerMixin"),
        ("langchain_core", "RunnableConfig"),
        ("langgraph", "BaseStore"),
        ("langgraph", "Runtime"),
        ("langgraph", "ToolRuntime"),
        ("livekit", "RunContext"),
        ("llama_index", "Context"),
        ("mcp", "Context"),
        ("pydantic_ai", "RunContext"),
        ("semantic_kernel", "Kernel"),
        ("strands", "Agent"),
        ("strands", "ToolContext"),
        ("workflows", "Context"),  # LlamaIndex's
    }
)

_WRITTEN = Pattern(
    r"\b(RunContext|RunContextWrapper|ToolContext|CallbackContext|InvocationContext|ReadonlyContext|ToolRuntime"
    r"|RunnableConfig|Injected[A-Z]\w*|\w*CallbackManager(?:For\w+)?)\b"
)
"""How the types are written where an annotation is text that can't be resolved. Names that a program's own types may have are left out."""


def is_injected_class(kind: type) -> bool:
    """Tell whether a class, or one that it derives from, is one of those that frameworks inject."""
    return any((package_of(each), short_name(each)) in _CLASSES for each in mro(kind))


def is_injected(parameter: inspect.Parameter) -> bool:
    """Tell whether a parameter is annotated as one that a framework fills in."""
    return any(_is_injected(each) for each in _alternatives(parameter.annotation))


def _alternatives(annotation: object) -> Iterator[Any]:
    """Yield the annotation itself; of a union each part, of `Annotated` the type and the types of its metadata, of an alias its value."""
    origin = get_origin(annotation)
    if origin is Union or origin is UnionType:
        yield from chain.from_iterable(map(_alternatives, get_args(annotation)))
    elif origin is Annotated:
        kind, *notes = get_args(annotation)
        yield from _alternatives(kind)
        yield from (note if isinstance(note, type) else type(note) for note in notes)
    elif type(origin or annotation).__name__ == "TypeAliasType":
        value = safely(attrgetter("__value__"), origin or annotation)  # worked out only now, and may fail
        if not isinstance(value, Failed):
            yield from _alternatives(value)
    else:
        yield origin or annotation


def _is_injected(annotation: object) -> bool:
    text = annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else annotation
    if isinstance(text, str):
        return _WRITTEN.search(text) is not None
    return isinstance(annotation, type) and is_injected_class(annotation)
