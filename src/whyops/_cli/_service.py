"""The WhyOps service that the environment names with a key and addresses, and the destinations that events were recorded for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .._config.settings import Settings, given
from .._outbox.destination import Destination, hash_key
from ..errors import ConfigurationError
from ._receiver import Receiver, is_for_spans

if TYPE_CHECKING:
    from .._service.reader import ServiceReader
    from .._service.sink import HttpSink

LOCAL = "local"
"""The address of the destination that is the local store."""


@dataclass(frozen=True)
class Service:
    """A WhyOps service and a key for it."""

    analyse_url: str
    api_key: str = field(repr=False)
    settings: Settings = field(repr=False)

    def destination(self, agent_name: str) -> Destination:
        """Return the destination of an agent's events with this key."""
        return Destination(self.analyse_url, agent_name, hash_key(self.api_key))

    def reader(self) -> ServiceReader:
        """Return a reader of what the service has stored."""
        from .._service.reader import ServiceReader  # noqa: PLC0415  (most commands read here only)

        return ServiceReader(self.analyse_url, self.api_key)

    def sink(self, agent_name: str) -> HttpSink:
        """Return a sink that sends events. Only an agent that the service does not know is described, and with the placeholder."""
        from .._service.introduction import alone_in  # noqa: PLC0415  (as above)
        from .._service.sink import HttpSink  # noqa: PLC0415  (as above)

        return HttpSink(
            analyse_base_url=self.analyse_url,
            proxy_base_url=self.settings.proxy_of_service,
            api_key=self.api_key,
            agent_name=agent_name,
            agent_metadata=None,
            alone=alone_in(self.settings.home),
        )


def service_of(home: Path) -> Service | None:
    """Return the service that the environment names, or None without a key."""
    settings = given(home=home).completed()
    return None if settings.api_key is None else Service(settings.analyse_base_url or "", settings.api_key, settings)


def required_service(home: Path) -> Service:
    """Return the service that the environment names.

    Raises:
        ConfigurationError: There is no key.
    """
    service = service_of(home)
    if service is None:
        raise ConfigurationError("This needs an API key: set WHYOPS_API_KEY.")
    return service


def is_reachable(destination: Destination | None, service: Service | None, receiver: Receiver | None) -> bool:
    """Return whether the current settings are those that the events were recorded with."""
    return destination is not None and (
        destination.url == LOCAL
        or any(one is not None and destination == one.destination(destination.agent_name) for one in (service, receiver))
    )


def destination_name(destination: Destination | None) -> str:
    """Return what a destination is called in a sentence."""
    if destination is None:
        return "an unknown destination"
    if is_for_spans(destination):
        return f"{destination.agent_name} at {destination.name()} (OpenTelemetry spans)"
    return "the local store" if destination.url == LOCAL else f"{destination.agent_name} at {destination.url}"
