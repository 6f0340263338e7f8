"""Environment variables. The only reader of `os.environ`, and the only writer; a variable that is empty counts as unset.

What is written is only for child processes: one that is not forked has none of this process's clients, and makes its own from the
environment. This process ignores it, and removes it with the client that it was written for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress

from ..errors import ConfigurationError

_FREEZING_HOSTS = ("AWS_LAMBDA_FUNCTION_NAME", "K_SERVICE", "FUNCTION_TARGET", "FUNCTIONS_WORKER_RUNTIME")
"""Set by AWS Lambda, Cloud Run services, Cloud Functions and Azure Functions. A job on Cloud Run is not frozen, and ends by itself."""

_ANSWERS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}

CAPTURE_CONTENT = "WHYOPS_CAPTURE_CONTENT"
REDACT_KEYS = "WHYOPS_REDACT_KEYS"
PARENT_REDACTS = "WHYOPS_PARENT_REDACTS"
"""Set for children of a process whose `redact` or `sink` they can't have."""

TRUST_SECRET = "WHYOPS_TRUST_SECRET"  # noqa: S105  (the variable's name)
"""Holds what signs the traces that are carried to other processes; only there, so that it is in no setting, no `repr` and no pickle."""

_written: dict[str, tuple[str, str | None]] = {}
"""What this process wrote for its children, and what its user had there."""


def text(name: str) -> str | None:
    """Return a variable's value, of WhyOps or of anyone; not what this process itself wrote there for its children."""
    return (_users_value(name) or "").strip() or None


def names(name: str) -> tuple[str, ...]:
    """Return the names that a variable lists, with commas between them."""
    return tuple(filter(None, map(str.strip, (text(name) or "").split(","))))


def flag(name: str, *, default: bool) -> bool:
    """Return whether a variable says yes or no.

    Raises:
        ConfigurationError: it says neither.
    """
    said = text(name)
    if said is None:
        return default
    if said.lower() not in _ANSWERS:
        raise ConfigurationError(f"{name} must be 1 or 0, not {said!r}.")
    return _ANSWERS[said.lower()]


def number(name: str) -> int | None:
    """Return the whole number that a variable contains.

    Raises:
        ConfigurationError: it contains something else.
    """
    said = text(name)
    if said is None:
        return None
    try:
        return int(said)
    except ValueError:
        raise ConfigurationError(f"{name} must be a whole number, not {said!r}.") from None


def is_disabled() -> bool:
    """Tell whether `WHYOPS_DISABLED` switches everything off."""
    return flag("WHYOPS_DISABLED", default=False)


def may_freeze() -> bool:
    """Tell whether the host is one that freezes a process between two requests."""
    return any(text(name) is not None for name in _FREEZING_HOSTS)


def terminal_size() -> tuple[int, int]:
    """Return the columns and lines of the terminal: those that COLUMNS and LINES give, else its own; 80 and 24 without one."""
    columns, lines = (int(given) if (given := os.environ.get(name, "")).isdecimal() else 0 for name in ("COLUMNS", "LINES"))
    own = (0, 0)
    if not (columns and lines) and sys.__stdout__ is not None:
        with suppress(OSError, ValueError):  # no terminal, or closed
            own = os.get_terminal_size(sys.__stdout__.fileno())
    return columns or own[0] or 80, lines or own[1] or 24


def wants_color() -> bool:
    """Tell whether a terminal may be given colours: not with `NO_COLOR`, nor where it calls itself dumb."""
    return text("NO_COLOR") is None and text("TERM") != "dumb"


def parent_redacts() -> bool:
    """Tell whether the process that started this one redacts in a way, or sends to a place, that this one can't know."""
    return text(PARENT_REDACTS) is not None


def tell_children(*, without_content: bool, redact_keys: Iterable[str], redacts: bool) -> None:
    """Let a child process record no more than this one: no contents, these names redacted, or no contents for want of our `redact`."""
    keys = dict.fromkeys(redact_keys)
    listed = [key for key in keys if _can_be_listed(key)]
    users = [key for key in names(REDACT_KEYS) if key not in keys]
    _write(CAPTURE_CONTENT, "0" if without_content else None)
    _write(REDACT_KEYS, ",".join([*users, *listed]) if listed else None)
    _write(PARENT_REDACTS, "1" if redacts or len(listed) < len(keys) else None)


def _write(name: str, value: str | None) -> None:
    """Set a variable to `value` for children; for None, restore what the user had there."""
    users = _users_value(name)
    is_ours = _written.pop(name, None) is not None and os.environ.get(name) != users
    if value is not None and value != users:
        _written[name] = value, users
        os.environ[name] = value
    elif is_ours and users is not None:
        os.environ[name] = users
    elif is_ours:
        del os.environ[name]


def _users_value(name: str) -> str | None:
    value = os.environ.get(name)
    written, before = _written.get(name, (None, None))
    return before if value is not None and value == written else value


def _can_be_listed(key: str) -> bool:
    try:
        os.fsencode(key)
    except UnicodeEncodeError:
        return False
    return "," not in key and "\0" not in key


def pager() -> str | None:
    """Return the command that shows a long text page by page; None, where the user wants none: `PAGER` is empty, or `cat`."""
    command = os.environ.get("PAGER", "less -R").strip()
    return None if command in ("", "cat") or text("TERM") == "dumb" else command


def of_pager() -> dict[str, str]:
    """Return the environment of a pager: `less` shows colours, and ends by itself behind a text that fits, unless the user has it else."""
    return {"LESS": "FRX", **os.environ}
