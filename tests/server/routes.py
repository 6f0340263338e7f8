"""Which request goes where, and who may ask."""

from __future__ import annotations

import re
from urllib.parse import unquote

from . import proxy, schema
from .answer import INTERNAL_ERROR, NOT_FOUND, UNAUTHORIZED, Answer
from .request import Request
from .service import Service

_POSTS = frozenset([("POST", "/api/entities/init"), ("POST", "/api/events/ingest"), ("POST", "/api/events")])
_SAMPLING_RATE = re.compile(r"/api/entities/([^/]+)/sampling-rate")


class Keys:
    """Which keys are good. Without a list, each key of the right shape is an account of its own; several keys can be one account's."""

    def __init__(self, accounts: dict[str, str] | None = None) -> None:
        self._accounts = accounts
        self._revoked: set[str] = set()

    def revoke(self, key: str) -> None:
        """Refuse `key` from now on."""
        self._revoked.add(key)

    def restore(self, key: str) -> None:
        """Take `key` again."""
        self._revoked.discard(key)

    def account(self, key: str | None) -> str | None:
        """Give the account that a key belongs to, or None for a bad key; nothing tells the kinds of bad keys apart."""
        if key is None or not key.startswith(("whyops_", "YOPS-")) or key in self._revoked:
            return None
        return key if self._accounts is None else self._accounts.get(key)


def answer(service: Service, keys: Keys, request: Request) -> Answer:
    """Answer a request. The key is checked before the body is looked at."""
    health = service.health.answer(request.path) if request.method == "GET" else None
    if health is not None:
        return health
    account = keys.account(request.key)
    is_looked_up = service.health.database or (service.queue and request.path == "/api/events/ingest")  # whose keys are in a cache
    if account is None or not is_looked_up:
        return UNAUTHORIZED
    if request.path.startswith("/v1/"):
        return proxy.answer(service, account, request)
    if request.method == "GET":
        return _read(service, account, request)
    return _write(service, account, request)


def _read(service: Service, account: str, request: Request) -> Answer:
    with service.reading() as reading:
        if request.path == "/api/events":
            return reading.events(request.query)
        if request.path == "/api/entities":
            return reading.agents(account, request.query)
        if request.path == "/api/threads":
            return reading.threads(account, request.query)
        if request.path.startswith("/api/threads/"):
            return reading.thread(account, unquote(request.path.removeprefix("/api/threads/")), request.query)
        return reading.limits() if request.path == "/api/agent-settings/limits" else NOT_FOUND


def _write(service: Service, account: str, request: Request) -> Answer:
    rate = _SAMPLING_RATE.fullmatch(request.path) if request.method == "PATCH" else None
    is_known = (request.method, request.path) in _POSTS and not (request.path == "/api/events" and service.is_old)
    if not rate and not is_known:
        return NOT_FOUND
    if not request.is_json:
        return schema.invalid_input()
    try:
        body = request.json()
    except ValueError:
        return INTERNAL_ERROR
    if rate:
        with service.reading() as reading:
            return reading.set_sampling_rate(account, rate[1], body)
    if request.path == "/api/entities/init":
        return service.init(account, body)
    return service.ingest(account, body, request.headers.get("x-external-user-id"), at_once=request.path == "/api/events")
