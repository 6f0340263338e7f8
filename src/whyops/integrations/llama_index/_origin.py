"""Whose traces are recorded: what `instrument` and the classic handler were made with."""

from __future__ import annotations

from typing import Any, Literal

from ..._client import WhyOps, default_client
from ..._encoding.instance_fields import fields
from ..._recording import context
from ..._recording.ids import safe_id, safe_user_id
from ..._recording.trace import Trace
from ..._runtime import guard
from ..._service.proxy import llama_index_keywords
from ..._service.proxy_addresses import goes_through_proxy
from ...errors import ConfigurationError


class Origin:
    """Gives each root operation its trace: the one with the id that was asked for, else the current one, else one of its own.

    The current trace counts if it is the client's that was asked for.
    """

    __slots__ = ("_client", "_trace_id", "_user_id", "llm_events")

    def __init__(self, client: WhyOps | None, trace_id: object, external_user_id: object, *, llm_events: bool) -> None:
        self._client = client
        self._trace_id = None if trace_id is None else safe_id(trace_id)
        self._user_id = None if external_user_id is None else safe_user_id(external_user_id)
        self.llm_events: bool = llm_events

    def trace_under(self, frame: context.Frame | None) -> Trace | None:
        """Return the trace that was asked for, or the current one; None where there is none."""
        current = None if frame is None else frame.trace
        if current is None or (self._client is not None and current.recorder is not self._client._assembled().recorder):  # noqa: SLF001  (the same package)
            return None
        if self._trace_id not in (None, current.id):
            return Trace(current.recorder, self._trace_id, self._user_id or current.external_user_id)
        if self._user_id is not None and current.external_user_id != self._user_id:
            current.set_user(self._user_id)
        return current

    def new_trace(self, id_: str | None = None, user_id: str | None = None) -> Trace | None:
        """Return a trace for a root operation, or the one that began elsewhere; None, said once, if no client can be told."""
        try:
            client = self._client if self._client is not None else default_client()
            return client.trace(self._trace_id or id_, self._user_id or user_id)
        except ConfigurationError as error:
            guard.notices.say("llama_index without a client", "LlamaIndex is not recorded. %s", error)
            return None


def is_proxied(instance: object) -> bool:
    """Tell whether a model's calls go to the WhyOps proxy, which records them itself: by its address, or by its client's."""
    held = fields(instance) if instance is not None else {}
    clients = [getattr(instance, name, None) for name in ("_client", "_aclient")]
    addresses = [held.get("api_base"), held.get("base_url"), *(getattr(client, "base_url", None) for client in clients)]
    return any(goes_through_proxy(address) for address in addresses if address)


def proxy_kwargs(client: WhyOps | None, provider: Literal["openai", "anthropic"]) -> dict[str, Any]:
    """Return the keywords that point LlamaIndex's `OpenAI`, `OpenAIEmbedding` or `Anthropic` at the WhyOps proxy.

    `OpenAI(model=…, **proxy_kwargs(sdk, "openai"))`. LlamaIndex fixes a model's headers when it is made, so its requests name the agent and
    no trace. To have each request name the trace that is current, give `OpenAI` clients of your own: `openai_client=sdk.openai(…)` and
    `async_openai_client=sdk.openai(…)`. `instrument()` leaves calls that go through the proxy to it. Without `client`, the default one.

    Raises:
        ConfigurationError: There is no API key, or the provider is not one that the proxy serves.
    """
    sdk = client if client is not None else default_client()
    return llama_index_keywords(sdk.proxy(provider), provider)
