"""What the integrations offer under the same names takes the same arguments, and those of before go on working."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType

import pytest

import whyops
from whyops.testing import MemorySink

pytest.importorskip("langchain_core", reason="installed by the sessions that test the integrations")
pytest.importorskip("llama_index.core", reason="installed by the sessions that test the integrations")

INTEGRATIONS = {name: importlib.import_module(f"whyops.integrations.{name}") for name in ("langchain", "llama_index")}


@pytest.fixture
def sdk() -> Iterator[whyops.WhyOps]:
    with whyops.WhyOps(api_key="whyops_k", agent_name="mine", sink=MemorySink(), outbox="memory") as client:
        yield client


@pytest.mark.parametrize("name", ["instrument", "proxy_kwargs"])
def test_the_same_arguments(name):
    """Of the same kind, in the same order, with the same defaults."""
    one, other = (inspect.signature(getattr(integration, name)).parameters for integration in INTEGRATIONS.values())
    assert one == other


@pytest.mark.parametrize("integration", INTEGRATIONS.values(), ids=list(INTEGRATIONS))
def test_the_client_may_be_given_in_any_way(integration: ModuleType, sdk: whyops.WhyOps):
    """By position, by either name, or not at all: then it is the default one."""
    kwargs = integration.proxy_kwargs(sdk, "openai")
    assert kwargs["api_key"] == "whyops_k"
    assert kwargs["default_headers"] == {"X-Agent-Name": "mine"}
    assert integration.proxy_kwargs(client=sdk, provider="openai") == kwargs
    assert integration.proxy_kwargs(sdk=sdk, provider="openai") == kwargs
    assert integration.proxy_kwargs(None, "openai") == kwargs


@pytest.mark.parametrize("integration", INTEGRATIONS.values(), ids=list(INTEGRATIONS))
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_the_headers_may_name_a_trace(integration: ModuleType, provider: str, sdk: whyops.WhyOps):
    """For a model that is made for one trace."""
    trace = sdk.trace("t", external_user_id="user_1")
    headers = integration.proxy_kwargs(sdk, provider, trace=trace)["default_headers"]
    assert headers == {"X-Agent-Name": "mine", "X-Trace-ID": "t", "X-Thread-ID": "t", "X-External-User-Id": "user_1"}
