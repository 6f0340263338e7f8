"""What holds after every test with LangChain: no callback failed, nothing is open, nothing is current."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from whyops._recording import context
from whyops.testing import Captured, capture

if TYPE_CHECKING:
    from whyops.integrations.langchain import WhyOpsCallbackHandler

if importlib.util.find_spec("langgraph") is None:  # installed by the sessions that test the integrations
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(autouse=True)
def sound(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Hold after each test: LangChain logged no failed callback, no run is open, no frame is live."""
    from whyops.integrations.langchain._runs import open_runs  # noqa: PLC0415  (not there where LangChain is not)

    caplog.set_level(logging.WARNING)
    open_runs.clear()  # of what other tests left: streams whose end LangChain does not tell
    yield
    said = [record.getMessage() for record in caplog.get_records("call") if record.name.startswith(("langchain_core.callbacks", "whyops"))]
    assert said == []
    assert len(open_runs) == 0
    assert context.top() is None


@pytest.fixture
def captured() -> Iterator[Captured]:
    """Record in memory."""
    with capture() as recorded:
        yield recorded


@pytest.fixture
def handler() -> WhyOpsCallbackHandler:
    """Make a handler as users do: without any argument."""
    from whyops.integrations.langchain import WhyOpsCallbackHandler  # noqa: PLC0415  (not there where LangChain is not)

    return WhyOpsCallbackHandler()
