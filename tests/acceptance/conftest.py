"""A strict server and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import whyops
from tests.server import StrictServer
from whyops import _client


@pytest.fixture
def server() -> Iterator[StrictServer]:
    with StrictServer() as running:
        yield running
        for client in list(_client._open_clients):  # while there is somebody to answer them
            client.close_sync(timeout=2)


@pytest.fixture
def sdk(server: StrictServer) -> Iterator[whyops.WhyOps]:
    with whyops.WhyOps("whyops_test", "agent", {"systemPrompt": "Be kind."}, server.proxy_url, server.url) as client:
        yield client
