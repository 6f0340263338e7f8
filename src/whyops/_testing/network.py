"""While a run is replayed no model is asked over the network: what the HTTP clients in use would send to one is refused."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

_MODELS = re.compile(
    r"/(?:chat/completions|completions|responses|messages|embeddings)/?$"
    r"|:(?:generateContent|streamGenerateContent|embedContent|predict|rawPredict|streamRawPredict)$"
    r"|/model/[^/]+/(?:converse|converse-stream|invoke|invoke-with-response-stream)$"
    r"|/api/(?:chat|generate|embed)$"
)
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
_SYNC, _ASYNC = "handle_request", "handle_async_request"

Refuse = Callable[[str, str], "Exception | None"]
"""Takes host and path of a request; returns the error to be raised, or None where it may go."""


@contextmanager
def refused(error: Callable[[str], Exception | None]) -> Iterator[None]:
    """Raise `error(what is asked)`, if there is one, for each request to a model that is not on this machine, inside the block."""
    refuse = functools.partial(_refusal, error)
    with ExitStack() as block:
        for name in ("httpx", "httpx2"):
            if (module := sys.modules.get(name)) is not None:
                _replace(block, module.HTTPTransport, _SYNC, _sync(module.HTTPTransport.handle_request, refuse))
                _replace(block, module.AsyncHTTPTransport, _ASYNC, _async(module.AsyncHTTPTransport.handle_async_request, refuse))
        if (module := sys.modules.get("urllib3")) is not None:
            _replace(block, module.HTTPConnectionPool, "urlopen", _urlopen(module.HTTPConnectionPool.urlopen, refuse))
        yield


def _refusal(error: Callable[[str], Exception | None], host: str, path: str) -> Exception | None:
    return error(f"{host}{path}") if host not in _HERE and _MODELS.search(path) else None


def _sync(original: Any, refuse: Refuse) -> Any:
    @functools.wraps(original)
    def handle(self: Any, request: Any) -> Any:
        if (error := refuse(request.url.host, request.url.path)) is not None:
            raise error
        return original(self, request)

    return handle


def _async(original: Any, refuse: Refuse) -> Any:
    @functools.wraps(original)
    async def handle(self: Any, request: Any) -> Any:
        if (error := refuse(request.url.host, request.url.path)) is not None:
            raise error
        return await original(self, request)

    return handle


def _urlopen(original: Any, refuse: Refuse) -> Any:
    @functools.wraps(original)
    def urlopen(self: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        if (error := refuse(self.host, url.partition("?")[0])) is not None:
            raise error
        return original(self, method, url, *args, **kwargs)

    return urlopen


def _replace(block: ExitStack, kind: Any, name: str, value: Any) -> None:
    block.callback(setattr, kind, name, getattr(kind, name))
    setattr(kind, name, value)
