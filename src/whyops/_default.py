"""The default client: the one that `whyops.trace` and tool calls outside a trace use, and that counts events that could not be recorded."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ParamSpec, TypeVar, overload

from ._client import F, WhyOps, decorated, open_clients
from ._config import defaults, environment
from ._recording import context
from ._recording.trace import Trace, writer_of
from ._recording.trace_writer import TraceWriter
from ._runtime import guard
from .errors import ConfigurationError

P = ParamSpec("P")
R = TypeVar("R")

_chosen: WhyOps | None = None
_from_environment: WhyOps | None = None


def _taking(what: Callable[P, object]) -> Callable[[Callable[..., R]], Callable[P, R]]:
    """Give a function the signature of another callable, for type checkers and `inspect`."""
    return functools.partial(functools.update_wrapper, wrapped=what, assigned=(), updated=())


@_taking(WhyOps)
def configure(*args: Any, **kwargs: Any) -> WhyOps:
    """Make a client, make it the default one, which `whyops.trace` and `@whyops.tool` use, and return it. Takes the arguments of `WhyOps`.

    Raises:
        ConfigurationError: An argument has the wrong type or a value that can't be.
    """
    global _chosen  # noqa: PLW0603  (the one place where the default is chosen)
    _chosen = WhyOps(*args, **kwargs)
    return _chosen


@contextlib.contextmanager
def chosen(client: WhyOps) -> Iterator[None]:
    """Make `client` the default one inside the block."""
    global _chosen  # noqa: PLW0603  (put back afterwards)
    before, _chosen = _chosen, client
    try:
        yield
    finally:
        _chosen = before


@overload
def trace(function: F, /) -> F: ...  # type: ignore[overload-overlap]  # an id may be anything, but no function
@overload
def trace(id: object = None, external_user_id: object = None, metadata: Mapping[str, Any] | None = None) -> Trace: ...
def trace(id: Any = None, external_user_id: object = None, metadata: Mapping[str, Any] | None = None) -> Any:  # noqa: A002  (the name that users write)
    """Return a trace of the default client: the one that `configure` made, else the only open one, else one from the environment.

    As a decorator, `@whyops.trace`, it makes a trace for each call of a function, of whichever client is the default one then.

    Raises:
        ConfigurationError: Several clients are open and none was chosen, or a setting in the environment is malformed.
    """
    function = decorated(id, trace)
    return default_client().trace(id, external_user_id, metadata) if function is None else function


def default_client() -> WhyOps:
    """Return the default client, made from the environment if there is none.

    Raises:
        ConfigurationError: Several clients are open and none was chosen.
    """
    return existing_default() or _client_from_environment()


def existing_default() -> WhyOps | None:
    """Return the default client, if there is one already. One that came in a pickle is the default where the process made none.

    Raises:
        ConfigurationError: Several clients are open and none was chosen.
    """
    if (instead := open_clients.instead()) is not None:
        return instead
    if _chosen is not None and _chosen.is_open:
        return _chosen
    own, arrived = open_clients.made_and_arrived()
    own = [client for client in own if client is not _from_environment and not open_clients.is_instead(client)]
    if len(own) > 1:
        raise ConfigurationError(
            f"{len(own)} clients are open and none is the default: use sdk.trace(…) of the one you mean, or make it with "
            "whyops.configure(…)."
        )
    if own:
        return own[0]
    if len(arrived) == 1:
        return arrived[0]
    return _from_environment if _from_environment is not None and _from_environment.is_open else None


def _client_from_environment() -> WhyOps:
    global _from_environment  # noqa: PLW0603  (made once, when it is first needed)
    name = environment.text("WHYOPS_AGENT_NAME")
    with open_clients.lock:
        client = existing_default()  # another thread may have made it meanwhile
        if client is not None:
            return client
        is_child = environment.parent_redacts()
        client = _from_environment = WhyOps(agent_name=name or defaults.AGENT_NAME, capture_content=False if is_child else None)
    if is_child:
        guard.log(
            guard.WARNING,
            "The process that started this one redacts with a function of its own, or sends to a sink of its own, and neither reaches "
            "here: this process records no contents. Call whyops.configure(…) in it as well, for instance where the worker begins.",
        )
    if name is None and environment.text("WHYOPS_API_KEY") is not None and not environment.is_disabled():
        guard.log(guard.WARNING, "WHYOPS_AGENT_NAME is not set: events are recorded under the agent name %r.", defaults.AGENT_NAME)
    return client


def _trace_for_call(trace_id: str | None) -> TraceWriter | None:
    """Return a trace for a tool call outside any, or None in a program that configured nothing."""
    try:
        if environment.is_disabled():
            return None
        client = existing_default()
        if client is None and environment.text("WHYOPS_API_KEY") is not None:
            client = _client_from_environment()
        return None if client is None else writer_of(client.trace(trace_id))
    except ConfigurationError as error:
        guard.notices.say("tool outside a trace", "A tool call outside any trace is not recorded. %s", error)
        return None


def _lose(owner: object, reason: str, events: int) -> None:
    """Count events that could not be recorded: for the trace of `owner`, else for the current one, else for the default client."""
    trace = writer_of(owner) if isinstance(owner, Trace) else getattr(owner, "trace", owner)
    if not isinstance(trace, TraceWriter):
        trace = context.current_writer()
    if trace is not None:
        trace.recorder.lose(trace.id, reason, events)
        return
    with contextlib.suppress(ConfigurationError):  # several are open, and nobody knows whose they were
        if (client := existing_default()) is not None:
            client._lose(reason, events)  # noqa: SLF001  (the same package)


context.find_trace = _trace_for_call
guard.lose = _lose
