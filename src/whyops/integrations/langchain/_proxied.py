"""LangChain's models, pointed at the WhyOps proxy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from ..._client import WhyOps
from ..._recording.trace import Trace
from ..._service.proxy import langchain_keywords


def proxy_kwargs(sdk: WhyOps, provider: Literal["openai", "anthropic"], *, trace: Trace | None = None) -> dict[str, Any]:
    """Return the keywords that point LangChain's `ChatOpenAI` or `ChatAnthropic` at the WhyOps proxy: base URL, key, headers.

    `ChatOpenAI(model="gpt-4o-mini", **proxy_kwargs(sdk, "openai"))`. With OpenAI they also ask for the token counts of streams, which
    LangChain leaves out by itself where the base URL is not OpenAI's own. Handlers leave such a model's calls to the proxy.

    LangChain's models have one set of headers for all their requests. With `trace`, these name it; without, the proxy gives each request
    a trace of its own. Make a model for each trace, or leave the proxy out and let a handler record the calls.

    Raises:
        ConfigurationError: There is no API key, or the provider is not one that the proxy serves.
    """
    settings = sdk.proxy(provider)
    if trace is not None:
        settings = replace(settings, headers={**settings.headers, **trace.headers()})
    return langchain_keywords(settings, provider)
