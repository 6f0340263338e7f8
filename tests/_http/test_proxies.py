"""Which proxy the environment names for a server, and which servers it exempts."""

from __future__ import annotations

import pytest

from whyops._http.channel import Unreachable
from whyops._http.proxies import Proxy, proxy_for

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "request_method")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def chosen(scheme: str = "http", host: str = "service.test", port: int = 80) -> str | None:
    """Return the host of the proxy for a server."""
    proxy = proxy_for(scheme, host, port)
    return None if proxy is None else proxy.host


@pytest.mark.parametrize(
    "given, for_http, for_https",
    [
        ({}, None, None),
        ({"HTTP_PROXY": "http://one.test"}, "one.test", None),
        ({"HTTPS_PROXY": "http://one.test"}, None, "one.test"),
        ({"ALL_PROXY": "http://one.test"}, "one.test", "one.test"),
        ({"all_proxy": "http://one.test"}, "one.test", "one.test"),
        ({"ALL_PROXY": "http://one.test", "HTTPS_PROXY": "http://two.test"}, "one.test", "two.test"),
        ({"HTTP_PROXY": "http://one.test", "http_proxy": "http://two.test"}, "two.test", None),
        ({"ALL_PROXY": "http://one.test", "all_proxy": "http://two.test"}, "two.test", "two.test"),
        ({"HTTPS_PROXY": "http://one.test", "https_proxy": ""}, None, None),
        ({"HTTPS_PROXY": "", "ALL_PROXY": " http://one.test "}, "one.test", "one.test"),
        ({"HTTP_PROXY": "http://one.test", "REQUEST_METHOD": "GET"}, None, None),
        ({"http_proxy": "http://one.test", "REQUEST_METHOD": "GET"}, "one.test", None),
        ({"HTTP_PROXY": "http://one.test", "http_proxy": "http://two.test", "REQUEST_METHOD": "GET"}, "two.test", None),
        ({"HTTP_PROXY": "http://one.test", "ALL_PROXY": "http://two.test", "REQUEST_METHOD": "GET"}, "two.test", "two.test"),
        ({"SOCKS_PROXY": "socks5://one.test", "FTP_PROXY": "http://two.test"}, None, None),
    ],
)
def test_which_variable_counts(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], for_http: str | None, for_https: str | None) -> None:
    """That of the address's kind before ALL_PROXY, small letters before capitals; HTTP_PROXY doesn't count in a CGI program."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert (chosen("http"), chosen("https", port=443)) == (for_http, for_https)


@pytest.mark.parametrize(
    "url, proxy",
    [
        ("http://one.test:3128", Proxy("one.test", 3128, {})),
        ("http://one.test", Proxy("one.test", 80, {})),
        ("HTTP://one.test:3128/", Proxy("one.test", 3128, {})),
        ("one.test:3128", Proxy("one.test", 3128, {})),
        ("one.test", Proxy("one.test", 80, {})),
        ("http://[::1]:3128", Proxy("::1", 3128, {})),
        ("me:word@one.test:3128", Proxy("one.test", 3128, {"Proxy-Authorization": "Basic bWU6d29yZA=="})),
        ("http://me@one.test", Proxy("one.test", 80, {"Proxy-Authorization": "Basic bWU6"})),
        ("http://m%40e:w%3Ao%2Frd@one.test", Proxy("one.test", 80, {"Proxy-Authorization": "Basic bUBlOnc6by9yZA=="})),
        ("http://%C3%A9:%E2%82%AC@one.test", Proxy("one.test", 80, {"Proxy-Authorization": "Basic w6k64oKs"})),
    ],
)
def test_the_forms_of_a_proxy(monkeypatch: pytest.MonkeyPatch, url: str, proxy: Proxy) -> None:
    """All but the host may be left out; name and password are percent-decoded, as UTF-8."""
    monkeypatch.setenv("HTTP_PROXY", url)
    assert proxy_for("http", "service.test", 80) == proxy


@pytest.mark.parametrize(
    "url, told",
    [
        ("socks5://me:hunter2@one.test:1080", "a proxy that begins with socks5://"),
        ("SOCKS5H://me:hunter2@one.test", "a proxy that begins with socks5h://"),
        ("socks4://one.test", "a proxy that begins with socks4://"),
        ("socks://one.test", "a proxy that begins with socks://"),
        ("https://me:hunter2@one.test:3128", "a proxy that begins with https://"),
        ("quic+x://one.test", "a proxy that begins with quic+x://"),
        ("socks5:/one.test", "a proxy that begins with socks5://"),
        ("http://me:hunter2@one.test:99999", "something that is no address"),
        ("http://me:hunter2@one.test:port", "something that is no address"),
        ("http://me:hunter2@", "something that is no address"),
        ("http:/one.test", "something that is no address"),
        ("http://[::1", "something that is no address"),
        ("so cks://me:hunter2@one.test", "something that is no address"),
        ("socks5:me:hunter2", "something that is no address"),
        (":3128", "something that is no address"),
        ("://", "something that is no address"),
        ("\x1b[31m://me:hunter2@one.test", "something that is no address"),
    ],
)
@pytest.mark.parametrize("variable", ["ALL_PROXY", "https_proxy"])
def test_what_can_not_be_used_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, variable: str, url: str, told: str) -> None:
    """With the variable, how it begins, and what to do; the password and what is not printable are not repeated. Nothing goes round it."""
    monkeypatch.setenv(variable, url)
    with pytest.raises(Unreachable) as refused:
        proxy_for("https", "service.test", 443)
    text = str(refused.value)
    assert text.startswith(f"{variable.upper()} names {told}, and ")
    assert "NO_PROXY" in text
    assert "hunter2" not in text
    assert text.isprintable()


@pytest.mark.parametrize(
    "exempt, url",
    [
        ("*", "http://service.test:80"),
        ("other.test,*", "http://service.test:80"),
        ("service.test", "http://service.test:80"),
        ("SERVICE.test", "http://service.test:8080"),
        ("service.test", "http://Service.Test.:80"),
        (".service.test", "http://a.b.service.test:80"),
        (".service.test", "http://service.test:80"),
        ("*.service.test", "http://a.service.test:80"),
        ("service.test", "http://a.service.test:80"),
        ("test", "http://service.test:80"),
        ("service.test:8080", "http://service.test:8080"),
        (".service.test:8080", "http://a.service.test:8080"),
        ("other.test, service.test", "http://service.test:80"),
        ("other.test  service.test", "http://service.test:80"),
        (",, ,service.test,", "http://service.test:80"),
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("127.0.0.0/8", "http://127.9.9.9:80"),
        ("127.0.0.1/8", "http://127.9.9.9:80"),
        ("::1", "http://[::1]:80"),
        ("[::1]", "http://[::1]:80"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("0:0:0:0:0:0:0:1", "http://[::1]:80"),
        ("fd00::/8", "http://[fd12::5]:80"),
    ],
)
def test_what_is_asked_straight(monkeypatch: pytest.MonkeyPatch, exempt: str, url: str) -> None:
    """Names with all below them, addresses, networks; each for one port or for all. So it is with a proxy that could not be used, too."""
    monkeypatch.setenv("NO_PROXY", exempt)
    for proxy in ("http://one.test", "socks5://one.test"):
        monkeypatch.setenv("ALL_PROXY", proxy)
        assert proxy_for("http", *server(url)) is None


@pytest.mark.parametrize(
    "exempt, url",
    [
        ("", "http://service.test:80"),
        ("other.test", "http://service.test:80"),
        ("service.test", "http://my-service.test:80"),
        ("a.service.test", "http://service.test:80"),
        ("service.test:8080", "http://service.test:80"),
        ("service.test:port", "http://service.test:80"),
        (".", "http://service.test:80"),
        ("127.0.0.1", "http://127.0.0.2:80"),
        ("0.0.1", "http://127.0.0.1:80"),
        ("127.0.0.1:8080", "http://127.0.0.1:80"),
        ("10.0.0.0/8", "http://127.0.0.1:80"),
        ("10.0.0.0/8", "http://service.test:80"),
        ("nonsense/8", "http://127.0.0.1:80"),
        ("::1", "http://[::2]:80"),
        ("[::1]:8080", "http://[::1]:80"),
        ("fd00::/8", "http://127.0.0.1:80"),
    ],
)
def test_what_is_not_asked_straight(monkeypatch: pytest.MonkeyPatch, exempt: str, url: str) -> None:
    """All else, and what an entry that can't be read was perhaps meant for."""
    monkeypatch.setenv("ALL_PROXY", "http://one.test")
    monkeypatch.setenv("NO_PROXY", exempt)
    assert chosen("http", *server(url)) == "one.test"


def server(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").rpartition(":")
    return host.strip("[]"), int(port)
