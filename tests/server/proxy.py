"""The proxy's routes, all under `/v1`. So far the one that a client falls back to when the analyse service can't be reached."""

from __future__ import annotations

from .answer import Answer
from .request import Request
from .service import Service

_INVALID_JSON = Answer(400, {"success": False, "error": "Invalid JSON"})
_NO_AGENT_NAME = Answer(400, {"success": False, "error": "Missing required header: X-Agent-Name"})
_NO_ROUTE = Answer(404, {"success": False, "error": "Not found"})


def answer(service: Service, account: str, request: Request) -> Answer:
    """Answer a request to the proxy. The key is known to be good."""
    if (request.method, request.path) != ("POST", "/v1/agents/init"):
        return _NO_ROUTE
    if not request.headers.get("x-agent-name"):
        return _NO_AGENT_NAME
    try:
        body = request.json()
    except ValueError:
        return _INVALID_JSON
    return service.init(account, body)
