"""The proxy's routes, all under `/v1`: to describe the agent, and to a model that repeats what it is told, or calls the first tool it has.

The proxy records what goes through it as events of the agent (see `proxied`), and leaves its marks in what comes back: a signature, a
trace id.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from . import model
from .answer import INTERNAL_ERROR, Answer
from .marks import new_trace_id, signed_trace_id
from .model import Turn
from .proxied import Call, slug_and_model
from .request import Request
from .service import Service

_INVALID_JSON = Answer(400, {"success": False, "error": "Invalid JSON"})
_NO_AGENT_NAME = Answer(400, {"success": False, "error": "Missing required header: X-Agent-Name"})
_NO_ROUTE = Answer(404, {"success": False, "error": "Not found"})
_NO_PROVIDER = Answer(400, {"error": "No provider configured for this API key. Add a provider or use a provider-slug/model format."})
_WINDOW = 60.0
_WAY_SECONDS = 0.002
"""What a request takes to the proxy, and from there to the model and back: each event has a later millisecond than what came before."""

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
    slug, model_name = slug_and_model(str(body.get("model", "")), service.providers)
    if slug is None and len(service.providers) > 1:
        return _NO_PROVIDER
    named = request.headers.get("x-trace-id") or request.headers.get("x-thread-id")
    signed = signed_trace_id(body.get("messages", ())) if request.path == "/v1/chat/completions" else None
    turn = Turn({**body, "model": model_name}, named or signed or new_trace_id())
    call = Call(request.path, turn, request.headers["x-agent-name"], request.headers.get("x-external-user-id"), slug, str(uuid.uuid4()))
    time.sleep(_WAY_SECONDS)
    service.ingest(account, call.asked(), at_once=True)
    time.sleep(_WAY_SECONDS)
    given = model.refusal(turn, in_anthropics_form=call.is_anthropics) or _MODELS[request.path](turn)
    service.ingest(account, call.answered(given), at_once=True)
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
