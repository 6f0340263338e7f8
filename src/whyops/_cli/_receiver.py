"""The receiver of OpenTelemetry spans that the environment names, for events that were recorded for one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .._config.otlp import shown_address
from .._config.settings import given
from .._outbox.destination import OTLP, Destination
from ..errors import ConfigurationError

if TYPE_CHECKING:
    from .._otlp.sink import OtlpSink


@dataclass(frozen=True)
class Receiver:
    """A receiver of spans, by its whole address, and the headers for it."""

    address: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)

    def destination(self, agent_name: str) -> Destination:
        """Return the destination of an agent's events that go there."""
        return Destination(OTLP + shown_address(self.address), agent_name, "")

    def sink(self, agent_name: str) -> OtlpSink:
        """Return a sink that sends events as spans."""
        from .._otlp.sink import OtlpSink  # noqa: PLC0415  (who only names a receiver sends nothing)

        return OtlpSink(self.address, self.headers, agent_name)


def receiver_of(home: Path) -> Receiver | None:
    """Return the receiver that the environment names, or None without `WHYOPS_OTLP`."""
    settings = given(home=home).completed()
    return None if settings.otlp is None else Receiver(settings.otlp, dict(settings.otlp_headers))


def required_receiver(home: Path) -> Receiver:
    """Return the receiver that the environment names.

    Raises:
        ConfigurationError: There is none.
    """
    receiver = receiver_of(home)
    if receiver is None:
        raise ConfigurationError(f"This needs a receiver of spans: {HOW_TO_NAME_ONE}.")
    return receiver


HOW_TO_NAME_ONE = "set WHYOPS_OTLP=1, OTEL_EXPORTER_OTLP_ENDPOINT and, if it needs any, OTEL_EXPORTER_OTLP_HEADERS"


def is_for_spans(destination: Destination | None) -> bool:
    """Tell whether events were recorded for a receiver of spans."""
    return destination is not None and destination.url.startswith(OTLP)
