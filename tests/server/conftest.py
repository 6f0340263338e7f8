"""What the tests of the strict server share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server import StrictServer
from tests.server.client import Client


@pytest.fixture
def server() -> Iterator[StrictServer]:
    """Run a server for the test."""
    with StrictServer() as running:
        yield running


@pytest.fixture
def client(server: StrictServer) -> Iterator[Client]:
    """Connect the plainest client to it."""
    connected = Client(server)
    yield connected
    connected.close()
