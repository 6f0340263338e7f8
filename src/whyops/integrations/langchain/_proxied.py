"""LangChain's models, pointed at the WhyOps proxy."""

from __future__ import annotations

from typing import Any

from ..._client import WhyOps
from ..._recording.trace import Trace
from ..._service.proxy import langchain_keywords
from .._shared.proxied import Provider, proxy_settings


def proxy_kwargs(
    client: WhyOps | None = None,
    provider: Provider = "openai",
    *,
    trace: Trace | None = None,
    sdk: WhyOps | None = None,
) -> dict[str, Any]:
    """Return the keywords that point LangChain's `ChatOpenAI` or `ChatAnthropic` at the WhyOps proxy: base URL, key, headers.

    `ChatOpenAI(model="openai/gpt-4o-mini", **proxy_kwargs(sdk, "openai"))`. Without `client` (or `sdk`, its other name), the default one.
    With OpenAI they also ask for the token counts of streams, which LangChain leaves out by itself where the base URL is not OpenAI's own.
    Handlers leave such a model's calls to the proxy.

    LangChain's models have one set of headers for all their requests. With `trace`, these name it and its user; without, the proxy gives
    each request a trace of its own. Make a model for each trace, or leave the proxy out and let a handler record the calls.

    Raises:
        ConfigurationError: There is no API key, or the provider is not one that the proxy serves.
    """
    return langchain_keywords(proxy_settings(client or sdk, provider, trace), provider)
