"""The client, `WhyOps`: its settings, its parts, and how it is pickled."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from ._config import defaults
from ._config.origin import Origin
from ._delivery.flushing import awaited, checked, waited
from ._open_clients import OpenClients
from ._recording.ids import process_ids
from ._recording.recorder import Recorder
from ._recording.trace import Trace
from ._runtime import forks, guard
from .errors import ConfigurationError
from .events import Sink
from .types import AgentInfo, AgentMetadata, FlushResult

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Self

    from ._assembly import Parts
    from ._config.settings import Settings
    from ._delivery.fan_out import AnyDelivery
    from ._service.proxy import ProxySettings

C = TypeVar("C")
F = TypeVar("F", bound=Callable[..., Any])

FLUSH_TIMEOUT = 30.0
"""Seconds that `flush`, `close` and `init_agent` wait at most, unless told otherwise."""

INTRODUCTION_TIMEOUT = 5.0
"""Seconds that a client's first use of the proxy waits at most for the agent to be known to the service."""

_DISCARDING = Recorder(agent_name="", encode=lambda _: ("{}", 0, 0), record=lambda _: None, enabled=False)


class WhyOps:
    """A client: one agent, one destination. Make one per agent, once, and keep it.

    With an API key, events go to the WhyOps service; without one, to a local store that the `whyops` command shows. What is left out comes
    from the environment (`WHYOPS_API_KEY`, `WHYOPS_AGENT_NAME`, `WHYOPS_PROXY_BASE_URL`, `WHYOPS_ANALYSE_BASE_URL`, `WHYOPS_HOME`,
    `WHYOPS_CAPTURE_CONTENT`, `WHYOPS_REDACT_KEYS`), read at first use. No thread, no file and no connection is made before the first event.

    Args:
        api_key: The service's key. Never written to disk, logs or errors.
        agent_name: The agent's stable name, 1 to 255 characters; needed with a key, as the service allows few agents per account.
        agent_metadata: `{"systemPrompt", "description"?, "tools"?}`, sent to the service before the first event. Changing it makes a new
            version of the agent there; left out, the agent stays as it is known.
        proxy_base_url: Where model traffic goes, if not to the hosted service.
        analyse_base_url: Where events go, if not to the hosted service.
        home: The folder for local data; default `~/.whyops`. Where it can't be written, events wait in memory.
        sink: Receives the events in place of the service or the local store.
        otlp: The address of an OpenTelemetry receiver, as `http://collector:4318`: runs go there as spans, beside the service or the local
            store. With `WHYOPS_OTLP=1` OpenTelemetry's own variables name it, and the headers for it (`OTEL_EXPORTER_OTLP_ENDPOINT`,
            `…_TRACES_ENDPOINT`, `…_HEADERS`). Without a key, `keep_local=False` leaves the local store out.
        redact: Called last with each value that is to be recorded, as plain JSON types; returns what is recorded instead.
        redact_keys: Names of arguments and keys to redact, beyond the usual ones.
        keep_keys: Names that are not to be redacted.
        capture_content: False records names, times and sizes only.
        capture_prompts: False leaves out those prompts in which no user speaks last, as in an agent's loop (`WHYOPS_CAPTURE_PROMPTS`).
        record_steps: True records a framework's nodes and steps as spans, which the service limits (`WHYOPS_RECORD_STEPS`); default no.
        max_value_bytes: Maximum size of one value; longer ones are cut with a visible marker.
        outbox: "file", so that what was recorded outlives the process, or "memory".
        outbox_max_bytes: Maximum size of what is queued; beyond it new events are counted and dropped.
        exit_timeout: Seconds that the end of the process may wait for delivery; default 5, or 10 with a memory outbox.
        flush_at_trace_end: Whether leaving the outermost trace waits for delivery (`WHYOPS_FLUSH_AT_TRACE_END`), at most `exit_timeout` or
            5 seconds; default only on hosts that freeze a process between two requests, as AWS Lambda does.
        keep_local: Whether events that go elsewhere are kept in the local store too (`WHYOPS_KEEP_LOCAL`); default: with a key no, with
            `otlp` alone yes.
        local_max_age_days: Days after which the local store deletes a trace (`WHYOPS_LOCAL_MAX_AGE_DAYS`), counting days on which it was
            written to; default 30, 0 for never.
        local_max_bytes: Maximum size of the local store; beyond it the oldest traces are deleted (`WHYOPS_LOCAL_MAX_BYTES`); default
            1 GB, 0 for no limit.
        transport: An httpx transport to send through.

    Raises:
        ConfigurationError: A setting is missing or malformed. What is wrong in the environment is raised at first use.
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
        capture_prompts: bool | None = None,
        record_steps: bool | None = None,
        max_value_bytes: int = defaults.MAX_VALUE_BYTES,
        outbox: Literal["file", "memory"] = "file",
        outbox_max_bytes: int = defaults.OUTBOX_MAX_BYTES,
        exit_timeout: float | None = None,
        flush_at_trace_end: bool | None = None,
        keep_local: bool | None = None,
        local_max_age_days: int | None = None,
        local_max_bytes: int | None = None,
        transport: httpx.BaseTransport | None = None,
        otlp: str | None = None,
    ) -> None:
        arguments = dict(locals())
        del arguments["self"]
        self._begin(Origin(lambda: _checked_settings(arguments)))  # whatever shows a client's attributes shows no key

    @classmethod
    def _with(cls, origin: Origin) -> Self:
        """Return a client of these settings, which were checked when they were given."""
        client = cls.__new__(cls)
        client._begin(origin)  # noqa: SLF001  (its own class)
        return client

    def _begin(self, origin: Origin) -> None:
        self._origin = origin
        self._given: Settings | None = None
        self._parts: Parts | None = None
        self._closed = self._introduced = False
        try:
            self._settings()
        except (ImportError, OSError) as error:
            _say_not_loaded(error)
        open_clients.add(self)

    def __repr__(self) -> str:
        return f"<whyops.WhyOps agent_name={None if self._given is None else self._given.agent_name!r}>"

    def __deepcopy__(self, _memo: object = None) -> Self:
        return self

    __copy__ = __deepcopy__

    def __reduce__(self) -> tuple[object, ...]:
        return _client_of, self._origin.packed()

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
        """Return a trace with this id, to use plain, with `with` or with `async with`; as a decorator, `@sdk.trace`, one per call.

        Trace ids are global on the service: choose ids that nobody else has. Left out, one is made. `external_user_id` (at most 255
        characters) and `metadata` go on all its events; names in it that WhyOps uses itself, and None, are left out. `trace_id` is the
        published client's name for `id`.
        """
        if id is not None and (function := decorated(id, self.trace)) is not None:
            return function
        parts = self._usable()
        return Trace(_DISCARDING if parts is None else parts.recorder, trace_id if id is None else id, external_user_id, metadata)

    def openai(self, client: C, via: Literal["proxy", "direct"] | None = None) -> C:
        """Return a copy of an `OpenAI` or `AsyncOpenAI` client whose model calls are recorded, each in the trace that is current when made.

        `via="direct"`, the default without an API key: requests go to the provider just as the given client sends them, and are recorded
        here: chat completions, Responses, completions, embeddings; whole, streamed or raw; retries as one call; outside a trace nothing.
        Time-out, retries, headers and HTTP client are the given client's in any case; it stays as it is.

        `via="proxy"`, the default with a key: requests go through the WhyOps proxy, which records them; headers that you set win. The
        WhyOps key takes the place of the provider's: that one is never sent. The first use of the proxy waits for the agent to be known
        to the service, at most 5 seconds: its traces would else begin under another version of the agent. With `WHYOPS_DISABLED` a
        client that has a provider's key goes straight there.

        Raises:
            TypeError: `client` is no such client; through the proxy, also a variant such as `AzureOpenAI`, which speaks to another service.
            ConfigurationError: There is no API key for the proxy; or a client with a WhyOps key would send that to the provider.
        """
        return self._followed(client, "openai", via)

    def anthropic(self, client: C, via: Literal["proxy", "direct"] | None = None) -> C:
        """Return a copy of an `Anthropic` or `AsyncAnthropic` client whose calls of `messages` are recorded, as `openai` does.

        Raises:
            TypeError, ConfigurationError: As for `openai`; `AnthropicBedrock` and `AnthropicVertex` are never taken.
        """
        return self._followed(client, "anthropic", via)

    def proxy(self, provider: Literal["openai", "anthropic"]) -> ProxySettings:
        """Return base URL, key and headers that point anything else that speaks to `provider` at the WhyOps proxy.

        Raises:
            ConfigurationError: There is no API key, or the provider is not one that the proxy serves.
        """
        from ._service.proxy import proxy_settings  # noqa: PLC0415  (as in `_assembled`)

        parts = self._assembled()
        settings = proxy_settings(parts.settings, provider)
        if not self._introduced:  # a trace that begins before the agent is described is lost to the version that the description makes
            parts.init_agent(INTRODUCTION_TIMEOUT)
            self._introduced = True  # only now: another thread's first use waits as well, and the service is told the same twice
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
            DeliveryError: `raise_on_failure` was asked for, and events wait, were rejected, were dropped or could not be recorded.
        """
        parts = self._usable()
        if parts is None or (delivery := parts.delivery) is None:
            return FlushResult()
        return checked(waited(delivery, delivery.flush, timeout), raise_on_failure=raise_on_failure)

    async def flush(self, timeout: float | None = FLUSH_TIMEOUT, *, raise_on_failure: bool = False) -> FlushResult:
        """Await the delivery of all that was recorded before this call, at most `timeout` seconds, and return the counts.

        Raises:
            DeliveryError: `raise_on_failure` was asked for, and events wait, were rejected, were dropped or could not be recorded.
        """
        parts = self._usable()
        if parts is None or (delivery := parts.delivery) is None:
            return FlushResult()
        return checked(await awaited(delivery, delivery.flush, timeout), raise_on_failure=raise_on_failure)

    def close_sync(self, timeout: float | None = FLUSH_TIMEOUT) -> FlushResult:
        """Flush, then release thread, connection and file. An event recorded later opens them again."""
        delivery = self._closing()
        return FlushResult() if delivery is None else waited(delivery, delivery.close, timeout)

    async def close(self, timeout: float | None = FLUSH_TIMEOUT) -> FlushResult:
        """Flush, then release thread, connection and file. An event recorded later opens them again."""
        delivery = self._closing()
        return FlushResult() if delivery is None else await awaited(delivery, delivery.close, timeout)

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

    def _followed(self, client: C, provider: Literal["openai", "anthropic"], via: str | None) -> C:
        from ._service.clients import check_client, goes_direct, has_whyops_key, routed  # noqa: PLC0415  (as in `_assembled`)

        parts = self._assembled()
        if goes_direct(via, parts.settings):
            return parts.recorded_client(client, provider)
        check_client(client, provider)
        goes_straight = parts.settings.disabled and not has_whyops_key(client)
        return routed(client, None if goes_straight else self.proxy(provider), lambda: self._assembled().proxy_headers())

    def _closing(self) -> AnyDelivery | None:
        """Count as closed from now on. Return what is to be closed, if there is something."""
        self._closed = True
        open_clients.tell_children()
        return None if self._parts is None else self._parts.delivery

    def _lose(self, reason: str, events: int) -> None:
        """Count events that could not be recorded, of no trace that is known."""
        if self._parts is not None and self._parts.delivery is not None:
            self._parts.delivery.lose("", reason, events)

    def _settings(self) -> Settings:
        if self._given is None:
            self._given = self._origin.check()
            open_clients.tell_children()  # again, if it could not be checked when the client was made
        return self._given

    def _assembled(self) -> Parts:
        """Return the parts, put together at first use: that is when the environment is read. A test's client stands for all others."""
        instead = open_clients.instead()
        if instead is not None and instead is not self:
            return instead._assembled()  # noqa: SLF001  (its own class)
        if self._parts is None:
            given = self._settings()
            from ._assembly import assemble  # noqa: PLC0415  (`import whyops` does not pay for what a program may never use)

            with _first_use:
                if self._parts is None:
                    made = assemble(given, lambda: (_recorder_of, self._origin.packed()))
                    self._parts = self._parts or made  # a greenlet, or a `__del__`, may have come in meanwhile
        return self._parts

    def _usable(self) -> Parts | None:
        """Return the parts, or None where they can't be loaded now."""
        if self._parts is not None and open_clients.instead() is None:
            return self._parts
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


def decorated(value: object, begin: Callable[[], Trace]) -> Any:
    """Return `value` with a trace around each call, if it is a function: `trace` is used as a decorator. None for an id."""
    if value is None or type(value) is str:
        return None
    from ._recording.trace_decorator import is_function, traced  # noqa: PLC0415  (as in `_assembled`)

    return traced(value, begin) if is_function(value) else None


open_clients: OpenClients[WhyOps] = OpenClients()
_first_use = threading.RLock()  # a `__del__` may record, and so use a client, while the same thread is at it


def _client_of(token: str, settings: bytes) -> WhyOps:
    """Return the client of a pickle."""
    return open_clients.of_pickle(token, settings, WhyOps._with)  # noqa: SLF001  (of this file)


def _recorder_of(token: str, settings: bytes) -> Recorder:
    """Return the recorder of a pickled client. It records nothing where a setting in the environment can't work."""
    try:
        return _client_of(token, settings)._assembled().recorder  # noqa: SLF001  (as above)
    except ConfigurationError as error:
        guard.notices.say("unpickled", "A trace came from another process, and nothing is recorded in it here. %s", error)
        return _DISCARDING


def _after_fork_in_child() -> None:
    """Give the child ids of its own, and locks that no thread of the parent holds."""
    global _first_use  # noqa: PLW0603  (no thread of the parent holds the new one)
    _first_use = threading.RLock()
    open_clients.renew()
    process_ids.renew()


forks.in_child(_after_fork_in_child)
