"""A strict server and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import whyops
from tests.conftest import close_all
from tests.server import StrictServer


@pytest.fixture
def server() -> Iterator[StrictServer]:
    with StrictServer() as running:
        yield running
        close_all()  # while there is somebody to answer


@pytest.fixture
def sdk(server: StrictServer) -> Iterator[whyops.WhyOps]:
    with whyops.WhyOps("whyops_test", "agent", {"systemPrompt": "Be kind."}, server.proxy_url, server.url) as client:
        yield client
