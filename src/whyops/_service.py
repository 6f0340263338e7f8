"""The sink that is the service, as a client's settings want it. Loaded by the sender: an HTTP client takes longer than all of recording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import _defaults, _guard
from ._delivery.http import HttpSink
from ._settings import Settings
from ._store.keeping import KeepingSink
from ._store.sink import SqliteSink
from .events import Sink, TryLater
from .types import AgentInfo


def service_sink(settings: Settings, agent_metadata: Mapping[str, Any] | None) -> Sink:
    """Return the sink, which tells the service of the agent as `agent_metadata` describes it. `settings` are completed ones."""
    sink = HttpSink(
        analyse_base_url=settings.analyse_base_url or "",
        proxy_base_url=_proxy_of_the_same_service(settings),
        api_key=settings.api_key or "",
        agent_name=settings.agent_name or _defaults.AGENT_NAME,
        agent_metadata=agent_metadata,
        transport=settings.transport,
    )
    if not settings.keep_local or settings.home is None:
        return sink
    store = SqliteSink(settings.home, max_bytes=settings.local_max_bytes or 0, max_age_days=settings.local_max_age_days or 0)
    return KeepingSink(sink, store)


def init_agent(sink: Sink) -> AgentInfo | None:
    """Describe the agent to the service, if that is where the sink sends."""
    if isinstance(sink, KeepingSink):
        sink = sink.sink
    if not isinstance(sink, HttpSink):
        return None
    try:
        return sink.init_agent()
    except TryLater as later:
        _guard.notices.say(
            "init later",
            "The agent can't be described to the service now: %s. It is tried again before its next events are sent.%s",
            later.reason,
            f" {later.remedy}" if later.remedy else "",
        )
        return None


def _proxy_of_the_same_service(settings: Settings) -> str:
    """Return the proxy's address, unless the service is one of the user's own and the proxy the hosted one, which is to learn nothing."""
    is_hosted = settings.proxy_base_url == _defaults.PROXY_URL
    return "" if is_hosted and settings.analyse_base_url != _defaults.ANALYSE_URL else settings.proxy_base_url or ""
