"""`@tool`: the function runs as if the decorator were not there, and each call is recorded.

Four wrappers, one for each kind of function, around one `ToolCallWriter`. The function is called exactly once, outside everything that
guards our own code.
"""

# Annotations are not kept as text here: for the fields of a tuple `typing` would compile them.

import functools
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any, NamedTuple, TypeVar, overload
from weakref import WeakValueDictionary

from .._runtime import guard
from .._wire.exceptions import NOT_CAPTURED
from .._wire.names import PROXY_ARGUMENT
from . import context
from .arguments import Arguments
from .callable_wrapper import OBSERVER, CallableWrapper, wrapper_class
from .frames import Covered, Frame
from .generators import UNCHANGED, RecordedSteps, Steps, async_generator_function, by_kind, generator_function
from .open_generators import open_generators, say_if_streamed
from .tool_call import ToolCallWriter
from .trace_writer import TraceWriter

F = TypeVar("F", bound="Callable[..., Any] | classmethod[Any, Any, Any]")

_FUNCTIONS = ("func", "coroutine")


class Options(NamedTuple):
    """The options of `tool`."""

    name: str | None = None
    capture_arguments: bool = True
    capture_result: bool = True
    ignore: tuple[str, ...] = ()
    expected: tuple[type[BaseException], ...] = ()


@overload
def tool(function: F, /) -> F: ...
@overload
def tool(
    *,
    name: str | None = None,
    capture_arguments: bool = True,
    capture_result: bool = True,
    ignore: str | Iterable[str] = (),
    expected: type[BaseException] | tuple[type[BaseException], ...] = (),
) -> Callable[[F], F]: ...
def tool(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    capture_arguments: bool = True,
    capture_result: bool = True,
    ignore: str | Iterable[str] = (),
    expected: type[BaseException] | tuple[type[BaseException], ...] = (),
) -> Any:
    """Record each call of `function`: a request before it runs, a response after, with arguments by name, result and latency.

    Takes functions and methods, sync and async, generators of both kinds, static and class methods, partials and callable objects; what
    comes back is of the same kind, with the same signature and attributes. Exceptions pass untouched and are recorded. `name` is the
    tool's name, by default the function's. With `capture_arguments` or `capture_result` off, the values are left out; with either off, so
    are the texts of errors, which may quote both: type and place stay. `ignore` names arguments that are not recorded at all, as the
    contexts that agent frameworks pass in never are. `expected` are exceptions by which the function steers its caller, such as
    pydantic-ai's `ModelRetry`: they are the call's result, and no error.

    A call belongs to the trace and span that are current when it starts; for async functions and generators that is their first step, and
    that is also when a wrong call raises its TypeError. Outside any trace it gets a trace of its own if a client is open or a key is set;
    else it only runs.

    Raises:
        ConfigurationError: `ignore` has a name that the function has no parameter for.
        TypeError: `function` can't be called, or an option is of the wrong type.
    """
    options = Options(name, capture_arguments, capture_result, _names(ignore), expected if isinstance(expected, tuple) else (expected,))
    _check(options)
    return functools.partial(_decorate, options=options) if function is None else _decorate(function, options)


def _check(options: Options) -> None:
    if options.name is not None and not isinstance(options.name, str):
        raise TypeError(f"@whyops.tool takes a name as text, not {type(options.name).__name__}")
    if not isinstance(options.capture_arguments, bool) or not isinstance(options.capture_result, bool):
        raise TypeError("@whyops.tool takes True or False for capture_arguments and capture_result")
    if not all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in options.expected):
        raise TypeError("@whyops.tool takes classes of exceptions for expected: one, or a tuple of them")


def _decorate(function: Any, options: Options) -> Any:
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(_decorate(function.__func__, options))
    if _is_frameworks_tool(function):
        return _with_decorated_functions(function, options)
    if not callable(function):
        hint = '; a name is given as @whyops.tool(name="…")' if isinstance(function, str) else ""
        raise TypeError(f"@whyops.tool takes a function or another callable, not {type(function).__name__}{hint}")
    observer = Observer(function, Arguments(function, options.name, options.ignore), options)
    wrapper = by_kind(function, _sync, _async, _generator, _async_generator)(observer)
    if isinstance(function, FunctionType):
        functools.update_wrapper(wrapper, function)
        wrapper.__dict__[OBSERVER] = observer
        return wrapper
    return wrapper_class(type(function))(function, wrapper, observer, functools.partial(_decorate, options=options))


def _names(ignore: object) -> tuple[str, ...]:
    """Return the names of arguments that are given, one as text or several."""
    given: list[Any] = list(ignore) if isinstance(ignore, Iterable) and not isinstance(ignore, str) else [ignore]
    if not all(isinstance(name, str) for name in given):
        raise TypeError("@whyops.tool takes the names of arguments as text for ignore, one or several")
    return tuple(given)


def observer_of(function: object) -> "Observer | None":
    """Return what records the calls of a decorated function, or of a method, partial or well-behaved decorator's wrapper of one."""
    while isinstance(function, functools.partial) and not isinstance(function, CallableWrapper):
        function = function.func
    observer = getattr(function, OBSERVER, None)
    return observer if observer is not None and isinstance(observer, Observer) else None


def _is_frameworks_tool(function: Any) -> bool:
    """Tell whether this is a tool object around a function, as LangChain makes them, told by what such an object can do."""
    return callable(getattr(type(function), "model_copy", None)) and any(callable(getattr(function, field, None)) for field in _FUNCTIONS)


def _with_decorated_functions(tool: Any, options: Options) -> Any:
    """Return a copy of a framework's tool object with its functions decorated: an agent needs the object, not a function."""
    options = options._replace(name=options.name or getattr(tool, "name", None))
    functions = {field: getattr(tool, field, None) for field in _FUNCTIONS}
    undecorated = {field: each for field, each in functions.items() if callable(each) and observer_of(each) is None}
    return tool.model_copy(update={field: _decorate(each, options) for field, each in undecorated.items()})


class Observer:
    """Begins to record a call, in the trace that is current or in one that the call names.

    A call that a framework's handler records already, as the one of a tool around this function, gets no second span.
    """

    __slots__ = ("__weakref__", "_arguments", "captures_arguments", "captures_result", "expected", "function", "hides_text", "ignored")

    def __init__(self, function: Callable[..., Any], arguments: Arguments, options: Options) -> None:
        self.function = function
        self._arguments = arguments
        self.captures_arguments = options.capture_arguments
        self.captures_result = options.capture_result
        self.expected = options.expected
        self.hides_text = not (options.capture_arguments and options.capture_result)
        self.ignored = arguments.ignored
        if self.hides_text or self.ignored or self.expected:
            particular[arguments.name] = self

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[ToolCallWriter, Frame] | None:
        """Record the request. Return the call, and the frame that is to be current in it; None where nothing is to be recorded.

        Takes the proxy's argument out of `kwargs`.
        """
        trace: TraceWriter | None = None
        try:
            named = kwargs.pop(PROXY_ARGUMENT) if PROXY_ARGUMENT in kwargs else None
            top = beneath = context.current.get()
            if type(beneath) is not Frame or beneath.over or open_generators:  # else it is what `context.beneath` would return
                beneath = context.beneath()
                top = beneath.live if type(beneath) is Covered else beneath
            if top is None:
                trace, parent_id = context.find_trace(named if isinstance(named, str) and named else None), None
                if trace is not None and trace.recorder.enabled:
                    say_if_streamed()
            elif type(top) is not Frame and top.claims(self):
                return None
            else:
                trace, parent_id = top.trace, top.span_id
            if trace is None or not trace.recorder.enabled:
                return None
            arguments = self._arguments.by_name(args, kwargs)
            if not self.captures_arguments:
                arguments = dict.fromkeys(arguments, NOT_CAPTURED)
            labels = None if top is None else top.labels
            recorder = trace.recorder
            encoded = recorder.encode(arguments) if recorder.capture_content else trace.encode_arguments(arguments)
            call = ToolCallWriter(trace, self._arguments.name, encoded, parent_id, labels, self.hides_text)
            call.begin_unguarded()
        except Exception as error:  # noqa: BLE001  (the boundary "recording", without the call that the decorator adds)
            guard.fault(error, trace, events=2)  # its request, and so its response
            return None
        return call, Frame(trace, call.span_id, call, beneath)

    @property
    def name(self) -> str:
        """The tool's name."""
        return self._arguments.name

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return a call's arguments by name, as they are recorded."""
        return self._arguments.by_name(args, kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        return self.function(*args, **kwargs)

    def begin_steps(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Steps:
        """Record the request of a generator. Return how its steps are to be taken, and recorded."""
        begun = self.begin(args, kwargs)
        return UNCHANGED if begun is None else RecordedSteps(*begun, self.expected, captures_result=self.captures_result)


particular: WeakValueDictionary[str, Observer] = WeakValueDictionary()
"""What records the tools of which not all is recorded, or not as usual, by name: for a framework that tells of calls by that name alone."""


def _sync(observer: Observer) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        begun = observer.begin(args, kwargs)
        if begun is None:
            return observer.function(*args, **kwargs)
        call, frame = begun
        context.current.set(frame)
        try:
            result = observer.function(*args, **kwargs)
        except BaseException as error:
            context.leave(frame)
            call.fail(error, expected=observer.expected)
            raise
        context.leave(frame)
        call.succeed(result if observer.captures_result else NOT_CAPTURED)
        return result

    return wrapper


def _async(observer: Observer) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        begun = observer.begin(args, kwargs)
        if begun is None:
            return await observer.function(*args, **kwargs)
        call, frame = begun
        context.current.set(frame)
        try:
            result = await observer.function(*args, **kwargs)
        except BaseException as error:
            context.leave(frame)
            call.fail(error, expected=observer.expected)
            raise
        context.leave(frame)
        call.succeed(result if observer.captures_result else NOT_CAPTURED)
        return result

    return wrapper


def _generator(observer: Observer) -> Callable[..., Any]:
    return generator_function(observer.call, observer.begin_steps)


def _async_generator(observer: Observer) -> Callable[..., Any]:
    return async_generator_function(observer.call, observer.begin_steps)
