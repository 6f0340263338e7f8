"""LangChain's models, pointed at the WhyOps proxy."""

from __future__ import annotations

from typing import Any, Literal

from ..._client import WhyOps
from ..._proxy.settings import langchain_keywords


def proxy_kwargs(sdk: WhyOps, provider: Literal["openai", "anthropic"]) -> dict[str, Any]:
    """Return the keywords that point LangChain's `ChatOpenAI` or `ChatAnthropic` at the WhyOps proxy: base URL, key, headers.

    `ChatOpenAI(model="gpt-4o-mini", **proxy_kwargs(sdk, "openai"))`. With OpenAI they also ask for the token counts of streams, which
    LangChain leaves out by itself where the base URL is not OpenAI's own. Handlers leave such a model's calls to the proxy.

    Raises:
        ConfigurationError: There is no API key, or the provider is not one that the proxy serves.
    """
    return langchain_keywords(sdk.proxy(provider), provider)
