"""Official clients, pointed at the WhyOps proxy. Neither `openai` nor `anthropic` is imported.

A client is copied by its own `copy`, and the copy becomes an instance of a subclass of its class. The subclass adds to each request the
name of the agent and the trace that is current when the request is made, tells these headers from the user's own, and keeps the provider's
keys at home, in all that is derived from the copy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from .._config.settings import Settings
from ..errors import ConfigurationError
from .proxy import ProxySettings

C = TypeVar("C")

_NAMES = {"openai": ("OpenAI", "AsyncOpenAI"), "anthropic": ("Anthropic", "AsyncAnthropic")}

_KEY_PREFIXES = ("whyops_", "YOPS-")
_KEY_HEADERS = frozenset({"authorization", "x-api-key"})
_TRACE_HEADERS = frozenset({"x-trace-id", "x-thread-id"})
_IN_A_TRACE = _TRACE_HEADERS | {"x-external-user-id"}

_CREDENTIALS = ("admin_api_key", "auth_token", "credentials", "_custom_auth", "_token_cache", "websocket_base_url")
"""Attributes by which a client sends a key of the provider's, or ours to another address. No version has all of them."""


class _Client(Protocol):
    """What the official clients have in common, as far as it matters here, and what a routed one has besides."""

    api_key: str | None
    base_url: object
    whyops_route: _Route | None
    _custom_headers: Mapping[str, Any]

    def copy(self, **changes: Any) -> _Client:
        """Return a client with the same settings but for the changes."""
        ...


class _Route(NamedTuple):
    """Where a client's requests go, written as the client itself writes it, and what they carry there."""

    base_url: str
    api_key: str
    headers: Callable[[], Mapping[str, str]]


class _Added(str):
    """A header's value that we added: in a copy of the headers too it can be told from the user's."""

    __slots__ = ()


def goes_direct(via: str | None, settings: Settings) -> bool:
    """Tell whether a client's requests are to go to its provider, and be recorded here: by default where there is no key for the proxy.

    Raises:
        ConfigurationError: `via` is no way to go.
    """
    if via not in (None, "proxy", "direct"):
        raise ConfigurationError(f"via must be 'proxy' or 'direct', not {via!r}.")
    return via == "direct" or (via is None and settings.api_key is None and not settings.disabled)


def check_client(client: object, provider: str, *, variants: bool = False) -> None:
    """Refuse what is not one of the provider's official clients, or of a user's subclass of one.

    The package's own `variants` (Azure, Bedrock, Vertex, …) speak to other services, some in other forms: the proxy does not take them.
    Those that are subclasses of the official client ask as it does, and can be recorded.

    Raises:
        TypeError: It says what is expected.
    """
    own = [cls for cls in type(client).__mro__ if cls.__module__.partition(".")[0] == provider]
    if not any(cls.__name__ in _NAMES[provider] for cls in (own if variants else own[:1])):
        expected = " or ".join(f"{provider}.{name}" for name in _NAMES[provider])
        raise TypeError(f"{provider}() takes a client made by {expected}, not {type(client).__module__}.{type(client).__qualname__}.")
    if not variants and getattr(client, "_provider", None) is not None:
        raise TypeError(f"{provider}() takes a client made without provider=…: the proxy itself knows where a model is.")


def named_provider(client: object, provider: str) -> str:
    """Return the name of the provider that a client asks: of a variant, its own."""
    return "azure" if any("Azure" in cls.__name__ for cls in type(client).__mro__) else provider


def has_whyops_key(client: object) -> bool:
    """Tell whether a client was made with a key that only the proxy takes."""
    return str(getattr(client, "api_key", "")).startswith(_KEY_PREFIXES)


def keep_whyops_key(client: object) -> None:
    """Refuse a client that would send the provider a key that only the proxy takes.

    Raises:
        ConfigurationError: It has such a key.
    """
    if has_whyops_key(client):
        raise ConfigurationError(
            "The client was made with a WhyOps key, and its requests would take that to the provider. Make it with the provider's key, or "
            "give the WhyOps key to WhyOps (api_key=… or WHYOPS_API_KEY), so that requests go through the proxy."
        )


def routed(client: C, settings: ProxySettings | None, headers: Callable[[], Mapping[str, str]]) -> C:
    """Return a copy of `client` whose requests go to the proxy, each with what `headers()` gives then. `client` stays as it is.

    Without `settings` they go where the client's own go, and carry nothing of ours.
    """
    original = cast("_Client", client)
    if settings is None:
        copy, route = original.copy(), None
    else:
        copy = original.copy(api_key=settings.api_key, base_url=settings.base_url)
        route = _Route(str(copy.base_url), settings.api_key, headers)
    copy.__class__ = _routed_class(type(copy))
    return cast("C", _follow(copy, route))


def _routed_class(cls: type[_Client]) -> type[_Client]:
    """Return the routed subclass of `cls`: the one that there is, which `cls` itself holds weakly, or a new one."""
    if hasattr(cls, "whyops_route"):
        return cls
    return next((subclass for subclass in cls.__subclasses__() if "whyops_route" in vars(subclass)), None) or _new_routed_class(cls)


def _new_routed_class(cls: Any) -> type[_Client]:
    class Routed(cls):  # type: ignore[misc]  # the caller's own class; an instance of it may not become one of a class with two bases
        whyops_route: _Route | None = None

        @property
        def default_headers(self) -> dict[str, Any]:
            return _with_added(super().default_headers, _added(self))

        @default_headers.setter
        def default_headers(self, headers: Mapping[str, Any] | None) -> None:
            self._custom_headers: Mapping[str, Any] = {}
            self._custom_headers = _users_own(headers or {}, super().default_headers)
            _keep_keys_at_home(self)

        def copy(self, *args: Any, **changes: Any) -> _Client:
            return _follow(super().copy(*args, **changes), self.whyops_route)

        def with_options(self, *args: Any, **changes: Any) -> _Client:
            return _follow(super().with_options(*args, **changes), self.whyops_route)

        def _build_headers(self, options: Any, **more: Any) -> Any:
            given = {name.lower() for name in getattr(options, "headers", None) or ()}
            return _without_overridden(super()._build_headers(options, **more), given, _added(self))

    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(Routed, name, getattr(cls, name))
    return Routed


def _follow(client: _Client, route: _Route | None) -> _Client:
    """Give a client that was just copied the route of the one that it comes from."""
    client.whyops_route = route
    _keep_keys_at_home(client)
    return client


def _route(client: _Client) -> _Route | None:
    """Return a client's route while it is on it: a user may point it, or a copy of it, elsewhere again."""
    route = client.whyops_route
    return route if route is not None and str(client.base_url) == route.base_url else None


def _added(client: _Client) -> dict[str, str]:
    """Return the headers that we add to a request made now."""
    route = _route(client)
    return {} if route is None else {name: _Added(value) for name, value in route.headers().items()}


def _with_added(headers: Mapping[str, Any], added: Mapping[str, str]) -> dict[str, Any]:
    """Return a client's headers with ours where it has none: names count in any case, and one name of a trace stands for both."""
    present = {name.lower() for name in headers}
    if present & _TRACE_HEADERS:
        present |= _IN_A_TRACE
    return {**headers, **{name: value for name, value in added.items() if name.lower() not in present}}


def _users_own(headers: Mapping[str, Any], computed: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of `headers` that are neither ours nor computed by the client: both are made afresh for each request."""
    return {name: value for name, value in headers.items() if not isinstance(value, _Added) and not _is_same(value, computed.get(name))}


def _is_same(value: object, computed: object) -> bool:
    """Tell whether a header is as the client computes it. Markers of left-out headers have no equality."""
    return value == computed or (not isinstance(value, str) and type(value) is type(computed))


def _without_overridden(headers: Any, given: set[str], added: Mapping[str, str]) -> Any:
    """Take out of a request's `headers` what we added where the request's own headers say otherwise; `given` are their names.

    The client's older versions send both, if they are spelt in different case.
    """
    for name, value in added.items() if given else ():
        if name.lower() in given:
            for last in headers.get_list(name)[-1:]:
                headers[name] = last
        elif given & _TRACE_HEADERS and name.lower() in _IN_A_TRACE and headers.get(name) == value:
            del headers[name]
    return headers


def _keep_keys_at_home(client: _Client) -> None:
    """Forget the provider's keys, which a constructor also reads from the environment, on a client that sends to the proxy."""
    route = _route(client)
    if route is None:
        return
    for name in _CREDENTIALS:
        if vars(client).get(name) is not None:
            setattr(client, name, None)
    client.api_key = client.api_key or route.api_key
    headers = client._custom_headers  # noqa: SLF001  (no other way leads to a key that stands in them)
    client._custom_headers = {name: value for name, value in headers.items() if name.lower() not in _KEY_HEADERS}  # noqa: SLF001  (so)
