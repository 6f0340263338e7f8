"""Puts a client together: settings → encoder, recorder, outbox, sender and sink. Imported when a client is first used."""

from __future__ import annotations

import json
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ._config import defaults, environment
from ._config.settings import Settings, check_agent_is_named
from ._delivery.delivery import Delivery
from ._delivery.pace import PACE
from ._encoding.core import core
from ._encoding.encoder import Encoder
from ._outbox.destination import OTLP, Destination, digest, hash_key
from ._recording import context
from ._recording.async_twin import tell_inspect
from ._recording.ids import process_ids
from ._recording.proxy_headers import proxy_headers
from ._recording.recorder import Recorder, lose_uncounted
from ._runtime import forks, guard
from ._runtime.clock import CLOCK
from ._runtime.waiting import loop_is_running
from ._service.agents import hash_metadata
from ._service.proxy_addresses import remember_proxy
from .errors import StoreError
from .events import RetryLater, Sink
from .types import AgentInfo, FlushResult

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ._delivery.fan_out import AnyDelivery
    from ._store.sink import SqliteSink

C = TypeVar("C")

TRACE_END_TIMEOUT = 5.0
"""Seconds that the end of a trace waits at most, where it waits at all and `exit_timeout` says nothing else."""

VAIN_SECONDS = 60.0
"""For how long no end of a trace waits, once one did in vain."""

_lock = threading.RLock()  # a `__del__` may record, and so use a client, while the same thread is at it
_deliveries: weakref.WeakValueDictionary[object, AnyDelivery] = weakref.WeakValueDictionary()


class Route:
    """Where lines go, what takes them there, and what takes those of a process that described the agent otherwise."""

    def __init__(self, destination: Destination, make_sink: Callable[[], Sink], make_orphan_sink: Callable[[], Sink] | None = None) -> None:
        self.destination = destination
        self.make_sink = make_sink
        self.make_orphan_sink = make_orphan_sink


class Parts:
    """What a client is made of once it is used. `delivery` is None where everything is switched off."""

    def __init__(self, settings: Settings, recorder: Recorder, delivery: AnyDelivery | None) -> None:
        self.settings = settings
        self.recorder = recorder
        self.delivery = delivery

    def init_agent(self, timeout: float) -> AgentInfo | None:
        """Describe the agent to the service, on the sender's thread; None where there is nothing to tell, or nobody to tell it to."""
        delivery = self._delivery_to_service()
        return None if delivery is None else delivery.wait(delivery.submit(_init_agent), timeout, lambda: None)

    async def init_agent_async(self, timeout: float) -> AgentInfo | None:
        """Do as `init_agent` does, without blocking the event loop."""
        delivery = self._delivery_to_service()
        return None if delivery is None else await delivery.wait_async(delivery.submit(_init_agent), timeout, lambda: None)

    def proxy_headers(self) -> dict[str, str]:
        """Return what a request that is made now tells the proxy: the agent, and the current trace if it is this agent's."""
        own = self.recorder.agent_name
        headers = {"X-Agent-Name": own}
        trace = context.current_writer()
        if trace is not None and trace.recorder.agent_name == own:
            headers |= proxy_headers(trace)
        elif trace is not None:
            guard.notices.say(
                "proxy in another's trace",
                "A model call of agent %r, made in a trace of agent %r, gets a trace of its own: "
                "the service keeps each trace to one agent.",
                own,
                trace.recorder.agent_name,
            )
        return headers

    def recorded_client(self, client: C, provider: str) -> C:
        """Return a copy of a provider's client that speaks to the provider, and whose model calls are recorded here.

        Raises:
            TypeError: `client` is not one of the provider's official clients.
            ConfigurationError: It would send the provider a WhyOps key.
        """
        from ._recording.client_call import begin_call  # noqa: PLC0415  (most programs need it not)
        from ._service.clients import check_client, keep_whyops_key, named_provider  # noqa: PLC0415  (as above)
        from ._service.recorded_clients import recorded  # noqa: PLC0415  (as above)

        check_client(client, provider, variants=True)
        keep_whyops_key(client)
        return recorded(client, partial(begin_call, named_provider(client, provider)))

    def _delivery_to_service(self) -> AnyDelivery | None:
        settings = self.settings
        return None if settings.agent_metadata is None or settings.sink is not None or settings.api_key is None else self.delivery


def load() -> None:
    """Load all that recording takes, where a client is made: later no file descriptor may be free for it."""
    core().to_json({})  # its first call loads the modules of the types that it knows
    digest(b"")  # so does that of what hashes


def _credentials(settings: Settings) -> tuple[str, ...]:
    """Return the secrets of a receiver of spans, which nothing recorded may quote."""
    if settings.otlp is None:
        return ()
    from ._encoding.redaction.credentials import credentials  # noqa: PLC0415  (few have one)

    return credentials(settings.otlp, settings.otlp_headers)


def assemble(given: Settings, reduce_recorder: Callable[[], tuple[object, ...]]) -> Parts:
    """Complete the settings from the environment, and put together what they ask for. `reduce_recorder` says how a recorder is pickled.

    Raises:
        ConfigurationError: a setting is missing or malformed.
    """
    settings = given.completed()
    check_agent_is_named(settings)
    agent_name = settings.agent_name or defaults.AGENT_NAME
    settings = settings.but(agent_name=agent_name)
    remember_proxy(settings.proxy_base_url or defaults.PROXY_URL)
    encoder = Encoder(
        max_value_bytes=settings.max_value_bytes,
        redact_keys=settings.redact_keys,
        keep_keys=settings.keep_keys,
        redact=settings.redact,
        known=filter(None, (settings.api_key, environment.text(environment.TRUST_SECRET), *_credentials(settings))),
    )
    delivery = None if settings.disabled else _delivery_for(settings, encoder)
    recorder = Recorder(
        agent_name=agent_name,
        encode=encoder.encode,
        record=_discard if delivery is None else delivery.record,
        lose=lose_uncounted if delivery is None else delivery.lose,
        enabled=delivery is not None,
        capture_content=settings.capture_content is not False,
        capture_prompts=settings.capture_prompts is not False,
        record_steps=settings.record_steps is True,
        max_value_bytes=settings.max_value_bytes,
        at_trace_end=_TraceEnd(delivery, settings.exit_timeout) if delivery is not None and settings.flush_at_trace_end else None,
        reduce=reduce_recorder,
    )
    return Parts(settings, recorder, delivery)


def _delivery_for(settings: Settings, encoder: Encoder) -> AnyDelivery:
    """Return the delivery of these settings; clients with the same destinations share one.

    A caller's own sink gets its lines through memory: another process could not know where lines in a file were meant to go.
    """
    metadata = None if settings.agent_metadata is None else json.loads(encoder.encode(dict(settings.agent_metadata))[0])
    metadata_hash = hash_metadata(metadata)
    routes = _routes(settings, metadata)
    in_file = settings.outbox == "file" and settings.sink is None
    if settings.home is None and settings.sink is None and (in_file or settings.api_key is None or settings.keep_local):
        guard.notices.say(
            "homeless",
            "There is no folder for recordings, so events wait in memory: what is not delivered before this process ends is lost. %s",
            settings.home_trouble,
        )
    home = settings.home if in_file else None
    sharing = (
        tuple(route.destination for route in routes),
        home,
        metadata_hash,
        id(settings.transport),
        hash((settings.otlp, settings.otlp_headers)),
        settings.keep_local,
        settings.local_max_age_days,
        settings.local_max_bytes,
    )
    with _lock:
        delivery = _deliveries.get(sharing)
        if delivery is None:
            make = partial(
                _made,
                home=home,
                metadata_hash=metadata_hash,
                outbox_max_bytes=settings.outbox_max_bytes,
                exit_timeout=settings.exit_timeout,
                process_nonce=lambda: process_ids.nonce,
                pace=PACE,
            )
            delivery = _deliveries.setdefault(sharing, make(routes))
    return delivery


def _made(routes: Sequence[Route], **options: Any) -> AnyDelivery:
    first, *others = routes
    if not others:
        return Delivery(first.destination, first.make_sink, make_orphan_sink=first.make_orphan_sink, **options)
    from ._delivery.fan_out import FanOut  # noqa: PLC0415  (most programs have one destination)
    from ._delivery.follower import Follower  # noqa: PLC0415  (as above)
    from ._delivery.leader import Leader  # noqa: PLC0415  (as above)

    made = [Follower(one.destination, one.make_sink, make_orphan_sink=one.make_orphan_sink, **options) for one in others]
    return FanOut(Leader(made, first.destination, first.make_sink, make_orphan_sink=first.make_orphan_sink, **options))


def _routes(settings: Settings, metadata: dict[str, Any] | None) -> list[Route]:
    """Return where lines go: to the service, the local store or a sink, and to a receiver of spans, or there alone."""
    if settings.otlp is None:
        return [_first_route(settings, metadata)]
    from ._config.otlp import shown_address  # noqa: PLC0415  (most programs send no spans)

    is_alone = settings.sink is None and settings.api_key is None and not settings.keep_local
    address = shown_address(settings.otlp)
    guard.log(guard.INFO, "Runs are sent as OpenTelemetry spans to %s.", address)
    receiver = Destination(OTLP + address, settings.agent_name or defaults.AGENT_NAME, "")
    spans = Route(receiver, lambda: _otlp_sink(settings))
    return [spans] if is_alone else [_first_route(settings, metadata), spans]


def _first_route(settings: Settings, metadata: dict[str, Any] | None) -> Route:
    sink, home, key = settings.sink, settings.home, settings.api_key
    agent_name = settings.agent_name or defaults.AGENT_NAME
    if sink is not None:
        return Route(Destination(f"sink:{id(sink):x}", agent_name, ""), lambda: sink)
    if key is None:
        if home is not None:
            guard.log(guard.INFO, "No API key is set: runs are recorded in %s, and shown by `whyops list` and `whyops show last`.", home)
        return Route(Destination("local", "", ""), lambda: _local_sink(settings))

    destination = Destination(settings.analyse_base_url or "", agent_name, hash_key(key))
    return Route(destination, lambda: _service_sink(settings, metadata), lambda: _service_sink(settings, metadata, if_unknown=True))


# These run in the sender's thread: the two that make a sink while forks wait, the third once that is done.


def _local_sink(settings: Settings) -> SqliteSink:
    if settings.home is None:
        raise StoreError("There is no folder for it. Set WHYOPS_HOME to one, or WHYOPS_API_KEY.")
    from ._store.sink import SqliteSink  # noqa: PLC0415  (the first event does not pay for what sends it)

    return SqliteSink(settings.home, max_bytes=settings.local_max_bytes or 0, max_age_days=settings.local_max_age_days or 0)


def _service_sink(settings: Settings, agent_metadata: Mapping[str, Any] | None, *, if_unknown: bool = False) -> Sink:
    """Return the sink that is the service, which hears of the agent as `agent_metadata` describes it; or only if it does not know it."""
    from ._service.introduction import alone_in  # noqa: PLC0415  (as above)
    from ._service.sink import HttpSink  # noqa: PLC0415  (as above)
    from ._store.tee import KeepingSink  # noqa: PLC0415  (as above)

    sink = HttpSink(
        analyse_base_url=settings.analyse_base_url or "",
        proxy_base_url=settings.proxy_of_service,
        api_key=settings.api_key or "",
        agent_name=settings.agent_name or defaults.AGENT_NAME,
        agent_metadata=agent_metadata,
        if_unknown=if_unknown,
        alone=alone_in(settings.home),
        transport=settings.transport,
    )
    return KeepingSink(sink, _local_sink(settings)) if settings.keep_local and settings.home is not None else sink


def _otlp_sink(settings: Settings) -> Sink:
    from ._otlp.sink import OtlpSink  # noqa: PLC0415  (as above)

    agent_name = settings.agent_name or defaults.AGENT_NAME
    return OtlpSink(settings.otlp or "", dict(settings.otlp_headers), agent_name, settings.transport)


def _init_agent(sink: Sink) -> AgentInfo | None:
    """Describe the agent to the service, if that is where the sink sends."""
    from ._service.sink import HttpSink  # noqa: PLC0415  (as above)
    from ._store.tee import KeepingSink  # noqa: PLC0415  (as above)

    service = sink.sink if isinstance(sink, KeepingSink) else sink
    try:
        return service.init_agent() if isinstance(service, HttpSink) else None
    except RetryLater as later:
        guard.notices.say(
            "init later",
            "The agent can't be described to the service now: %s. It is tried again before its next events are sent.%s",
            later.reason,
            f" {later.remedy}" if later.remedy else "",
        )
        return None


class _TraceEnd:
    """Waits for delivery at the end of a trace, within bounds; after a wait in vain not for a while, unless something gets through."""

    def __init__(self, delivery: AnyDelivery, seconds: float | None) -> None:
        self._delivery = delivery
        self._seconds = TRACE_END_TIMEOUT if seconds is None else seconds
        self._until = 0.0
        self._settled = 0

    def wait(self) -> None:
        if loop_is_running():
            guard.notices.say(
                "trace end", "A trace's `with` holds up the event loop until its events are delivered. In a coroutine, use `async with`."
            )
        if (future := self._flush()) is not None:
            self._delivery.wait(future, self._seconds, self._in_vain)

    async def wait_async(self) -> None:
        if (future := self._flush()) is not None:
            await self._delivery.wait_async(future, self._seconds, self._in_vain)

    @guard.recording
    def _flush(self) -> Future[FlushResult] | None:
        is_vain = self._delivery.settled() == self._settled and CLOCK.monotonic() < self._until
        return None if is_vain else self._delivery.flush()

    def _in_vain(self) -> FlushResult:
        self._settled = self._delivery.settled()
        self._until = CLOCK.monotonic() + VAIN_SECONDS
        return FlushResult()


def _discard(_line: bytes) -> None:
    """Take a line nowhere: everything is switched off."""


def deliveries() -> list[AnyDelivery]:
    """Return all that deliver in this process."""
    return list(_deliveries.values())


def _after_fork_in_child() -> None:
    global _lock  # noqa: PLW0603  (no thread of the parent holds the new one)
    _lock = threading.RLock()


forks.in_child(_after_fork_in_child)
tell_inspect()  # what comes with a client has loaded it
