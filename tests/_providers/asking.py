"""The providers' official clients against their APIs on loopback, and what a trace makes of their calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import certifi
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


@pytest.fixture(scope="package", autouse=True)
def _one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have each client read one certificate, and not all that certifi has: nothing here speaks TLS."""
    only = tmp_path_factory.mktemp("certificates") / "one.pem"
    only.write_text(certifi.contents().partition("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n", "ascii")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(only))
        yield


@pytest.fixture(scope="package")
def _clients(_one_certificate: None) -> Iterator[tuple[ProviderServer, dict[str, Any]]]:
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
