"""How an address is told to be a proxy's."""

from __future__ import annotations

import pytest

import whyops
from whyops._service.proxy_addresses import goes_through_proxy


class Url:
    """A URL as an HTTP library's object."""

    def __str__(self) -> str:
        return "https://proxy.whyops.com/v1/"


def test_the_proxy_is_known_by_its_address() -> None:
    """The hosted proxy is known, and that of each client of this process: with or without a path below it, as text or as an object."""
    assert not goes_through_proxy("https://Proxy.Example:443/whyops/v1")
    client = whyops.WhyOps("whyops_key", "agent", analyse_base_url="http://127.0.0.1:9/api", proxy_base_url="https://proxy.example/whyops/")
    client.trace("t-1")
    for url in ("https://Proxy.Example:443/whyops/v1", "https://proxy.example/whyops", "https://proxy.whyops.com", Url()):
        assert goes_through_proxy(url)


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "https://api.openai.com/v1",
        "https://proxy.whyops.com.example/v1",
        "https://proxy.example/whyops-other/v1",
        "http://proxy.whyops.com/v1",
        "https://proxy.whyops.com:8443/v1",
        "http://[broken",
        "http://host:port/v1",
    ],
)
def test_other_addresses_are_not_the_proxys(url: object) -> None:
    """What only looks similar, and what is no address at all, is not taken for the proxy."""
    assert not goes_through_proxy(url)
