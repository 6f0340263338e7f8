"""What points a provider's client at the WhyOps proxy. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .._config.settings import Settings
from ..errors import ConfigurationError

_PATHS = {"openai": "/v1", "anthropic": ""}
"""What a provider's base URL adds to the proxy's: Anthropic's client writes `/v1` by itself."""


@dataclass(frozen=True)
class ProxySettings:
    """What points a client of a model's provider at the WhyOps proxy: the base URL, the WhyOps key in place of the provider's, and headers.

    `headers` name the agent. To a request that belongs to a trace, add `trace.headers()`.
    """

    base_url: str
    api_key: str = field(repr=False)
    headers: Mapping[str, str]


def proxy_settings(settings: Settings, provider: str) -> ProxySettings:
    """Return what points a client of `provider` at the proxy. `settings` are completed ones.

    Raises:
        ConfigurationError: There is no API key, or the provider is not one that the proxy serves.
    """
    if provider not in _PATHS:
        raise ConfigurationError(f"provider must be {' or '.join(map(repr, _PATHS))}, not {provider!r}.")
    if settings.api_key is None:
        raise ConfigurationError(
            "The proxy needs an API key: pass api_key=… to WhyOps, or set WHYOPS_API_KEY. Without one, openai(client) and "
            "anthropic(client) record the client's model calls here, unless via='proxy' is asked for."
        )
    return ProxySettings(
        base_url=f"{settings.proxy_base_url}{_PATHS[provider]}",
        api_key=settings.api_key,
        headers={"X-Agent-Name": str(settings.agent_name)},
    )


def langchain_keywords(settings: ProxySettings, provider: str) -> dict[str, object]:
    """Return the keywords of LangChain's `ChatOpenAI` or `ChatAnthropic`.

    LangChain leaves token counts out of streams when the base URL is not OpenAI's own: `stream_usage` asks for them.
    """
    keywords: dict[str, object] = {
        "base_url": settings.base_url,
        "api_key": settings.api_key,
        "default_headers": dict(settings.headers),
    }
    return {**keywords, "stream_usage": True} if provider == "openai" else keywords


def llama_index_keywords(settings: ProxySettings, provider: str) -> dict[str, object]:
    """Return the keywords of LlamaIndex's `OpenAI` (model and embedding) or `Anthropic`."""
    address = "api_base" if provider == "openai" else "base_url"
    return {address: settings.base_url, "api_key": settings.api_key, "default_headers": dict(settings.headers)}
