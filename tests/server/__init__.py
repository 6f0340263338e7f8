"""A loopback server that stands for the WhyOps service and is as strict: tests deliver to it over real sockets.

`StrictServer` runs on threads of the test's own process, `ServerProcess` in a process of its own (for tests that kill, fork or measure).
It refuses what the service refuses, with the same answers, and can be told to fail. It knows nothing of the package under test.

    with StrictServer() as server:
        sdk = whyops.WhyOps("whyops_key", "agent", analyse_base_url=server.url, proxy_base_url=server.proxy_url)
        ...
        server.events                   # what was stored, as it was sent
        server.fail(503, retry_after=1) # the next request is refused

Sampling and the limits of spans and traces are off unless asked for, so that counts come out; the limit of two agents is on.
"""

from __future__ import annotations

from .answer import Answer, raw
from .faults import Faults
from .process import ServerProcess
from .request import Request
from .server import StrictServer
from .service import Limits, Service

__all__ = ["Answer", "Faults", "Limits", "Request", "ServerProcess", "Service", "StrictServer", "raw"]
