"""The composition root: a client puts capture, outbox, sender and sink together, and the module keeps the default one."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from . import _guard, _settings
from ._capture import context
from ._capture.ids import process_ids
from ._capture.recorder import Recorder
from ._capture.serialize import Encoder
from ._capture.trace import Trace
from ._delivery.delivery import Delivery
from ._delivery.destination import Destination, hash_key
from ._delivery.http import HttpSink
from ._proxy.clients import check_client, has_whyops_key, routed
from ._proxy.settings import ProxySettings, proxy_settings, remember_proxy, trace_headers
from ._settings import Settings
from ._store.sink import SqliteSink
from .errors import ConfigurationError, DeliveryError
from .events import Sink
from .types import AgentInfo, AgentMetadata, FlushResult

if TYPE_CHECKING:
    import sys

    import httpx

    if sys.version_info >= (3, 11):
        from typing import Self
    else:
        from typing_extensions import Self

C = TypeVar("C")
R = TypeVar("R")

FLUSH_TIMEOUT = 30.0
"""Seconds that `flush`, `close` and `init_agent` wait at most, unless told otherwise."""

TRACE_END_TIMEOUT = 5.0
"""Seconds that the end of a trace waits at most, where it waits at all."""

INTRODUCTION_TIMEOUT = 5.0
"""Seconds that a client's first use of the proxy waits at most for the agent to be known to the service."""


class WhyOps:
    """A client: one agent, one destination. Make one per agent, once, and keep it.

    With an API key, events go to the WhyOps service; without one, to a local store that the `whyops` command shows. What is left out comes
    from the environment (`WHYOPS_API_KEY`, `WHYOPS_AGENT_NAME`, `WHYOPS_PROXY_BASE_URL`, `WHYOPS_ANALYSE_BASE_URL`, `WHYOPS_HOME`,
    `WHYOPS_CAPTURE_CONTENT`), read at first use. No thread, no file and no connection is made before the first event.

    Args:
        api_key: The service's key. Never written to disk, logs or errors.
        agent_name: The agent's stable name, 1 to 255 characters; needed with a key, as the service allows few agents per account.
        agent_metadata: `{"systemPrompt", "description"?, "tools"?}`; changing it makes a new version of the agent on the service.
        proxy_base_url: Where model traffic goes, if not to the hosted service.
        analyse_base_url: Where events go, if not to the hosted service.
        home: The folder for local data; default `~/.whyops`.
        sink: Takes the events in place of the service or the local store.
        redact: Called last with each value that is to be recorded, as plain JSON types; returns what is recorded instead.
        redact_keys: Names of arguments and keys to redact, beyond the usual ones.
        keep_keys: Names that are not to be redacted.
        capture_content: False records names, times and sizes only.
        max_value_bytes: The most that one value may take; longer ones are cut with a visible marker.
        outbox: "file", so that what was recorded outlives the process, or "memory".
        outbox_max_bytes: The most that may wait for delivery; beyond it new events are counted and dropped.
        exit_timeout: Seconds that the end of the process may wait for delivery; default 5, or 10 with a memory outbox.
        flush_at_trace_end: Whether leaving the outermost trace waits for delivery; default only on AWS Lambda.
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
        max_value_bytes: int = _settings.MAX_VALUE_BYTES,
        outbox: Literal["file", "memory"] = "file",
        outbox_max_bytes: int = _settings.OUTBOX_MAX_BYTES,
        exit_timeout: float | None = None,
        flush_at_trace_end: bool | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._given = _settings.given(
            api_key=api_key,
            agent_name=agent_name,
            agent_metadata=agent_metadata,
            proxy_base_url=proxy_base_url,
            analyse_base_url=analyse_base_url,
            home=home,
            sink=sink,
            redact=redact,
            redact_keys=redact_keys,
            keep_keys=keep_keys,
            capture_content=capture_content,
            max_value_bytes=max_value_bytes,
            outbox=outbox,
            outbox_max_bytes=outbox_max_bytes,
            exit_timeout=exit_timeout,
            flush_at_trace_end=flush_at_trace_end,
            transport=transport,
        )
        self._parts: _Parts | None = None
        self._closed = False
        self._introduced = False
        if self._given.api_key is not None:
            _check_agent_is_named(self._given.completed())
        _open_clients.add(self)

    def __repr__(self) -> str:
        return f"<whyops.WhyOps agent_name={self._given.agent_name!r}>"

    def trace(
        self,
        id: object = None,  # noqa: A002  (the name that users write)
        external_user_id: object = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        trace_id: object = None,
    ) -> Trace:
        """Return the trace of this id, to use plain, with `with` or with `async with`.

        Trace ids are global on the service: choose ids that nobody else has. Left out, one is made. `external_user_id` (at most 255
        characters) and `metadata` go on all its events. `trace_id` is the published client's name for `id`.
        """
        return Trace(self._assembled().recorder, trace_id if id is None else id, external_user_id, metadata)

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
        settings = proxy_settings(self._assembled().settings, provider)
        self._introduce_agent()
        return settings

    def init_agent_sync(self) -> AgentInfo | None:
        """Describe the agent to the service now, and wait for its answer; None without a key, or if the service did not take it.

        Otherwise this is done before the first event.
        """
        future = self._init_agent()
        try:
            return None if future is None else future.result(FLUSH_TIMEOUT)
        except FutureTimeoutError:
            return None

    async def init_agent(self) -> AgentInfo | None:
        """Describe the agent to the service now, and await its answer; None without a key, or if the service did not take it."""
        future = self._init_agent()
        return None if future is None else await _awaited(future, FLUSH_TIMEOUT, lambda: None)

    def flush_sync(self, timeout: float | None = FLUSH_TIMEOUT, *, raise_on_failure: bool = False) -> FlushResult:
        """Wait until all that was recorded before this call is delivered, at most `timeout` seconds, and return the counts.

        Raises:
            DeliveryError: `raise_on_failure` was asked for, and events wait, are parked or were dropped.
        """
        delivery = self._delivery()
        if delivery is None:
            return FlushResult()
        try:
            result = delivery.flush().result(timeout)
        except FutureTimeoutError:
            result = delivery.counts()
        return _checked(result, raise_on_failure=raise_on_failure)

    async def flush(self, timeout: float | None = FLUSH_TIMEOUT, *, raise_on_failure: bool = False) -> FlushResult:
        """Await the delivery of all that was recorded before this call, at most `timeout` seconds, and return the counts.

        Raises:
            DeliveryError: `raise_on_failure` was asked for, and events wait, are parked or were dropped.
        """
        delivery = self._delivery()
        if delivery is None:
            return FlushResult()
        return _checked(await _awaited(delivery.flush(), timeout, delivery.counts), raise_on_failure=raise_on_failure)

    def close_sync(self, timeout: float | None = FLUSH_TIMEOUT) -> FlushResult:
        """Flush, then let go of thread, connection and file. An event recorded later opens them again."""
        self._closed = True
        delivery = self._delivery()
        if delivery is None:
            return FlushResult()
        try:
            return delivery.close().result(timeout)
        except FutureTimeoutError:
            return delivery.counts()

    async def close(self, timeout: float | None = FLUSH_TIMEOUT) -> FlushResult:
        """Flush, then let go of thread, connection and file. An event recorded later opens them again."""
        self._closed = True
        delivery = self._delivery()
        if delivery is None:
            return FlushResult()
        return await _awaited(delivery.close(), timeout, delivery.counts)

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
            return {**headers, **trace_headers(trace.id, trace.external_user_id)}
        _guard.notices.say(
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
        self._introduced = True
        future = self._init_agent()
        if future is not None:
            with contextlib.suppress(FutureTimeoutError):
                future.exception(INTRODUCTION_TIMEOUT)

    def _init_agent(self) -> Future[AgentInfo | None] | None:
        delivery = self._assembled().delivery
        return None if delivery is None else delivery.submit(_init_agent)

    def _delivery(self) -> Delivery | None:
        return None if self._parts is None else self._parts.delivery

    def _assembled(self) -> _Parts:
        """Return the parts, put together at first use: that is when the environment is read."""
        parts = self._parts
        if parts is None:
            with _first_use:
                if self._parts is None:
                    self._parts = _assemble(self._given)
                parts = self._parts
        return parts


@dataclass(frozen=True)
class _Parts:
    """What a client is made of once it is used. `delivery` is None where everything is switched off."""

    settings: Settings
    recorder: Recorder
    delivery: Delivery | None


def _assemble(given: Settings) -> _Parts:
    settings = given.completed()
    _check_agent_is_named(settings)
    agent_name = settings.agent_name or _settings.DEFAULT_AGENT_NAME
    settings = replace(settings, agent_name=agent_name)
    remember_proxy(settings.proxy_base_url or _settings.DEFAULT_PROXY_URL)
    encoder = Encoder(
        max_value_bytes=settings.max_value_bytes,
        redact_keys=settings.redact_keys,
        keep_keys=settings.keep_keys,
        redact=settings.redact,
    )
    delivery = None if settings.disabled else _delivery_for(settings, encoder)
    recorder = Recorder(
        agent_name=agent_name,
        encode=encoder.encode,
        record=_discard if delivery is None else delivery.record,
        enabled=delivery is not None,
        capture_content=settings.capture_content is not False,
        at_trace_end=_TraceEnd(delivery) if delivery is not None and settings.flush_at_trace_end else None,
    )
    return _Parts(settings, recorder, delivery)


def _delivery_for(settings: Settings, encoder: Encoder) -> Delivery:
    """Return the delivery of these settings; clients with the same destination share one.

    A caller's own sink gets its lines through memory: another process could not know where lines in a file were meant to go.
    """
    metadata = json.loads(encoder.encode(dict(settings.agent_metadata or {}))[0])
    metadata_hash = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode()).hexdigest()[:16]
    destination, make_sink, make_leftover_sink = _destination(settings, metadata)
    in_file = settings.outbox == "file" and settings.sink is None
    sharing = (destination, settings.home if in_file else None, metadata_hash, id(settings.transport))
    with _sharing:
        delivery = _deliveries.get(sharing)
        if delivery is None:
            delivery = _deliveries[sharing] = Delivery(
                destination,
                make_sink,
                home=settings.home if in_file else None,
                metadata_hash=metadata_hash,
                outbox_max_bytes=settings.outbox_max_bytes,
                exit_timeout=settings.exit_timeout,
                process_nonce=lambda: process_ids.nonce,
                make_leftover_sink=make_leftover_sink,
            )
    return delivery


def _destination(settings: Settings, metadata: dict[str, Any]) -> tuple[Destination, Callable[[], Sink], Callable[[], Sink] | None]:
    """Return where lines go, what takes them there, and what takes those of a process that described the agent otherwise."""
    sink, home, key = settings.sink, settings.home, settings.api_key
    agent_name = settings.agent_name or _settings.DEFAULT_AGENT_NAME
    if sink is not None:
        return Destination(f"sink:{id(sink):x}", agent_name, ""), lambda: sink, None
    if key is None:
        assert home is not None  # noqa: S101  (completed settings have one)
        _guard.logger.info("No API key is set: runs are recorded in %s, and shown by `whyops list` and `whyops show last`.", home)
        return Destination("local", "", ""), lambda: SqliteSink(home), None

    def http_sink(agent_metadata: Mapping[str, Any] | None) -> HttpSink:
        return HttpSink(
            analyse_base_url=settings.analyse_base_url or "",
            proxy_base_url=settings.proxy_base_url or "",
            api_key=key,
            agent_name=agent_name,
            agent_metadata=agent_metadata,
            transport=settings.transport,
        )

    destination = Destination(settings.analyse_base_url or "", agent_name, hash_key(key))
    return destination, lambda: http_sink(metadata), lambda: http_sink(None)


class _TraceEnd:
    """Waits for delivery at the end of a trace, within bounds."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    def wait(self) -> None:
        with contextlib.suppress(FutureTimeoutError):
            self._delivery.flush().result(TRACE_END_TIMEOUT)

    async def wait_async(self) -> None:
        await _awaited(self._delivery.flush(), TRACE_END_TIMEOUT, self._delivery.counts)


def _init_agent(sink: Sink) -> AgentInfo | None:
    return sink.init_agent() if isinstance(sink, HttpSink) else None


def _discard(_line: bytes) -> None:
    """Take a line nowhere: everything is switched off."""


def _check_agent_is_named(settings: Settings) -> None:
    if settings.api_key is not None and settings.agent_name is None and settings.sink is None and not settings.disabled:
        raise ConfigurationError(
            "agent_name is missing: with an API key each client needs one, as the service allows few agents per account. "
            "Pass agent_name=… or set WHYOPS_AGENT_NAME."
        )


def _checked(result: FlushResult, *, raise_on_failure: bool) -> FlushResult:
    if raise_on_failure and (result.waiting or result.parked or result.dropped):
        raise DeliveryError(f"Not everything is delivered: {result}. `whyops status` tells why.")
    return result


async def _awaited(future: Future[R], timeout: float | None, otherwise: Callable[[], R]) -> R:
    """Await a future of another thread without cancelling it; past the limit return what `otherwise` gives."""
    import asyncio  # noqa: PLC0415  (whoever awaits has it loaded; whoever does not need not pay for it)

    try:
        return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(future)), timeout)
    except asyncio.TimeoutError:
        return otherwise()


# The default client

_first_use = threading.Lock()
_sharing = threading.Lock()
_deliveries: weakref.WeakValueDictionary[object, Delivery] = weakref.WeakValueDictionary()
_open_clients: weakref.WeakSet[WhyOps] = weakref.WeakSet()
_chosen: WhyOps | None = None
_from_environment: WhyOps | None = None


@functools.wraps(WhyOps.__init__, assigned=("__annotations__",))
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


def trace(id: object = None, external_user_id: object = None, metadata: Mapping[str, Any] | None = None) -> Trace:  # noqa: A002
    """Return a trace of the default client: the one that `configure` made, else the only open one, else one from the environment.

    Raises:
        ConfigurationError: Several clients are open and none was chosen, or a setting in the environment is malformed.
    """
    return default_client().trace(id, external_user_id, metadata)


def default_client() -> WhyOps:
    """Return the default client, made from the environment if there is none.

    Raises:
        ConfigurationError: Several clients are open and none was chosen.
    """
    client = _existing_default()
    return client if client is not None else _client_from_environment()


def forget_clients() -> None:
    """Close every client, and choose none: for tests, and for programs that start over."""
    global _chosen, _from_environment  # noqa: PLW0603  (none is the default any more)
    for client in list(_open_clients):
        if client.is_open:
            client.close_sync()
    _chosen = _from_environment = None


def _existing_default() -> WhyOps | None:
    if _chosen is not None and _chosen.is_open:
        return _chosen
    candidates = [client for client in list(_open_clients) if client.is_open and client is not _from_environment]
    if len(candidates) > 1:
        raise ConfigurationError(
            f"{len(candidates)} clients are open and none is the default: use sdk.trace(…) of the one you mean, or make it with "
            "whyops.configure(…)."
        )
    if candidates:
        return candidates[0]
    return _from_environment if _from_environment is not None and _from_environment.is_open else None


def _client_from_environment() -> WhyOps:
    global _from_environment  # noqa: PLW0603  (made once, when it is first needed)
    name = _settings.agent_name_from_environment()
    if name is None and _settings.has_key() and not _settings.is_disabled():
        _guard.logger.warning("WHYOPS_AGENT_NAME is not set: events are recorded under the agent name %r.", _settings.DEFAULT_AGENT_NAME)
    _from_environment = WhyOps(agent_name=name or _settings.DEFAULT_AGENT_NAME)
    return _from_environment


def _trace_for_call(trace_id: str | None) -> Trace | None:
    """Return a trace for a tool call outside any, or None in a program that configured nothing."""
    if _settings.is_disabled():
        return None
    try:
        client = _existing_default()
    except ConfigurationError as error:
        _guard.notices.say("tool outside a trace", "A tool call outside any trace is not recorded. %s", error)
        return None
    if client is None:
        if not _settings.has_key():
            return None
        client = _client_from_environment()
    return client.trace(trace_id)


def _after_fork_in_child() -> None:
    """Give the child ids of its own, and locks that no thread of the parent holds."""
    global _first_use, _sharing
    _first_use, _sharing = threading.Lock(), threading.Lock()
    process_ids.renew()
    _guard.after_fork_in_child()


context.set_fallback(_trace_for_call)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
