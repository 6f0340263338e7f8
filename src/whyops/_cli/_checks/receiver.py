"""The check of the receiver of OpenTelemetry spans: whether one answers there, and takes the headers."""

from __future__ import annotations

from collections.abc import Iterator

from ..._config.otlp import shown_address
from ..._config.settings import Settings
from ..._otlp.sink import OtlpSink
from ..._render.terminal.doctor_table import Finding
from ..._runtime.clock import CLOCK
from ...events import BatchRejected, RetryLater

SECONDS = 10.0


def check_receiver(settings: Settings) -> Iterator[Finding]:
    """Send a request without spans: one that is refused as such has arrived."""
    if settings.otlp is None:
        return
    address = shown_address(settings.otlp)
    sink = OtlpSink(settings.otlp, dict(settings.otlp_headers), settings.agent_name or "default", settings.transport)
    sink.hurry(CLOCK.monotonic() + SECONDS)
    try:
        sink.probe()
    except BatchRejected:
        yield Finding("good", "spans", f"{address} answers")
    except RetryLater as later:
        yield Finding("bad", "spans", f"{address}: {later.reason}", later.remedy or "What is recorded for it waits in the outbox.")
    else:
        yield Finding("good", "spans", f"{address} answers, and takes spans")
    finally:
        sink.close()
