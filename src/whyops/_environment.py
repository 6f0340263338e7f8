"""What the environment says. The only reader of `os.environ`; a variable that is empty counts as unset."""

from __future__ import annotations

import os

from .errors import ConfigurationError

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


def text(name: str) -> str | None:
    """Return what a variable holds, ours or another's."""
    return os.environ.get(name, "").strip() or None


def flag(name: str, *, default: bool) -> bool:
    """Return whether a variable says yes or no.

    Raises:
        ConfigurationError: it says neither.
    """
    said = text(name)
    if said is None:
        return default
    if said.lower() in _TRUE:
        return True
    if said.lower() in _FALSE:
        return False
    raise ConfigurationError(f"{name} must be 1 or 0, not {said!r}.")


def is_disabled() -> bool:
    """Tell whether `WHYOPS_DISABLED` switches everything off."""
    return flag("WHYOPS_DISABLED", default=False)


def api_key() -> str | None:
    """Return the API key, if there is one."""
    return text("WHYOPS_API_KEY")


def agent_name() -> str | None:
    """Return the agent's name, if there is one."""
    return text("WHYOPS_AGENT_NAME")


def wants_color() -> bool:
    """Tell whether a terminal may be given colours: not with `NO_COLOR`, nor where it calls itself dumb."""
    return text("NO_COLOR") is None and text("TERM") != "dumb"
