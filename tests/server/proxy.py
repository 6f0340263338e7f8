"""The proxy's routes, all under `/v1`: to describe the agent, and to a model that repeats what it is told, or calls the first tool it has.

The proxy records what goes through it as events of the agent, and leaves its marks in what comes back: a signature, a trace id.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from . import model
from .answer import INTERNAL_ERROR, Answer
from .marks import new_trace_id, signed_trace_id
from .model import Turn
from .request import Request
from .service import Service

_INVALID_JSON = Answer(400, {"success": False, "error": "Invalid JSON"})
_NO_AGENT_NAME = Answer(400, {"success": False, "error": "Missing required header: X-Agent-Name"})
_NO_ROUTE = Answer(404, {"success": False, "error": "Not found"})
_WINDOW = 60.0

_MODELS: dict[str, Callable[[Turn], Answer]] = {
    "/v1/chat/completions": model.chat,
    "/v1/responses": model.responses,
    "/v1/embeddings": model.embeddings,
    "/v1/messages": model.messages,
}


def answer(service: Service, account: str, request: Request) -> Answer:
    """Answer a request to the proxy. The key is known to be good."""
    if (request.method, request.path) == ("GET", "/v1/models"):
        return Answer(200, {"object": "list", "data": [{"id": "m-1", "object": "model"}], "has_more": False})
    if request.method != "POST" or request.path not in {*_MODELS, "/v1/agents/init"}:
        return _NO_ROUTE
    agent_name = request.headers.get("x-agent-name")
    if not agent_name:
        return _NO_AGENT_NAME
    try:
        body = request.json()
    except ValueError:
        return _INVALID_JSON
    if request.path == "/v1/agents/init":
        return service.init(account, body) if service.health.proxy_link else INTERNAL_ERROR
    return _too_many(service, account) or _ask_model(service, account, request, body)


def _ask_model(service: Service, account: str, request: Request, body: dict[str, Any]) -> Answer:
    named = request.headers.get("x-trace-id") or request.headers.get("x-thread-id")
    signed = signed_trace_id(body.get("messages", ())) if request.path == "/v1/chat/completions" else None
    turn = Turn(body, named or signed or new_trace_id())
    given = _MODELS[request.path](turn)
    told = {"traceId": turn.trace_id, "agentName": request.headers["x-agent-name"]}
    called = {"model": body.get("model", ""), "provider": "openai"}
    asked = {**told, "eventType": "user_message", "content": body.get("messages") or body.get("input"), "metadata": called}
    answered = {**told, "eventType": "llm_response", "content": {"content": turn.text}, "metadata": called}
    if request.path == "/v1/embeddings":
        asked.update(eventType="embedding_request", content={"input": body["input"]})
        answered.update(eventType="embedding_response", content={"object": "list"})
    service.ingest(account, [asked, answered], request.headers.get("x-external-user-id"), at_once=True)
    return given


def _too_many(service: Service, account: str) -> Answer | None:
    """Count a request; refuse it if the account has had its share of the last minute. No header says when to come again."""
    now = time.time()
    recent = service.proxied[account] = [at for at in service.proxied.get(account, ()) if at > now - _WINDOW]
    limit = service.limits.proxy_requests
    if len(recent) < limit:
        recent.append(now)
        return None
    reset = datetime.fromtimestamp(recent[0] + _WINDOW, timezone.utc).isoformat().replace("+00:00", "Z")
    headers = {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset, "X-RateLimit-Backend": "memory"}
    return Answer(429, {"error": "Rate limit exceeded", "retryAfter": reset}, headers)
