"""A client's settings as they go to another process: what is secret, or alive only here, stays behind."""

from __future__ import annotations

import pickle
from typing import Any

from .._runtime import guard
from .._runtime.safely import Failed, safely
from . import environment
from .settings import Settings

_STAY = frozenset({"api_key", "transport", "sink", "otlp", "otlp_headers"})
"""What is a secret, or may be one, must not be in a pickle, and the others are alive only here: there the environment decides instead."""

_MAY_NOT_PICKLE = frozenset({"agent_metadata", "redact"})


def packed(settings: Settings) -> bytes:
    """Return the settings as a pickle, without key, transport and sink, and without what does not pickle.

    The address of a receiver of spans is in it only if there can be no password in that.
    """
    given = {name: value for name, value in settings.values().items() if name not in _STAY}
    values = {name: safely(pickle.dumps, value) if name in _MAY_NOT_PICKLE else value for name, value in given.items()}
    values = {name: b"" if isinstance(value, Failed) else value for name, value in values.items()}
    address = settings.otlp if settings.otlp is not None and not _may_hold_a_secret(settings.otlp) else None
    had_receiver = settings.otlp is not None and address is None
    return pickle.dumps((values | {"otlp": address}, settings.api_key is not None, settings.sink is not None, had_receiver))


def unpacked(data: bytes) -> Settings:
    """Return the settings that were packed. Those whose `redact` or sink could not come along record no content, and say so."""
    values, had_key, had_sink, had_receiver = pickle.loads(data)  # noqa: S301  (it comes as a part of a pickle that is being loaded)
    read: dict[str, Any] = {name: safely(pickle.loads, values[name]) for name in _MAY_NOT_PICKLE}
    lost = {name for name, value in read.items() if isinstance(value, Failed)}
    settings = Settings(**values | read | dict.fromkeys(lost))
    if had_key and environment.text("WHYOPS_API_KEY") is None:
        _say("its key: runs are recorded in the local store, unless WHYOPS_API_KEY is set here")
    if had_receiver and not environment.flag("WHYOPS_OTLP", default=False):
        _say("its OTLP address, as there may be a password in it: no spans are sent, unless WHYOPS_OTLP is set here")
    if "redact" not in lost and not had_sink:
        return settings
    _say(f"its {'redact function' if 'redact' in lost else 'sink'}: no content is recorded here")
    return settings.but(capture_content=False)


def _may_hold_a_secret(address: str) -> bool:
    return any(mark in address for mark in "@?")


def _say(what: str) -> None:
    guard.notices.say(f"unpickled without {what}", "A client came from another process without %s.", what)
