"""Client sessions whose tool calls are recorded, and take the trace along.

A session holds its connection, so there is no copy of it: the object itself becomes one of a subclass of its class, which overrides
`call_tool`. All releases have that, from 1.24 to 2, and all that calls a tool goes through it: the high-level client of release 2, groups
of sessions, the adapters of LangChain and LlamaIndex. LlamaIndex's client is a session that opens another one for each call; the
method that opens it is overridden, too.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

from ..._recording import context
from ..._recording.carried import KEY
from ..._recording.frames import Frame
from ..._recording.sending import text_of
from ..._recording.tool_call import ToolCallWriter
from ..._recording.trace_writer import TraceWriter
from ..._runtime import guard
from .._shared.mcp import ServerCall, answered, result_of

S = TypeVar("S")

_CALL_TOOL = "call_tool"
_OPENS_SESSION = "_run_session"


def recorded_session(session: S) -> S:
    """Record each tool call that `session` makes from here on, and tell the server which trace and span it belongs to.

    Takes a `ClientSession`, connected or not yet, the `Client` of mcp 2, or LlamaIndex's `BasicMCPClient`, and returns that very object.
    A call is recorded like that of a function with `@whyops.tool`: arguments by name, text and structured content of the result, time,
    and as a failure what the server says is one (`is_error`), a time-out, a refused or a cancelled request. What the call returns or
    raises stays as it is. A call that a framework's handler records as its tool's is recorded once, by the handler. Recorded twice, a
    session is as recorded once. Outside a trace a call is recorded as `@whyops.tool` does it, and where nothing is recorded nothing is
    sent along.

    The trace travels in `_meta`, under `dev.whyops/trace`; a server without `instrument` ignores that.

    Raises:
        TypeError: `session` has no async method `call_tool`, or is of a class that can't be extended.
    """
    if not inspect.iscoroutinefunction(getattr(type(session), _CALL_TOOL, None)):
        raise TypeError(f"recorded_session takes a session or client of the package mcp, not {type(session).__name__}")
    session.__class__ = _recorded_class(type(session))
    return session


def _recorded_class(cls: Any) -> Any:
    """Return the recorded subclass of `cls`: the one that there is, which `cls` itself holds weakly, or a new one."""
    if hasattr(cls, "whyops_records_calls"):
        return cls
    return next((each for each in cls.__subclasses__() if "whyops_records_calls" in vars(each)), None) or _new_recorded_class(cls)


def _new_recorded_class(cls: Any) -> Any:
    members = {name: getattr(cls, name) for name in ("__module__", "__qualname__", "__doc__")}
    members |= {"whyops_records_calls": True, _CALL_TOOL: _recorded_call_tool(getattr(cls, _CALL_TOOL))}
    if hasattr(cls, _OPENS_SESSION):
        members[_OPENS_SESSION] = _recorded_run_session(getattr(cls, _OPENS_SESSION))
    return type(cls)(cls.__name__, (cls,), members)


def _recorded_run_session(run_session: Callable[..., Any]) -> Callable[..., Any]:
    @asynccontextmanager
    async def _run_session(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        async with run_session(self, *args, **kwargs) as session:
            yield recorded_session(session)

    return _run_session


def _recorded_call_tool(call_tool: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(call_tool)

    @functools.wraps(call_tool)
    async def recorded(self: Any, *args: Any, **kwargs: Any) -> Any:
        begun = _begin(signature, self, args, kwargs)
        if begun is None:
            return await call_tool(self, *args, **kwargs)
        call, frame, added = begun
        context.current.set(frame)
        try:
            result = await call_tool(self, *args, **{**kwargs, **added})
        except BaseException as error:
            context.leave(frame)
            if call is not None:
                call.fail(error)
            raise
        context.leave(frame)
        if call is not None:
            _end(call, result)
        return result

    return recorded


class _Begun(NamedTuple):
    """A call as it is made: what records it, unless a framework's handler does, its frame, and the arguments that carry the trace."""

    call: ToolCallWriter | None
    frame: Frame
    added: Mapping[str, Any]


class _OuterFrame(Frame):
    """The frame of a call that is handed down to another session, where it is the same call."""

    __slots__ = ("_name",)

    def __init__(self, trace: TraceWriter, span_id: str | None, owner: object, previous: Frame | None, name: str) -> None:
        super().__init__(trace, span_id, owner, previous)
        self._name: str | None = name

    def claims(self, observer: object) -> bool:
        """Tell whether the call is this one: the first of its name."""
        is_own = isinstance(observer, ServerCall) and observer.name == self._name
        if is_own:
            self._name = None
        return is_own


@guard.recording
def _begin(signature: inspect.Signature, session: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Begun | None:
    """Record the request of a call; None where nothing is to be recorded, or somebody around has recorded and sent it along."""
    try:
        given = signature.bind(session, *args, **kwargs).arguments
    except TypeError:  # the call itself is to say so
        return None
    name, arguments, meta = str(list(given.values())[1]), given.get("arguments"), given.get("meta")
    if isinstance(meta, Mapping) and KEY in meta:
        return None
    takes_meta = "meta" in signature.parameters
    beneath, top = context.beneath(), context.top()
    call: ToolCallWriter | None = None
    trace: TraceWriter | None
    if top is not None and type(top) is not Frame and top.claims(ServerCall(name)):
        trace, span_id = top.trace, top.span_id
    else:
        trace = context.find_trace(None) if top is None else top.trace
        if trace is None or not trace.recorder.enabled:
            return None
        call = _call(trace, name, arguments, top)
        span_id = call.span_id
    if takes_meta:
        return _Begun(call, Frame(trace, span_id, call, beneath), _with_meta(meta, text_of(trace, span_id)))
    return _Begun(call, _OuterFrame(trace, span_id, call, beneath, name), {})


def _call(trace: TraceWriter, name: str, arguments: object, top: Frame | None) -> ToolCallWriter:
    encoded = trace.encode_arguments(arguments if isinstance(arguments, dict) else {})
    parent_id, labels = (None, None) if top is None else (top.span_id, top.labels)
    call = ToolCallWriter(trace, name, encoded, parent_id, labels)
    call.begin()
    return call


def _with_meta(meta: object, text: str) -> Mapping[str, Any]:
    return {"meta": {**(meta if isinstance(meta, Mapping) else {}), KEY: text}}


@guard.recording
def _end(call: ToolCallWriter, result: object) -> None:
    """Record what the server answered; what it says is a failure, as the failure that a tool reports without raising."""
    answer = answered(result)
    if answer is not None and answer.failed:
        call.succeed({"error": answer.result or "The tool reports an error."})
    else:
        call.succeed(result if answer is None else result_of(result))
