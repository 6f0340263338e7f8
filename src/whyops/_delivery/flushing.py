"""Waiting for the sender, as a client's `flush` and `close` do: with or without an event loop, and where that can't be done, without."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .._runtime import guard
from ..errors import DeliveryError
from ..types import FlushResult

if TYPE_CHECKING:
    from concurrent.futures import Future

    from .fan_out import AnyDelivery


def waited(delivery: AnyDelivery, ask: Callable[[float | None], Future[FlushResult]], timeout: float | None) -> FlushResult:
    """Ask the sender for something, and wait for it. Return the counts, those of now where that can't be waited for."""
    asked = _asked(ask, timeout)
    return delivery.counts() if asked is None else delivery.wait(asked, timeout, delivery.counts)


async def awaited(delivery: AnyDelivery, ask: Callable[[float | None], Future[FlushResult]], timeout: float | None) -> FlushResult:
    """Do as `waited` does, without blocking the event loop."""
    asked = _asked(ask, timeout)
    return delivery.counts() if asked is None else await delivery.wait_async(asked, timeout, delivery.counts)


def _asked(ask: Callable[[float | None], Future[FlushResult]], timeout: float | None) -> Future[FlushResult] | None:
    """Ask the sender for something; None where what waiting takes can't be loaded now, for lack of a descriptor."""
    try:
        return ask(timeout)
    except (ImportError, OSError) as error:
        guard.notices.say("can't wait", "Nothing can be waited for now (%s); what was recorded is delivered all the same.", error)
        return None


def checked(result: FlushResult, *, raise_on_failure: bool) -> FlushResult:
    if raise_on_failure and (result.waiting or result.rejected or result.dropped or result.not_recorded):
        raise DeliveryError(f"Not everything is delivered: {result}. `whyops status` tells why.")
    return result
