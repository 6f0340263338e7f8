"""What points others at the proxy."""

from __future__ import annotations

import dataclasses

import pytest

import whyops
from whyops._service.clients import check_client
from whyops._service.proxy import ProxySettings, langchain_keywords, llama_index_keywords

KEY = "whyops_key"


def sdk(**settings: str) -> whyops.WhyOps:
    """Return a client whose service is away, at an address that refuses at once."""
    return whyops.WhyOps(KEY, "agent", analyse_base_url="http://127.0.0.1:9/api", **settings)


def test_each_provider_has_its_own_base_url() -> None:
    """OpenAI's clients need `/v1` in the base URL, Anthropic's write it themselves; key and agent are the same."""
    client = sdk(proxy_base_url="http://127.0.0.1:9/")
    headers = {"X-Agent-Name": "agent"}
    assert client.proxy("openai") == whyops.ProxySettings("http://127.0.0.1:9/v1", KEY, headers)
    assert client.proxy("anthropic") == whyops.ProxySettings("http://127.0.0.1:9", KEY, headers)


def test_settings_are_frozen_and_do_not_show_the_key() -> None:
    """Settings may be logged: their `repr` leaves the key out."""
    settings = sdk(proxy_base_url="http://127.0.0.1:9").proxy("openai")
    assert KEY not in repr(settings)
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.api_key = "other"  # type: ignore[misc]


def test_what_the_proxy_does_not_serve_is_refused() -> None:
    """An unknown provider, and a client without a key, are configuration errors that say what to do."""
    with pytest.raises(whyops.ConfigurationError, match="'openai' or 'anthropic', not 'azure'"):
        sdk().proxy("azure")  # type: ignore[arg-type]
    with pytest.raises(whyops.ConfigurationError, match="WHYOPS_API_KEY"):
        whyops.WhyOps(agent_name="agent").proxy("openai")


def test_the_environment_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key, agent and proxy may all come from the environment, read at first use."""
    client = whyops.WhyOps(analyse_base_url="http://127.0.0.1:9/api")
    monkeypatch.setenv("WHYOPS_API_KEY", KEY)
    monkeypatch.setenv("WHYOPS_AGENT_NAME", "agent")
    monkeypatch.setenv("WHYOPS_PROXY_BASE_URL", "http://127.0.0.1:9")
    assert client.proxy("openai") == ProxySettings("http://127.0.0.1:9/v1", KEY, {"X-Agent-Name": "agent"})


def test_a_client_with_a_provider_of_its_own_is_refused() -> None:
    """OpenAI's newer clients may be told where a model is by `provider=…`: the proxy can't follow that."""

    class OpenAI:
        __module__ = "openai._client"
        _provider = object()

    with pytest.raises(TypeError, match="without provider="):
        check_client(OpenAI(), "openai")


def test_the_frameworks_names_for_the_settings() -> None:
    """LangChain and LlamaIndex name the same three things differently; LangChain has to be asked for token counts of streams."""
    settings = ProxySettings("http://proxy/v1", KEY, {"X-Agent-Name": "agent"})
    rest = {"api_key": KEY, "default_headers": {"X-Agent-Name": "agent"}}
    assert langchain_keywords(settings, "openai") == {"base_url": "http://proxy/v1", "stream_usage": True, **rest}
    assert langchain_keywords(settings, "anthropic") == {"base_url": "http://proxy/v1", **rest}
    assert llama_index_keywords(settings, "openai") == {"api_base": "http://proxy/v1", **rest}
    assert llama_index_keywords(settings, "anthropic") == {"base_url": "http://proxy/v1", **rest}
