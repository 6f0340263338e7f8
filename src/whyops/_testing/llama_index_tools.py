"""LlamaIndex's tools while a run is replayed: a FunctionTool runs as it does, but for its function; another one gives its output."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from llama_index.core import instrumentation
from llama_index.core.tools import BaseTool, FunctionTool, ToolOutput

from .._recording.tool import observer_of
from .._wire.values import as_mapping
from ..integrations.llama_index._tools import arguments_of, tool_name
from .replaying import Replaying

_ANY_CALL = inspect.signature(lambda *args, **kwargs: (args, kwargs))
_Running = Callable[[], "Replaying | None"]
_span = instrumentation.get_dispatcher(__name__).span  # type: ignore[attr-defined]  # it says so nowhere


@contextmanager
def replaced(running: _Running) -> Iterator[None]:
    """Let LlamaIndex's tools give back what the replay says that is running where they are called, inside the block."""
    with ExitStack() as block:
        for name, stand_in in (("_fn", _function), ("_async_fn", _async_function)):
            _set(block, FunctionTool, name, _instead_of_attribute(name, running, stand_in))
        for kind in _subclasses(BaseTool):  # type: ignore[type-abstract]  # it is only asked for those below it
            if not issubclass(kind, FunctionTool) and not inspect.isabstract(kind):
                _replace_methods(block, kind, running)
        yield


def _instead_of_attribute(name: str, running: _Running, stand_in: Callable[..., Any]) -> property:
    def get(self: Any) -> Any:
        replay = running()
        return self.__dict__[name] if replay is None or _is_recorded_itself(self) else stand_in(self, replay)

    return property(get, lambda self, value: self.__dict__.__setitem__(name, value))


def _is_recorded_itself(tool: FunctionTool) -> bool:
    """Tell whether the tool's function is decorated, and so replayed by itself."""
    return any(observer_of(tool.__dict__.get(name)) is not None for name in ("_real_fn", "_fn", "_async_fn"))


def _function(tool: FunctionTool, replay: Replaying) -> Callable[..., Any]:
    return lambda *args, **kwargs: _given(tool, replay, args, kwargs)


def _async_function(tool: FunctionTool, replay: Replaying) -> Callable[..., Any]:
    async def give(*args: Any, **kwargs: Any) -> Any:
        return _given(tool, replay, args, kwargs)

    return give


def _given(tool: BaseTool, replay: Replaying, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    bound = _ANY_CALL.bind(*args, **kwargs)
    function = tool.__dict__.get("_real_fn")
    given = replay.call(tool_name(tool), arguments_of(tool, bound))
    return (given.as_annotated(function, ()) if function is not None else given).result()


def _replace_methods(block: ExitStack, kind: type[BaseTool], running: _Running) -> None:
    """Replace those methods that a class defines by ones that give the output, under a span of the same name."""
    own = vars(kind)
    for name in ("__call__", "call", "acall"):
        if name in own:
            _set(block, kind, name, (_async_method if name == "acall" else _method)(own[name], name, running))


def _method(original: Any, name: str, running: _Running) -> Any:
    def method(self: BaseTool, *args: Any, **kwargs: Any) -> Any:
        replay = running()
        return original(self, *args, **kwargs) if replay is None else spanned.__get__(self, type(self))(*args, **kwargs)

    def give(self: BaseTool, *args: Any, **kwargs: Any) -> ToolOutput:
        return _output(self, args, kwargs, running())

    spanned = _named(give, name)
    return method


def _async_method(original: Any, name: str, running: _Running) -> Any:
    async def method(self: BaseTool, *args: Any, **kwargs: Any) -> Any:
        replay = running()
        return await (original(self, *args, **kwargs) if replay is None else spanned.__get__(self, type(self))(*args, **kwargs))

    async def give(self: BaseTool, *args: Any, **kwargs: Any) -> ToolOutput:
        return _output(self, args, kwargs, running())

    spanned = _named(give, name)
    return method


def _named(function: Callable[..., Any], name: str) -> Any:
    function.__name__ = function.__qualname__ = name
    return _span(function)


def _output(tool: BaseTool, args: tuple[Any, ...], kwargs: dict[str, Any], replay: Replaying | None) -> ToolOutput:
    assert replay is not None  # noqa: S101  (it was there a moment ago)
    value = _given(tool, replay, args, kwargs)
    content = str(as_mapping(value).get("response", value))  # of a query engine the answer, which the model is told
    return ToolOutput(content=content, tool_name=tool_name(tool), raw_input={"args": args, "kwargs": kwargs}, raw_output=value)


def _set(block: ExitStack, kind: type, name: str, value: object) -> None:
    own = vars(kind)
    if name in own:
        block.callback(setattr, kind, name, own[name])
    else:
        block.callback(delattr, kind, name)
    setattr(kind, name, value)


def _subclasses(kind: type[BaseTool]) -> Iterator[type[BaseTool]]:
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)
