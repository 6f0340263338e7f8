"""MCP servers in which a trace goes on that their client began.

Release 2 has a list of middlewares for this. Before, a server holds its handlers in a dict, of which the one of tool calls is wrapped,
on that server alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from ..._continued import Continued, Trust, continued
from ..._encoding.class_fields import short_name

S = TypeVar("S")

_METHOD = "tools/call"
_REQUEST = "CallToolRequest"


def instrument(server: S, *, trust: Trust = None) -> S:
    """Let what a tool of `server` records be part of the call that a client has recorded, in the client's trace. Returns `server`.

    Takes a `FastMCP` of mcp 1, an `MCPServer` of mcp 2, or a low-level `Server` of either, whose handler of tool calls is registered.
    The tools' functions are recorded as far as they carry `@whyops.tool`, or record something else; nothing is recorded of the others.

    `trust` says whose word on this is taken, as for `whyops.continued`; a function is given the call's `_meta`. A server that a client has
    started, over standard input and output, can take `True`: nobody else speaks to it. One that strangers reach takes a secret that the
    clients have as `WHYOPS_TRUST_SECRET`; left out, the one that this process has there. Called again, the latest `trust` holds.

    Raises:
        TypeError: `server` is no such server, or has no handler of tool calls yet.
    """
    middleware = getattr(server, "middleware", None)
    if isinstance(middleware, list) and _is_of_mcp(server):
        middleware[:] = [each for each in middleware if not isinstance(each, _Middleware)]
        middleware.append(_Middleware(trust))
        return server
    handlers = getattr(getattr(server, "_mcp_server", server), "request_handlers", None)
    request = next((each for each in handlers if short_name(each) == _REQUEST), None) if isinstance(handlers, dict) else None
    if not isinstance(handlers, dict) or request is None:
        raise TypeError(f"instrument takes a server of the package mcp that has tools, not {type(server).__name__}")
    handler = handlers[request]
    handlers[request] = _Handler(handler.handler if isinstance(handler, _Handler) else handler, trust)
    return server


def _is_of_mcp(server: object) -> bool:
    """Tell whether a server is one of the package: others have middlewares of another form."""
    return any(each.__module__.partition(".")[0] == "mcp" for each in type(server).__mro__)


class _Continuing:
    """What goes on with the trace that a call's `_meta` names."""

    def __init__(self, trust: Trust) -> None:
        def continuing(meta: Mapping[str, Any]) -> Continued:  # whatever shows attributes shows no secret
            return continued(meta, trust=trust)

        self._continuing = continuing

    def of(self, meta: Any) -> Continued:
        """Return the block of a call: release 1 has a pydantic object for `_meta`, where names that it doesn't know are extra."""
        return self._continuing(meta if isinstance(meta, Mapping) else getattr(meta, "model_extra", None) or {})


class _Middleware(_Continuing):
    """What release 2 calls around each message."""

    async def __call__(self, ctx: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:
        """Go on with the trace, if the message is a tool's call and names one."""
        if ctx.method != _METHOD:
            return await call_next(ctx)
        async with self.of(ctx.meta):
            return await call_next(ctx)


class _Handler(_Continuing):
    """The handler of tool calls of a server of release 1."""

    def __init__(self, handler: Callable[[Any], Awaitable[Any]], trust: Trust) -> None:
        super().__init__(trust)
        self.handler = handler

    async def __call__(self, request: Any) -> Any:
        """Go on with the trace, if the call names one."""
        async with self.of(request.params.meta):
            return await self.handler(request)
