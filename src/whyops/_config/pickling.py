"""A client's settings as they go to another process: what is secret, or alive only here, stays behind."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace
from typing import Any

from .._runtime import guard
from .._runtime.safely import Failed, safely
from . import environment
from .settings import Settings

_STAY = frozenset({"api_key", "transport", "sink"})
"""The key must not be in a pickle, and the others are alive only here: in their place the environment decides where the settings arrive."""

_MAY_NOT_PICKLE = frozenset({"agent_metadata", "redact"})


def packed(settings: Settings) -> bytes:
    """Return the settings as a pickle, without key, transport and sink, and without what does not pickle."""
    given = {field.name: getattr(settings, field.name) for field in fields(settings) if field.name not in _STAY}
    values = {name: safely(pickle.dumps, value) if name in _MAY_NOT_PICKLE else value for name, value in given.items()}
    values = {name: b"" if isinstance(value, Failed) else value for name, value in values.items()}
    return pickle.dumps((values, settings.api_key is not None, settings.sink is not None))


def unpacked(data: bytes) -> Settings:
    """Return the settings that were packed. Those whose `redact` or sink could not come along record no content, and say so."""
    values, had_key, had_sink = pickle.loads(data)  # noqa: S301  (it comes as a part of a pickle that is being loaded)
    read: dict[str, Any] = {name: safely(pickle.loads, values[name]) for name in _MAY_NOT_PICKLE}
    lost = {name for name, value in read.items() if isinstance(value, Failed)}
    settings = Settings(**values | read | dict.fromkeys(lost))
    if had_key and environment.text("WHYOPS_API_KEY") is None:
        _say("its key: runs are recorded in the local store, unless WHYOPS_API_KEY is set here")
    if "redact" not in lost and not had_sink:
        return settings
    _say(f"its {'redact function' if 'redact' in lost else 'sink'}: no content is recorded here")
    return replace(settings, capture_content=False)


def _say(what: str) -> None:
    guard.notices.say(f"unpickled without {what}", "A client came from another process without %s.", what)
