"""LlamaIndex's models, pointed at the WhyOps proxy, and how they are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llama_index.core.bridge.pydantic import BaseModel

from ..._client import WhyOps
from ..._encoding.class_fields import PerType, class_value, fields
from ..._recording.trace import Trace
from ..._service.proxy import llama_index_keywords
from ..._service.proxy_addresses import goes_through_proxy
from .._shared.proxied import Provider, proxy_settings

_CLIENTS = ("_client", "_aclient")


def _find_clients(kind: type) -> Sequence[str]:
    if class_value(kind, "__getattr__") is not class_value(BaseModel, "__getattr__"):
        return _CLIENTS
    declared = class_value(kind, "__private_attributes__")
    return [name for name in _CLIENTS if hasattr(kind, name) or (isinstance(declared, dict) and name in declared)]


_clients_of = PerType(_find_clients)
"""The attributes in which models of a class may hold a client: pydantic looks for one that isn't there at some cost."""


def is_proxied(instance: object) -> bool:
    """Tell whether a model's calls go to the WhyOps proxy, which records them itself: by its address, or by its client's."""
    held = fields(instance) if instance is not None else {}
    addresses = [held.get("api_base"), held.get("base_url")]
    declared = _clients_of(type(instance))
    for name in _CLIENTS:
        client = getattr(instance, name, None) if name in declared else held.get(name)
        addresses.append(None if client is None else getattr(client, "base_url", None))
    return any([goes_through_proxy(address) for address in addresses if address])  # noqa: C419  (there is none, nearly always)


def proxy_kwargs(
    client: WhyOps | None = None,
    provider: Provider = "openai",
    *,
    trace: Trace | None = None,
    sdk: WhyOps | None = None,
) -> dict[str, Any]:
    """Return the keywords that point LlamaIndex's `OpenAI`, `OpenAIEmbedding` or `Anthropic` at the WhyOps proxy.

    `OpenAI(model=…, **proxy_kwargs(sdk, "openai"))`. Without `client` (or `sdk`, its other name), the default one. `instrument()`
    leaves calls that go through the proxy to it.

    LlamaIndex fixes a model's headers when it is made. With `trace`, these name it and its user; without, its requests name the agent and
    no trace. To have each request name the trace that is current, give `OpenAI` clients of your own: `openai_client=sdk.openai(…)` and
    `async_openai_client=sdk.openai(…)`.

    Raises:
        ConfigurationError: There is no API key, or the provider is not one that the proxy serves.
    """
    return llama_index_keywords(proxy_settings(client or sdk, provider, trace), provider)
