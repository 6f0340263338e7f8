"""Puts a client together: settings → encoder, recorder, outbox, sender and sink. Imported when a client is first used."""

from __future__ import annotations

import json
import os
import threading
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from . import _guard, _settings
from ._capture.ids import process_ids
from ._capture.recorder import Recorder
from ._capture.serialize import Encoder
from ._delivery.agent import hash_metadata
from ._delivery.delivery import Delivery
from ._delivery.destination import Destination, hash_key
from ._delivery.http import HttpSink
from ._proxy.settings import remember_proxy
from ._settings import Settings, check_agent_is_named
from ._store.keeping import KeepingSink
from ._store.sink import SqliteSink
from ._waiting import awaited, waited
from .events import Sink, TryLater
from .types import AgentInfo

TRACE_END_TIMEOUT = 5.0
"""Seconds that the end of a trace waits at most, where it waits at all."""

_lock = threading.Lock()
_deliveries: weakref.WeakValueDictionary[object, Delivery] = weakref.WeakValueDictionary()


@dataclass(frozen=True)
class Parts:
    """What a client is made of once it is used. `delivery` is None where everything is switched off."""

    settings: Settings
    recorder: Recorder
    delivery: Delivery | None

    def init_agent(self) -> Future[AgentInfo | None] | None:
        """Describe the agent to the service, on the sender's thread; None where there is nothing to tell, or nobody to tell it to."""
        if self.delivery is None or self.settings.agent_metadata is None:
            return None
        return self.delivery.submit(_init_agent)


def assemble(given: Settings) -> Parts:
    """Complete the settings from the environment, and put together what they ask for.

    Raises:
        ConfigurationError: a setting is missing or malformed.
    """
    settings = given.completed()
    check_agent_is_named(settings)
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
    return Parts(settings, recorder, delivery)


def _delivery_for(settings: Settings, encoder: Encoder) -> Delivery:
    """Return the delivery of these settings; clients with the same destination share one.

    A caller's own sink gets its lines through memory: another process could not know where lines in a file were meant to go.
    """
    given = settings.agent_metadata
    metadata = None if given is None else json.loads(encoder.encode(dict(given))[0])
    metadata_hash = hash_metadata(metadata)
    destination, make_sink, make_leftover_sink = _destination(settings, metadata)
    in_file = settings.outbox == "file" and settings.sink is None
    sharing = (destination, settings.home if in_file else None, metadata_hash, id(settings.transport), settings.keep_local)
    with _lock:
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


def _destination(settings: Settings, metadata: dict[str, Any] | None) -> tuple[Destination, Callable[[], Sink], Callable[[], Sink] | None]:
    """Return where lines go, what takes them there, and what takes those of a process that described the agent otherwise."""
    sink, home, key = settings.sink, settings.home, settings.api_key
    agent_name = settings.agent_name or _settings.DEFAULT_AGENT_NAME
    if sink is not None:
        return Destination(f"sink:{id(sink):x}", agent_name, ""), lambda: sink, None
    if key is None:
        assert home is not None  # noqa: S101  (completed settings have one)
        _guard.log(_guard.INFO, "No API key is set: runs are recorded in %s, and shown by `whyops list` and `whyops show last`.", home)
        return Destination("local", "", ""), lambda: SqliteSink(home), None

    def http_sink(agent_metadata: Mapping[str, Any] | None) -> Sink:
        sink = HttpSink(
            analyse_base_url=settings.analyse_base_url or "",
            proxy_base_url=_proxy_of_the_same_service(settings),
            api_key=key,
            agent_name=agent_name,
            agent_metadata=agent_metadata,
            transport=settings.transport,
        )
        return KeepingSink(sink, SqliteSink(home)) if settings.keep_local and home is not None else sink

    destination = Destination(settings.analyse_base_url or "", agent_name, hash_key(key))
    return destination, lambda: http_sink(metadata), lambda: http_sink(None)


def _proxy_of_the_same_service(settings: Settings) -> str:
    """Return the proxy's address, unless the service is one of the user's own and the proxy the hosted one, which is to learn nothing."""
    is_hosted = settings.proxy_base_url == _settings.DEFAULT_PROXY_URL
    return "" if is_hosted and settings.analyse_base_url != _settings.DEFAULT_ANALYSE_URL else settings.proxy_base_url or ""


class _TraceEnd:
    """Waits for delivery at the end of a trace, within bounds."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    def wait(self) -> None:
        waited(self._delivery.flush(), TRACE_END_TIMEOUT, self._delivery.counts)

    async def wait_async(self) -> None:
        await awaited(self._delivery.flush(), TRACE_END_TIMEOUT, self._delivery.counts)


def _init_agent(sink: Sink) -> AgentInfo | None:
    if isinstance(sink, KeepingSink):
        sink = sink.sink
    if not isinstance(sink, HttpSink):
        return None
    try:
        return sink.init_agent()
    except TryLater:  # said when events wait for it; the sink tries again before it sends them
        return None


def _discard(_line: bytes) -> None:
    """Take a line nowhere: everything is switched off."""


def deliveries() -> list[Delivery]:
    """Return all that deliver in this process."""
    return list(_deliveries.values())


def _after_fork_in_child() -> None:
    global _lock  # noqa: PLW0603  (no thread of the parent holds the new one)
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
