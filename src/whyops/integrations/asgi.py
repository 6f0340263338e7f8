"""Web applications on ASGI servers, such as uvicorn: what was recorded is delivered before the server ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .._assembly import deliveries

__all__ = ["lifespan"]


@asynccontextmanager
async def lifespan(app: object = None) -> AsyncIterator[None]:  # noqa: ARG001  (frameworks pass theirs)
    """Deliver what was recorded when the application shuts down, within `exit_timeout`.

    After SIGTERM most servers let the signal end the process, so that no exit hook runs. Hand it to the framework, as in
    `FastAPI(lifespan=lifespan)`; in a lifespan of your own, put `async with lifespan():` around its `yield`.
    """
    try:
        yield
    finally:
        await asyncio.gather(*(delivery.deliver_at_end() for delivery in deliveries()))
