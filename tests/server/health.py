"""Whether the service and its proxy are well, as anybody may ask, and what is away while a test says so."""

from __future__ import annotations

from dataclasses import dataclass

from .answer import Answer


@dataclass
class Health:
    """What a test has switched off.

    Without its `database` the service can't look a key up: each request is 401. `proxy_link` is the way from the proxy to the service.
    """

    database: bool = True
    proxy_link: bool = True

    def answer(self, path: str) -> Answer | None:
        """Answer a question for health, or None for any other path."""
        if path == "/health":
            return Answer(200, {"status": "healthy", "service": "whyops-proxy", "version": "1.0.0"})
        if path == "/api/health":
            state = ("healthy", "connected") if self.database else ("degraded", "disconnected")
            return Answer(200, {"status": state[0], "service": "whyops-analyse", "version": "1.0.0", "database": state[1]})
        if path == "/api/health/ready":
            if self.database:
                return Answer(200, {"status": "ready"})
            return Answer(503, {"status": "not ready", "error": "Database unavailable"})
        return None
