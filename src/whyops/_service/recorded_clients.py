"""Official clients that speak to their provider as before, and tell of each model call what it asked and what came back.

Neither `openai` nor `anthropic` is imported. A client is copied by its own `copy`, and the copy becomes an instance of a subclass of its
class, which overrides two methods that all releases have, openai 1.66 to 3 and anthropic 0.49 to 2:

- `request`, through which each call of each method goes, helpers, raw and streamed responses included. Retries happen inside it, so a
  call with retries is one call, and what leaves it is what the caller sees fail. The body that is asked is there as a dict, before it is
  written.
- `_process_response`, which is handed the answer of the try that succeeded before anybody has read it: as httpx's response, whatever the
  caller is to get in the end (an object, a stream, a raw response that is parsed later or never). What a body that is still to be read
  brings is copied as it passes; see `passing_body`.

The parsed objects and streams stay as the client makes them: wrapping them would mean one wrapper for each class of each release, and
would change what `type` says. Listening on the HTTP client would show each retry as a call, and is the user's own object.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar, cast

from .._runtime import guard
from .exchange import Begin, Exchange
from .proxy_addresses import goes_through_proxy

C = TypeVar("C")

_STRICT = "_strict_response_validation"

_exchange: ContextVar[Exchange | None] = ContextVar("whyops_exchange", default=None)
"""The call whose `request` runs here."""


def is_requesting() -> bool:
    """Tell whether what runs here is the request of a client that records it."""
    return _exchange.get() is not None


class _Client(Protocol):
    """What a recorded client has besides what its class has."""

    whyops_begin: Begin | None

    def copy(self, **changes: Any) -> _Client:
        """Return a client with the same settings but for the changes."""
        ...


def recorded(client: C, begin: Begin) -> C:
    """Return a copy of `client` that tells `begin` of each model call. `client` stays as it is."""
    copy = cast("_Client", client).copy()
    if getattr(client, _STRICT, False):
        setattr(copy, _STRICT, True)  # no release's own `copy` takes it along
    copy.__class__ = _recorded_class(type(copy))
    copy.whyops_begin = begin
    return cast("C", copy)


def _recorded_class(cls: type[_Client]) -> type[_Client]:
    """Return the recorded subclass of `cls`: the one that there is, which `cls` itself holds weakly, or a new one."""
    if hasattr(cls, "whyops_begin"):
        return cls
    return next((subclass for subclass in cls.__subclasses__() if "whyops_begin" in vars(subclass)), None) or _new_recorded_class(cls)


def _new_recorded_class(cls: Any) -> type[_Client]:
    class Recorded(cls):  # type: ignore[misc]  # the caller's own class; an instance of it may not become one of a class with two bases
        whyops_begin: Begin | None = None

        def copy(self, *args: Any, **changes: Any) -> _Client:
            return _follow(super().copy(*args, **changes), self.whyops_begin)

        def with_options(self, *args: Any, **changes: Any) -> _Client:
            return _follow(super().with_options(*args, **changes), self.whyops_begin)

    waits = inspect.iscoroutinefunction(cls.request)
    for method in (_awaited_request, _awaited_response) if waits else (_request, _response):
        made = method(Recorded)
        setattr(Recorded, made.__name__, made)
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(Recorded, name, getattr(cls, name))
    return Recorded


def _follow(client: _Client, begin: Begin | None) -> _Client:
    """Let a client that was just copied be recorded as the one that it comes from."""
    client.whyops_begin = begin
    return client


def _request(cls: Any) -> Callable[..., Any]:
    def request(self: Any, *args: Any, **options: Any) -> Any:
        exchange = _begun(self, args, options)
        before = _exchange.get()
        if exchange is before is None:
            return super(cls, self).request(*args, **options)
        _exchange.set(exchange)
        try:
            result = super(cls, self).request(*args, **options)
        except BaseException as error:
            if exchange is not None:
                exchange.failed(error)
            raise
        finally:
            _exchange.set(before)
        if exchange is not None:
            exchange.returned(result)
        return result

    return request


def _awaited_request(cls: Any) -> Callable[..., Any]:
    async def request(self: Any, *args: Any, **options: Any) -> Any:
        exchange = _begun(self, args, options)
        before = _exchange.get()
        if exchange is before is None:
            return await super(cls, self).request(*args, **options)
        _exchange.set(exchange)
        try:
            result = await super(cls, self).request(*args, **options)
        except BaseException as error:
            if exchange is not None:
                exchange.failed(error)
            raise
        finally:
            _exchange.set(before)
        if exchange is not None:
            exchange.returned(result)
        return result

    return request


def _response(cls: Any) -> Callable[..., Any]:
    def _process_response(self: Any, *args: Any, **told: Any) -> Any:
        _hear(told.get("response"))
        return super(cls, self)._process_response(*args, **told)

    return _process_response


def _awaited_response(cls: Any) -> Callable[..., Any]:
    async def _process_response(self: Any, *args: Any, **told: Any) -> Any:
        _hear(told.get("response"))
        return await super(cls, self)._process_response(*args, **told)

    return _process_response


def _hear(response: object) -> None:
    exchange = _exchange.get()
    if exchange is not None:
        exchange.answered(response)


@guard.recording
def _begun(client: Any, args: tuple[Any, ...], given: Mapping[str, Any]) -> Exchange | None:
    """Begin to record a request, if it is a model's call. `args` and `given` are what `request` was called with."""
    options = given["options"] if "options" in given else args[1]
    if str(options.method).lower() != "post" or not isinstance(options.json_data, Mapping):
        return None
    path = str(options.url).partition("?")[0].strip("/")
    if goes_through_proxy(client.base_url):
        return None  # it was pointed there since: the proxy records it
    call = client.whyops_begin(path, {**options.json_data, **(options.extra_json or {})})
    return None if call is None else Exchange(call)
