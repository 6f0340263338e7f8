"""The settings of a client: what the caller gave, completed from the environment.

The environment is read when a client is first used, not when it is made, so that a late `load_dotenv()` works. An argument wins over it,
and an empty string counts as unset.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import SplitResult, urlsplit

from ..errors import ConfigurationError
from . import defaults, environment

if TYPE_CHECKING:
    import httpx

    from ..events import Sink

_MAX_AGENT_NAME = 255
_TOOLS_ADVICE = 'each with "name" and, if you like, "description", "inputSchema" and "outputSchema"; whyops.describe_tools(…) makes them.'


@dataclass(frozen=True)
class Settings:
    """All settings of a client. `None` means not given, so the environment or the default decides.

    Completed settings without a `home` have `home_trouble` instead: why there is none.
    """

    api_key: str | None = field(default=None, repr=False)
    agent_name: str | None = None
    agent_metadata: Mapping[str, Any] | None = None
    proxy_base_url: str | None = None
    analyse_base_url: str | None = None
    home: Path | None = None
    sink: Sink | None = None
    redact: Callable[[Any], Any] | None = None
    redact_keys: tuple[str, ...] = ()
    keep_keys: tuple[str, ...] = ()
    capture_content: bool | None = None
    max_value_bytes: int = defaults.MAX_VALUE_BYTES
    outbox: Literal["file", "memory"] = "file"
    outbox_max_bytes: int = defaults.OUTBOX_MAX_BYTES
    exit_timeout: float | None = None
    flush_at_trace_end: bool | None = None
    keep_local: bool | None = None
    local_max_age_days: int | None = None
    local_max_bytes: int | None = None
    transport: httpx.BaseTransport | None = None
    disabled: bool = False
    home_trouble: str = ""

    def __post_init__(self) -> None:
        """Refuse what can't work, by name, and while the caller is there to read it."""
        for name, check in _CHECKS.items():
            value = getattr(self, name)
            if value is not None or name not in _MAY_BE_NONE:
                check(value, name)

    def completed(self) -> Settings:
        """Return these settings with what was not given taken from the environment, or from the defaults."""
        home, home_trouble = _home_if_any(self.home)
        capture, flush, keep = self.capture_content, self.flush_at_trace_end, self.keep_local
        days, size = self.local_max_age_days, self.local_max_bytes
        return replace(
            self,
            api_key=self.api_key or _text("WHYOPS_API_KEY", _check_key),
            agent_name=self.agent_name or _text("WHYOPS_AGENT_NAME", _check_agent_name),
            analyse_base_url=(self.analyse_base_url or _text("WHYOPS_ANALYSE_BASE_URL", _check_url) or defaults.ANALYSE_URL).rstrip("/"),
            proxy_base_url=(self.proxy_base_url or _text("WHYOPS_PROXY_BASE_URL", _check_url) or defaults.PROXY_URL).rstrip("/"),
            home=home,
            home_trouble=home_trouble,
            redact_keys=self.redact_keys or environment.names(environment.REDACT_KEYS),
            capture_content=environment.flag(environment.CAPTURE_CONTENT, default=True) if capture is None else capture,
            flush_at_trace_end=environment.flag("WHYOPS_FLUSH_AT_TRACE_END", default=environment.may_freeze()) if flush is None else flush,
            keep_local=environment.flag("WHYOPS_KEEP_LOCAL", default=False) if keep is None else keep,
            local_max_age_days=_number("WHYOPS_LOCAL_MAX_AGE_DAYS", defaults.LOCAL_MAX_AGE_DAYS) if days is None else days,
            local_max_bytes=_number("WHYOPS_LOCAL_MAX_BYTES", defaults.LOCAL_MAX_BYTES) if size is None else size,
            disabled=self.disabled or environment.is_disabled(),
        )


def given(**arguments: Any) -> Settings:
    """Return the settings of a caller's arguments: an empty string counts as not given, and lists of names may be any iterable."""
    for name in ("api_key", "agent_name", "proxy_base_url", "analyse_base_url", "home"):
        if arguments.get(name) == "":
            arguments[name] = None
    if arguments.get("home") is not None:
        arguments["home"] = _home_of_caller(arguments["home"])
    for name in ("redact_keys", "keep_keys"):
        arguments[name] = _names(arguments.get(name), name)
    return Settings(**arguments)


def check_agent_is_named(settings: Settings) -> None:
    """Refuse a key without an agent's name.

    Raises:
        ConfigurationError: the name is missing.
    """
    if settings.api_key is not None and settings.agent_name is None and settings.sink is None and not settings.disabled:
        raise ConfigurationError(
            "agent_name is missing: with an API key each client needs one, as the service allows few agents per account. "
            "Pass agent_name=… or set WHYOPS_AGENT_NAME."
        )


def home_directory(chosen: str | os.PathLike[str] | None = None) -> Path:
    """Return where local data lies: the argument, else `WHYOPS_HOME`, else `~/.whyops`.

    Raises:
        ConfigurationError: it can't be told, or is a file.
    """
    if chosen is not None:
        return _path(chosen, "home")
    named = environment.text("WHYOPS_HOME")
    if named is not None:
        return _path(named, "WHYOPS_HOME")
    return _path("~/.whyops", "home")


def _names(given: object, name: str) -> tuple[Any, ...]:
    """Return a list of names that a caller gave; a single one may be given as it is. What each is, is checked with the settings."""
    if given is None or given == "":
        return ()
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, Iterable):
        raise ConfigurationError(f"{name} must be a list of names, as strings, not {_kind_of(given)}.")
    return tuple(given)


def _check_agent_metadata(metadata: object, name: str) -> None:
    """Refuse a description that would arrive as another, or without its tools."""
    if not isinstance(metadata, Mapping):
        raise ConfigurationError(f"{name} must be a dict, not {_kind_of(metadata)}.")
    for key in ("systemPrompt", "description"):
        if not isinstance(metadata.get(key), (str, type(None))):
            raise ConfigurationError(f"{name}[{key!r}] must be a string, not {_kind_of(metadata[key])}.")
    tools = metadata.get("tools")
    if not isinstance(tools, (list, tuple, type(None))):
        raise ConfigurationError(f"{name}['tools'] must be a list of dicts, not {_kind_of(tools)}: {_TOOLS_ADVICE}")
    for index, tool in enumerate(tools or ()):
        if not isinstance(tool, Mapping):
            raise ConfigurationError(f"{name}['tools'][{index}] must be a dict, not {_kind_of(tool)}: {_TOOLS_ADVICE}")


def _kind_of(value: object) -> str:
    return type(value).__name__


def _text(variable: str, check: Callable[[Any, str], None]) -> str | None:
    """Return what a variable of the environment says, if that can work."""
    text = environment.text(variable)
    if text is not None:
        check(text, variable)
    return text


def _number(variable: str, default: int) -> int:
    """Return the number that a variable of the environment says, if that can work."""
    number = environment.number(variable)
    if number is None:
        return default
    _check_number(number, variable)
    return number


def _require(holds: bool, sentence: str) -> None:  # noqa: FBT001  (what is required)
    if not holds:
        raise ConfigurationError(sentence)


def _check_number(value: object, name: str) -> None:
    unit, least, may_be_unbound = _NUMBERS[name.removeprefix("WHYOPS_").lower()]
    is_number = isinstance(value, int) and not isinstance(value, bool) and (value >= least or (may_be_unbound and value == 0))
    _require(is_number, f"{name} must be a whole number of {unit}, at least {least}{', or 0 for no limit' if may_be_unbound else ''}.")


def _check_seconds(value: object, name: str) -> None:
    is_number = isinstance(value, (int, float)) and 0 <= value < float("inf")
    _require(is_number, f"{name} must be a number of seconds, 0 or more.")


def _check_flag(value: object, name: str) -> None:
    _require(isinstance(value, bool), f"{name} must be True or False, not {value!r}.")


def _check_names(names: tuple[object, ...], name: str) -> None:
    _require(all(isinstance(key, str) and key for key in names), f"{name} must contain names, as strings that are not empty.")


def _check_redact(redact: object, name: str) -> None:
    _require(callable(redact), f"{name} must be a function that takes a value and returns what is to be recorded.")


def _check_sink(sink: object, name: str) -> None:
    _require(hasattr(sink, "send") and hasattr(sink, "close"), f"{name} must have the methods send(lines) and close().")


def _check_transport(transport: object, name: str) -> None:
    _require(
        callable(getattr(transport, "handle_request", None)),
        f"{name} must be an httpx transport, such as httpx.HTTPTransport(), not {_kind_of(transport)}: it must have the method "
        "handle_request(request).",
    )


def _check_outbox(outbox: object, name: str) -> None:
    _require(outbox in ("file", "memory"), f"{name} must be 'file' or 'memory', not {outbox!r}.")


def _check_text(value: object, name: str) -> None:
    _require(isinstance(value, str), f"{name} must be a string, not {_kind_of(value)}.")


def _check_url(url: str, name: str) -> None:
    """Refuse what is no base URL. The message repeats nothing of it: a password may be part of it, or of what was meant."""
    _check_text(url, name)
    wrong = _fault_of_url(url)
    if wrong:
        raise ConfigurationError(f"{name} {wrong}")


def _fault_of_url(url: str) -> str:
    """Return what is wrong with a base URL, as the end of a sentence; empty if nothing is."""
    if not url.isprintable() or " " in url:
        return "must be a URL without spaces, line breaks or other invisible characters: it contains one, perhaps at its end."
    try:
        parts = urlsplit(url)
    except ValueError:
        return (
            f"must be a URL whose host can be read, such as {defaults.ANALYSE_URL}: an IPv6 address stands in brackets, http://[::1]:8080."
        )
    if parts.scheme not in ("http", "https"):
        return f"must be a URL that begins with https:// or http://, such as {defaults.ANALYSE_URL}."
    if "@" in parts.netloc:
        return (
            "must not hold a user name or password: it is shown in logs and stored with waiting events. The service knows you by "
            "api_key; what a proxy on the way asks for goes into HTTPS_PROXY, and what else must be sent into a transport of yours."
        )
    if not parts.hostname:
        return f"must be a URL with a host after {parts.scheme}://, such as {defaults.ANALYSE_URL}."
    if not _has_usable_port(parts):
        return "must be a URL whose port, after the host's colon, is a number from 1 to 65535; it may be left out."
    if "?" in url or "#" in url:
        return f"must end with its path, such as {defaults.ANALYSE_URL}: what follows ? or # can't be kept."
    return ""


def _has_usable_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:  # no number, or too high a one
        return False


def _check_key(key: str, name: str) -> None:
    _check_text(key, name)
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError(f"{name} must be printable ASCII without spaces: check what was pasted.")


def _check_agent_name(agent_name: str, name: str) -> None:
    _check_text(agent_name, name)
    if len(agent_name) > _MAX_AGENT_NAME or not agent_name.isascii() or not agent_name.isprintable() or agent_name.strip() != agent_name:
        raise ConfigurationError(f"{name} must be 1 to {_MAX_AGENT_NAME} printable ASCII characters: it is sent as an HTTP header.")


class _UnknownHomeError(ConfigurationError):
    """What was written is a path, but on this machine it leads nowhere."""


def _home_of_caller(chosen: str | os.PathLike[str]) -> Path:
    """Return the folder that a caller named; one that leads nowhere on this machine is said at first use."""
    try:
        return _path(chosen, "home")
    except _UnknownHomeError:
        return Path(chosen)


def _home_if_any(chosen: Path | None) -> tuple[Path | None, str]:
    """Return where local data lies, or why there is no such place: a machine without one is no reason not to record."""
    try:
        return home_directory(chosen), ""
    except ConfigurationError as error:
        return None, str(error)


def _path(chosen: str | os.PathLike[str], name: str) -> Path:
    try:
        path = Path(os.fsdecode(chosen)).expanduser().absolute()
        encoded = os.fsencode(path)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{name} must be a folder's path ({error}).") from None
    except (RuntimeError, OSError) as error:
        raise _UnknownHomeError(f"{name} is {chosen}, which leads nowhere here ({error}). Set WHYOPS_HOME to a folder.") from None
    if b"\0" in encoded:
        raise ConfigurationError(f"{name} must be a folder's path, without a null byte.")
    if _is_file(path):
        raise ConfigurationError(f"{name} must be a folder's path; {path} is a file.")
    return path


def _is_file(path: Path) -> bool:
    try:
        return path.exists() and not path.is_dir()
    except OSError:  # it can't be looked at; whether it can be used is seen when it is
        return False


_NUMBERS = {
    "max_value_bytes": ("bytes", 1024, False),
    "outbox_max_bytes": ("bytes", 1024 * 1024, False),
    "local_max_age_days": ("days", 1, True),
    "local_max_bytes": ("bytes", 100_000, True),
}
"""What each counts, the least that it may be, and whether 0 means no limit."""

_CHECKS: dict[str, Callable[[Any, str], None]] = {
    "api_key": _check_key,
    "agent_name": _check_agent_name,
    "proxy_base_url": _check_url,
    "analyse_base_url": _check_url,
    "capture_content": _check_flag,
    "flush_at_trace_end": _check_flag,
    "keep_local": _check_flag,
    "disabled": _check_flag,
    "local_max_age_days": _check_number,
    "local_max_bytes": _check_number,
    "agent_metadata": _check_agent_metadata,
    "redact_keys": _check_names,
    "keep_keys": _check_names,
    "redact": _check_redact,
    "sink": _check_sink,
    "transport": _check_transport,
    "outbox": _check_outbox,
    "max_value_bytes": _check_number,
    "outbox_max_bytes": _check_number,
    "exit_timeout": _check_seconds,
}
"""What is asked of each setting, in this order."""

_MAY_BE_NONE = _CHECKS.keys() - {"disabled", "redact_keys", "keep_keys", "outbox", "max_value_bytes", "outbox_max_bytes"}
