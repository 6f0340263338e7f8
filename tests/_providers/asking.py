"""The providers' official clients against their APIs on loopback, and what a trace makes of their calls."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from tests._recording.recording import Recording
from tests.server.providers import ProviderServer, messages, openai_form
from whyops._trace.model_calls import ModelCall
from whyops._trace.recorded import RecordedTrace
from whyops._wire.prompt import PromptMessage


class Providers:
    """A server, the official clients of it, and a recording of one trace."""

    def __init__(self, server: ProviderServer, clients: dict[str, Any]) -> None:
        self.server = server
        self.openai: openai.OpenAI = clients["openai"]
        self.anthropic: anthropic.Anthropic = clients["anthropic"]
        self.recording = Recording()
        self.trace = self.recording.trace("trace-1")

    def calls(self) -> tuple[ModelCall, ...]:
        """Return the model calls that were recorded, as a reader sees them."""
        return RecordedTrace.from_events(self.recording.events).model_calls

    def call(self) -> ModelCall:
        """Return the only one."""
        (call,) = self.calls()
        return call


@pytest.fixture(scope="module")
def _clients() -> Iterator[tuple[ProviderServer, dict[str, Any]]]:
    with (
        ProviderServer() as server,
        openai.OpenAI(api_key=openai_form.KEY, base_url=f"{server.url}/v1", max_retries=0) as for_openai,
        anthropic.Anthropic(api_key=messages.KEY, base_url=server.url, max_retries=0) as for_anthropic,
    ):
        yield server, {"openai": for_openai, "anthropic": for_anthropic}


@pytest.fixture
def providers(_clients: tuple[ProviderServer, dict[str, Any]]) -> Iterator[Providers]:
    server, clients = _clients
    server.script.clear()
    server.requests.clear()
    yield Providers(server, clients)
    assert not server.script, "not all that was scripted was asked for"


def said(role: str, content: Any = "", *calls: Any, **names: Any) -> PromptMessage:
    """Return a message as a reader sees it."""
    return PromptMessage(role, content, calls, **names)


def ran(work: Any) -> Any:
    """Run a coroutine to its end."""
    return asyncio.run(work)
