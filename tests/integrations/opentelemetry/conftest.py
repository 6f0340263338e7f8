"""What holds for every test of the way in by OpenTelemetry: nothing of ours fails unseen, nothing stays open, nothing global is touched."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider

from whyops._recording import context
from whyops.integrations.opentelemetry import WhyOpsSpanProcessor
from whyops.testing import Captured, capture


@pytest.fixture(autouse=True)
def _no_fault_of_ours(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.WARNING, "whyops"):
        yield
    assert not [record.getMessage() for record in caplog.get_records("call") if record.name == "whyops"]
    assert context.top() is None


@pytest.fixture
def captured() -> Iterator[Captured]:
    """Let a client that records in memory be the default one."""
    with capture() as captured:
        yield captured


@pytest.fixture
def processor() -> WhyOpsSpanProcessor:
    """Return a processor of the default client's."""
    return WhyOpsSpanProcessor()


@pytest.fixture
def provider(processor: WhyOpsSpanProcessor) -> Iterator[TracerProvider]:
    """Return a provider that nobody else uses. Afterwards no span may be open."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    yield provider
    assert len(processor._open) == 0
