"""The client: what users hold, and the one that is the default."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, overload

from ._config import defaults, environment
from ._recording import context
from ._recording.ids import process_ids
from ._recording.recorder import Recorder
from ._recording.trace import Trace
from ._runtime import forks, guard
from .errors import ConfigurationError, DeliveryError
from .events import Sink
from .types import AgentInfo, AgentMetadata, FlushResult

if TYPE_CHECKING:
    import sys
    from concurrent.futures import Future

    import httpx

    from ._assembly import Parts
    from ._config.settings import Settings
    from ._delivery.delivery import Delivery
    from ._service.proxy import ProxySettings

    if sys.version_info >= (3, 11):
        from typing import Self
    else:
        from typing_extensions import Self

C = TypeVar("C")
F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
R = TypeVar("R")

FLUSH_TIMEOUT = 30.0
"""Seconds that `flush`, `close` and `init_agent` wait at most, unless told otherwise."""

INTRODUCTION_TIMEOUT = 5.0
"""Seconds that a client's first use of the proxy waits at most for the agent to be known to the service."""

_NO_RECORDER = Recorder(agent_name="", encode=lambda _: ("{}", 0, 0), record=lambda _: None, enabled=False)


class WhyOps:
    """A client: one agent, one destination. Make one per agent, once, and keep it.

    With an API key, events go to the WhyOps service; without one, to a local store that the `whyops` command shows. What is left out comes
    from the environment (`WHYOPS_API_KEY`, `WHYOPS_AGENT_NAME`, `WHYOPS_PROXY_BASE_URL`, `WHYOPS_ANALYSE_BASE_URL`, `WHYOPS_HOME`,
    `WHYOPS_CAPTURE_CONTENT`, `WHYOPS_REDACT_KEYS`), read at first use. No thread, no file and no connection is made before the first event.

    Args:
        api_key: The service's key. Never written to disk, logs or errors.
        agent_name: The agent's stable name, 1 to 255 characters; needed with a key, as the service allows few agents per account.
        agent_metadata: `{"systemPrompt", "description"?, "tools"?}`, told to the service before the first event. Changing it makes a new
            version of the agent there; left out, the agent stays as it is known.
        proxy_base_url: Where model traffic goes, if not to the hosted service.
        analyse_base_url: Where events go, if not to the hosted service.
        home: The folder for local data; default `~/.whyops`. Where it can't be written, events wait in memory.
        sink: Takes the events in place of the service or the local store.
        redact: Called last with each value that is to be recorded, as plain JSON types; returns what is recorded instead.
        redact_keys: Names of arguments and keys to redact, beyond the usual ones.
        keep_keys: Names that are not to be redacted.
        capture_content: False records names, times and sizes only.
        max_value_bytes: The most that one value may take; longer ones are cut with a visible marker.
        outbox: "file", so that what was recorded outlives the process, or "memory".
        outbox_max_bytes: The most that may wait for delivery; beyond it new events are counted and dropped.
        exit_timeout: Seconds that the end of the process may wait for delivery; default 5, or 10 with a memory outbox.
        flush_at_trace_end: Whether leaving the outermost trace waits for delivery (`WHYOPS_FLUSH_AT_TRACE_END`), at most `exit_timeout` or
            5 seconds; default only on hosts that freeze a process between two requests, as AWS Lambda does.
        keep_local: With a key, whether delivered events are kept in the local store too (`WHYOPS_KEEP_LOCAL`); default no.
        local_max_age_days: Days after which the local store lets go of a trace (`WHYOPS_LOCAL_MAX_AGE_DAYS`), of days on which it was
            written to; default 30, 0 for never.
        local_max_bytes: How large the local store may become before its oldest traces go (`WHYOPS_LOCAL_MAX_BYTES`); default 1 GB, 0
            for no bound.
        transport: An httpx transport to send through.

    Raises:
        ConfigurationError: A setting is missing or malformed. What the environment lacks is told at first use.
    """

    def __init__(
        self,
        api_key: str | None = None,
        agent_name: str | None = None,
        agent_metadata: AgentMetadata | Mapping[str, Any] | None = None,
        proxy_base_url: str | None = None,
        analyse_base_url: str | None = None,
        *,
        home: str | os.PathLike[str] | None = None,
        sink: Sink | None = None,
        redact: Callable[[Any], Any] | None = None,
        redact_keys: Iterable[str] = (),
        keep_keys: Iterable[str] = (),
        capture_content: bool | None = None,
        max_value_bytes: int = defaults.MAX_VALUE_BYTES,
        outbox: Literal["file", "memory"] = "file",
        outbox_max_bytes: int = defaults.OUTBOX_MAX_BYTES,
        exit_timeout: float | None = None,
        flush_at_trace_end: bool | None = None,
        keep_local: bool | None = None,
        local_max_age_days: int | None = None,
        local_max_bytes: int | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        arguments: dict[str, Any] = {
            "api_key": api_key,
            "agent_name": agent_name,
            "agent_metadata": agent_metadata,
            "proxy_base_url": proxy_base_url,
            "analyse_base_url": analyse_base_url,
            "home": home,
            "sink": sink,
            "redact": redact,
            "redact_keys": redact_keys,
            "keep_keys": keep_keys,
            "capture_content": capture_content,
            "max_value_bytes": max_value_bytes,
            "outbox": outbox,
            "outbox_max_bytes": outbox_max_bytes,
            "exit_timeout": exit_timeout,
            "flush_at_trace_end": flush_at_trace_end,
            "keep_local": keep_local,
            "local_max_age_days": local_max_age_days,
            "local_max_bytes": local_max_bytes,
            "transport": transport,
        }
        self._begin(_Origin(lambda: _checked_settings(arguments)), agent_name or None)  # whatever shows its attributes shows no key

    @classmethod
    def _with(cls, origin: _Origin) -> Self:
        """Return a client of these settings, which were checked when they were given."""
        client = cls.__new__(cls)
        client._begin(origin, origin.check().agent_name)  # noqa: SLF001  (its own class)
        return client

    def _begin(self, origin: _Origin, agent_name: str | None) -> None:
        self._origin = origin
        self._agent_name = agent_name
        self._given: Settings | None = None
        self._parts: Parts | None = None
        self._closed = False
        self._introduced = False
        try:
            self._settings()
        except (ImportError, OSError) as error:
            _say_not_loaded(error)
        with _choosing:
            _open_clients.add(self)
            _tell_children()

    def __repr__(self) -> str:
        return f"<whyops.WhyOps agent_name={self._agent_name!r}>"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return self._origin.reduce()

    @overload
    def trace(self, function: F, /) -> F: ...  # type: ignore[overload-overlap]  # an id may be anything, but no function
    @overload
    def trace(
        self,
        id: object = None,
        external_user_id: object = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        trace_id: object = None,
    ) -> Trace: ...
    def trace(
        self,
        id: Any = None,  # noqa: A002  (the name that users write)
        external_user_id: object = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        trace_id: object = None,
    ) -> Any:
        """Return the trace of this id, to use plain, with `with` or with `async with`; as a decorator, `@sdk.trace`, make one per call.

        Trace ids are global on the service: choose ids that nobody else has. Left out, one is made. `external_user_id` (at most 255
        characters) and `metadata` go on all its events; names in it that WhyOps uses itself, and None, are left out. `trace_id` is the
        published client's name for `id`.
        """
        if _may_be_function(id):
            from ._recording import traced  # noqa: PLC0415  (as in `_assembled`)

            if traced.is_function(id):
                return traced.traced(id, self.trace)
        parts = self._usable()
        return Trace(_NO_RECORDER if parts is None else parts.recorder, trace_id if id is None else id, external_user_id, metadata)

    def openai(self, client: C) -> C:
        """Return a copy of an `OpenAI` or `AsyncOpenAI` client whose requests go through the WhyOps proxy, which records them.

        Each request names the trace that is current when it is made; headers that you set win. Time-out, retries, headers and HTTP client
        are the given client's, which stays as it is. The WhyOps key takes the place of the provider's: that one is never sent.

        The first use of the proxy waits for the agent to be known to the service, at most 5 seconds: its traces would else begin under
        another version of the agent. With `WHYOPS_DISABLED` a client that has a provider's key goes straight to the provider.

        Raises:
            TypeError: `client` is no such client; a variant such as `AzureOpenAI` speaks to another service, in another form.
            ConfigurationError: There is no API key.
        """
        return self._routed(client, "openai")

    def anthropic(self, client: C) -> C:
        """Return a copy of an `Anthropic` or `AsyncAnthropic` client whose requests go through the WhyOps proxy, as `openai` does.

        Raises:
            TypeError: `client` is no such client; a variant such as `AnthropicBedrock` speaks to another service, in another form.
            ConfigurationError: There is no API key.
        """
        return self._routed(client, "anthropic")

    def proxy(self, provider: Literal["openai", "anthropic"]) -> ProxySettings:
        """Return base URL, key and headers that point anything else that speaks to `provider` at the WhyOps proxy.

        Raises:
            ConfigurationError: There is no API key, or the provider is not one that the proxy serves.
        """
        from ._service.proxy import proxy_settings  # noqa: PLC0415  (as in `_assembled`)

        settings = proxy_settings(self._assembled().settings, provider)
        self._introduce_agent()
        return settings

    def init_agent_sync(self) -> AgentInfo | None:
        """Describe the agent to the service now, and wait for its answer. Otherwise this is done before the first event.

        None without a key, without `agent_metadata`, or if the service did not take it.
        """
        return self._assembled().init_agent(FLUSH_TIMEOUT)

    async def init_agent(self) -> AgentInfo | None:
        """Describe the agent to the service now, and await its answer; None without a key, or if the service did not take it."""
        return await self._assembled().init_agent_async(FLUSH_TIMEOUT)

    def flush_sync(self, timeout: float | None = FLUSH_TIMEOUT, *, raise_on_failure: bool = False) -> FlushResult:
        """Wait until all that was recorded before this call is delivered, at most `timeout` seconds, and return the counts.

        Raises:
            DeliveryError: `raise_on_failure` was asked for, and events wait, are parked, were dropped or could not be recorded.
        """
        parts = self._usable()
        if parts is None or (delivery := parts.delivery) is None:
            return FlushResult()
        flushed = _asked(delivery.flush, timeout)
        result = delivery.counts() if flushed is None else delivery.wait(flushed, timeout, delivery.counts)
        return _checked(result, raise_on_failure=raise_on_failure)

    async def flush(self, timeout: float | None = FLUSH_TIMEOUT, *, raise_on_failure: bool = False) -> FlushResult:
        """Await the delivery of all that was recorded before this call, at most `timeout` seconds, and return the counts.

        Raises:
            DeliveryError: `raise_on_failure` was asked for, and events wait, are parked, were dropped or could not be recorded.
        """
        parts = self._usable()
        if parts is None or (delivery := parts.delivery) is None:
            return FlushResult()
        flushed = _asked(delivery.flush, timeout)
        result = delivery.counts() if flushed is None else await delivery.wait_async(flushed, timeout, delivery.counts)
        return _checked(result, raise_on_failure=raise_on_failure)

    def close_sync(self, timeout: float | None = FLUSH_TIMEOUT) -> FlushResult:
        """Flush, then let go of thread, connection and file. An event recorded later opens them again."""
        self._note_closed()
        delivery = self._delivery()
        if delivery is None:
            return FlushResult()
        closed = _asked(delivery.close, timeout)
        return delivery.counts() if closed is None else delivery.wait(closed, timeout, delivery.counts)

    async def close(self, timeout: float | None = FLUSH_TIMEOUT) -> FlushResult:
        """Flush, then let go of thread, connection and file. An event recorded later opens them again."""
        self._note_closed()
        delivery = self._delivery()
        if delivery is None:
            return FlushResult()
        closed = _asked(delivery.close, timeout)
        return delivery.counts() if closed is None else await delivery.wait_async(closed, timeout, delivery.counts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        self.close_sync()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        await self.close()

    @property
    def is_open(self) -> bool:
        """Whether the client was not closed."""
        return not self._closed

    def _routed(self, client: C, provider: Literal["openai", "anthropic"]) -> C:
        from ._service.clients import check_client, has_whyops_key, routed  # noqa: PLC0415  (as in `_assembled`)

        check_client(client, provider)
        goes_straight = self._assembled().settings.disabled and not has_whyops_key(client)
        return routed(client, None if goes_straight else self.proxy(provider), self._proxy_headers)

    def _proxy_headers(self) -> dict[str, str]:
        """Return what a request that is made now tells the proxy: the agent, and the current trace if it is this agent's."""
        own = self._assembled().recorder.agent_name
        headers = {"X-Agent-Name": own}
        trace = context.current_trace()
        if trace is None:
            return headers
        if trace.recorder.agent_name == own:
            from ._service.proxy import trace_headers  # noqa: PLC0415  (as in `_assembled`)

            return {**headers, **trace_headers(trace.id, trace.external_user_id)}
        guard.notices.say(
            "proxy in another's trace",
            "A model call of agent %r, made in a trace of agent %r, gets a trace of its own: the service keeps each trace to one agent.",
            own,
            trace.recorder.agent_name,
        )
        return headers

    def _introduce_agent(self) -> None:
        """Describe the agent before the proxy meets it: traces that begin before are lost to the version that the description makes."""
        if self._introduced:
            return
        self._assembled().init_agent(INTRODUCTION_TIMEOUT)
        self._introduced = True  # only now: another thread's first use waits as well, and the service is told the same twice

    def _note_closed(self) -> None:
        with _choosing:
            self._closed = True
            _tell_children()

    def _delivery(self) -> Delivery | None:
        return None if self._parts is None else self._parts.delivery

    def _settings(self) -> Settings:
        if self._given is None:
            self._given = self._origin.check()
            if self in _open_clients:  # it could not be checked when the client was made
                with _choosing:
                    _tell_children()
        return self._given

    def _assembled(self) -> Parts:
        """Return the parts, put together at first use: that is when the environment is read."""
        parts = self._parts
        if parts is None:
            given = self._settings()
            from ._assembly import assemble  # noqa: PLC0415  (`import whyops` does not pay for what a program may never use)

            with _first_use:
                if self._parts is None:
                    made = assemble(given, self._origin.reduce_recorder)
                    self._parts = self._parts or made  # a greenlet, or a `__del__`, may have come in meanwhile
                parts = self._parts
        return parts

    def _usable(self) -> Parts | None:
        """Return the parts, or None where they can't be loaded now."""
        try:
            return self._assembled()
        except (ImportError, OSError) as error:
            _say_not_loaded(error)
            return None


def _checked_settings(arguments: dict[str, Any]) -> Settings:
    """Return what the caller gave, or refuse it. All that recording needs is loaded here: later no descriptor may be free for it."""
    from . import _assembly  # noqa: PLC0415  (as in `_assembled`)
    from ._config import settings as _settings  # noqa: PLC0415  (as in `_assembled`)

    _assembly.load()
    given = _settings.given(**arguments)
    if given.api_key is not None:
        _settings.check_agent_is_named(given.completed())
    return given


def _say_not_loaded(error: Exception) -> None:
    """Say that the package's own files can't be read: no descriptor is free, or a dependency refuses this interpreter."""
    guard.notices.say("not loaded", "Nothing can be recorded for now (%s: %s); each new trace tries again.", type(error).__name__, error)


def _asked(ask: Callable[[float | None], Future[FlushResult]], timeout: float | None) -> Future[FlushResult] | None:
    """Ask the sender for something; None where what waiting takes can't be loaded now, for lack of a descriptor."""
    try:
        return ask(timeout)
    except (ImportError, OSError) as error:
        guard.notices.say("can't wait", "Nothing can be waited for now (%s); what was recorded is delivered all the same.", error)
        return None


def _checked(result: FlushResult, *, raise_on_failure: bool) -> FlushResult:
    if raise_on_failure and (result.waiting or result.rejected or result.dropped or result.not_recorded):
        raise DeliveryError(f"Not everything is delivered: {result}. `whyops status` tells why.")
    return result


# Clients and their traces in pickles


class _Origin:
    """What a client is told from others by, where a pickle is loaded in the process that made it, and how its settings are had."""

    def __init__(self, check: Callable[[], Settings]) -> None:
        self.check = check
        self.token = process_ids.next()
        _origins[self.token] = self

    def reduce(self) -> tuple[object, ...]:
        """Return what makes the client out of its pickle."""
        from ._config.pickling import packed  # noqa: PLC0415  (as in `_assembled`)

        return _client_of, (self.token, packed(self.check()))

    def reduce_recorder(self) -> tuple[object, ...]:
        """Return what makes the client's recorder out of its pickle."""
        _, where_from = self.reduce()
        return _recorder_of, where_from


_origins: weakref.WeakValueDictionary[str, _Origin] = weakref.WeakValueDictionary()
_arrived: dict[bytes, WhyOps] = {}
"""The clients that came from other processes, by their settings: what comes with the same ones shares a client."""


def _client_of(token: str, settings: bytes) -> WhyOps:
    """Return the client of a pickle: in the process that made it that very one, elsewhere one with its settings."""
    from ._config.pickling import unpacked  # noqa: PLC0415  (as in `_assembled`)

    with _choosing:  # threads that load equal pickles at once get one client
        origin = _origins.get(token)
        if origin is not None:
            same = next((client for client in _open_clients if client._origin is origin), None)  # noqa: SLF001  (one of this file)
            return same or WhyOps._with(origin)  # noqa: SLF001  (as above)
        if settings not in _arrived:
            given = unpacked(settings)
            _arrived[settings] = WhyOps._with(_Origin(lambda: given))  # noqa: SLF001  (as above)
        return _arrived[settings]


def _recorder_of(token: str, settings: bytes) -> Recorder:
    """Return the recorder of a pickled client. It records nothing where a setting in the environment can't work."""
    try:
        return _client_of(token, settings)._assembled().recorder  # noqa: SLF001  (as above)
    except ConfigurationError as error:
        guard.notices.say("unpickled", "A trace came from another process, and nothing is recorded in it here. %s", error)
        return _NO_RECORDER


# The default client

_first_use = threading.RLock()  # a `__del__` may record, and so use a client, while the same thread is at it
_choosing = threading.RLock()  # the same, for the default client
_open_clients: weakref.WeakSet[WhyOps] = weakref.WeakSet()
_chosen: WhyOps | None = None
_from_environment: WhyOps | None = None


def _taking(_what: Callable[P, object]) -> Callable[[Callable[..., R]], Callable[P, R]]:
    """Let a function be known, to type checkers and readers of signatures, by what another callable takes."""

    def named(function: Callable[..., R]) -> Callable[P, R]:
        function.__dict__["__wrapped__"] = _what
        return function

    return named


@_taking(WhyOps)
def configure(*args: Any, **kwargs: Any) -> WhyOps:
    """Make a client and let it be the default one, which `whyops.trace` and `@whyops.tool` use. Takes what `WhyOps` takes."""
    global _chosen  # noqa: PLW0603  (the one place where the default is chosen)
    _chosen = WhyOps(*args, **kwargs)
    return _chosen


@contextlib.contextmanager
def chosen(client: WhyOps) -> Iterator[None]:
    """Let `client` be the default one inside the block."""
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
def trace(id: Any = None, external_user_id: object = None, metadata: Mapping[str, Any] | None = None) -> Any:  # noqa: A002
    """Return a trace of the default client: the one that `configure` made, else the only open one, else one from the environment.

    As a decorator, `@whyops.trace`, it makes a trace for each call of a function, of whichever client is the default one then.

    Raises:
        ConfigurationError: Several clients are open and none was chosen, or a setting in the environment is malformed.
    """
    if _may_be_function(id):
        from ._recording import traced  # noqa: PLC0415  (as in `_assembled`)

        if traced.is_function(id):
            return traced.traced(id, trace)
    return default_client().trace(id, external_user_id, metadata)


def _may_be_function(id: object) -> bool:  # noqa: A002  (as above)
    return id is not None and type(id) is not str


def default_client() -> WhyOps:
    """Return the default client, made from the environment if there is none.

    Raises:
        ConfigurationError: Several clients are open and none was chosen.
    """
    client = existing_default()
    return client if client is not None else _client_from_environment()


def existing_default() -> WhyOps | None:
    """Return the default client, if there is one already. One that came in a pickle is the default where the process made none.

    Raises:
        ConfigurationError: Several clients are open and none was chosen.
    """
    if _chosen is not None and _chosen.is_open:
        return _chosen
    guests = [client for client in list(_arrived.values()) if client.is_open]
    with _choosing:
        candidates = [client for client in _open_clients if client.is_open and client is not _from_environment and client not in guests]
    if len(candidates) > 1:
        raise ConfigurationError(
            f"{len(candidates)} clients are open and none is the default: use sdk.trace(…) of the one you mean, or make it with "
            "whyops.configure(…)."
        )
    if candidates:
        return candidates[0]
    if len(guests) == 1:
        return guests[0]
    return _from_environment if _from_environment is not None and _from_environment.is_open else None


def _client_from_environment() -> WhyOps:
    global _from_environment  # noqa: PLW0603  (made once, when it is first needed)
    name = environment.agent_name()
    with _choosing:
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
    if name is None and environment.api_key() is not None and not environment.is_disabled():
        guard.log(guard.WARNING, "WHYOPS_AGENT_NAME is not set: events are recorded under the agent name %r.", defaults.AGENT_NAME)
    return client


def _tell_children() -> None:
    """Let child processes that are not forked record no more than the open clients here do."""
    opened = [client._given for client in _open_clients if client.is_open]  # noqa: SLF001  (the module's own class)
    given = [each for each in opened if each is not None]
    environment.tell_children(
        without_content=any(each.capture_content is False for each in given),
        redact_keys=[key for each in given for key in each.redact_keys],
        redacts=any(each.redact is not None or each.sink is not None for each in given),
    )


def _trace_for_call(trace_id: str | None) -> Trace | None:
    """Return a trace for a tool call outside any, or None in a program that configured nothing."""
    try:
        if environment.is_disabled():
            return None
        client = existing_default()
        if client is None and environment.api_key() is not None:
            client = _client_from_environment()
        return None if client is None else client.trace(trace_id)
    except ConfigurationError as error:
        guard.notices.say("tool outside a trace", "A tool call outside any trace is not recorded. %s", error)
        return None


def _lose(owner: object, reason: str, events: int) -> None:
    """Count events that could not be recorded: for the trace of `owner`, else for the one that is current, else for the default client."""
    trace = owner if isinstance(owner, Trace) else getattr(owner, "trace", None)
    if not isinstance(trace, Trace):
        trace = context.current_trace()
    if trace is not None:
        trace.recorder.lose(trace.id, reason, events)
        return
    with contextlib.suppress(ConfigurationError):  # several are open, and nobody knows whose they were
        client = existing_default()
        delivery = None if client is None else client._delivery()  # noqa: SLF001  (a function of the same module)
        if delivery is not None:
            delivery.lose("", reason, events)


def _after_fork_in_child() -> None:
    """Give the child ids of its own, and locks that no thread of the parent holds."""
    global _first_use, _choosing  # noqa: PLW0603  (no thread of the parent holds the new ones)
    _first_use = threading.RLock()
    _choosing = threading.RLock()
    process_ids.renew()


context.set_fallback(_trace_for_call)
guard.set_losing(_lose)
forks.in_child(_after_fork_in_child)
