"""The settings of a client: what the caller gave, completed from the environment.

The environment is read when a client is first used, not when it is made, so that a late `load_dotenv()` works. An argument wins over it,
and an empty string counts as unset.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import SplitResult, urlsplit

from ..errors import ConfigurationError
from . import defaults, environment

if TYPE_CHECKING:
    import httpx

    from ..events import Sink

T = TypeVar("T")
D = TypeVar("D")
Check = Callable[[Any, str], None]
"""Takes a value and the name that the caller or the environment gave it under; raises if it can't work."""

_MAX_AGENT_NAME = 255
_TOOLS_ADVICE = 'each with "name" and, if you like, "description", "inputSchema" and "outputSchema"; whyops.describe_tools(…) makes them.'


class Settings:
    """All settings of a client, none of which is ever changed. `None` means not given, so the environment or the default decides.

    Completed settings without a `home` have `home_trouble` instead: why there is none.
    """  # no dataclass: to make one of so many fields takes as long as all other modules of this folder do

    api_key: str | None = None
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
    capture_prompts: bool | None = None
    record_steps: bool | None = None
    max_value_bytes: int = defaults.MAX_VALUE_BYTES
    outbox: Literal["file", "memory"] = "file"
    outbox_max_bytes: int = defaults.OUTBOX_MAX_BYTES
    exit_timeout: float | None = None
    flush_at_trace_end: bool | None = None
    keep_local: bool | None = None
    local_max_age_days: int | None = None
    local_max_bytes: int | None = None
    transport: httpx.BaseTransport | None = None
    otlp: str | None = None
    otlp_headers: tuple[tuple[str, str], ...] = ()
    disabled: bool = False
    home_trouble: str = ""

    def __init__(self, **given: Any) -> None:
        """Take what is given by name; reject what can't work, where the caller sees it."""
        if unknown := given.keys() - Settings.__annotations__.keys():
            raise TypeError(f"there is no setting {', '.join(map(repr, sorted(unknown)))}")
        vars(self).update(given)
        for name, check in _CHECKS.items():
            value = getattr(self, name)
            if value is not None or name not in _MAY_BE_NONE:
                check(value, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and self.values() == other.values()

    __hash__ = None  # type: ignore[assignment]  # some hold a dict

    def values(self) -> dict[str, Any]:
        """Return all of them by name, in the same order each time."""
        return {name: getattr(self, name) for name in Settings.__annotations__}

    def but(self, **changes: Any) -> Settings:
        """Return the same settings with some of them changed."""
        return Settings(**{**vars(self), **changes})

    def completed(self) -> Settings:
        """Return these settings with what was not given taken from the environment, or from the defaults."""
        home, home_trouble = _home_if_any(self.home)
        capture, prompts, flush, keep = self.capture_content, self.capture_prompts, self.flush_at_trace_end, self.keep_local
        steps = self.record_steps
        days, size, text = self.local_max_age_days, self.local_max_bytes, environment.text
        api_key = self.api_key or _said(text, "WHYOPS_API_KEY", None)
        endpoint, headers = self._receiver()
        return self.but(
            api_key=api_key,
            otlp=endpoint,
            otlp_headers=headers,
            agent_name=self.agent_name or _said(text, "WHYOPS_AGENT_NAME", None),
            analyse_base_url=(self.analyse_base_url or _said(text, "WHYOPS_ANALYSE_BASE_URL", defaults.ANALYSE_URL)).rstrip("/"),
            proxy_base_url=(self.proxy_base_url or _said(text, "WHYOPS_PROXY_BASE_URL", defaults.PROXY_URL)).rstrip("/"),
            home=home,
            home_trouble=home_trouble,
            redact_keys=self.redact_keys or environment.names(environment.REDACT_KEYS),
            capture_content=environment.flag(environment.CAPTURE_CONTENT, default=True) if capture is None else capture,
            capture_prompts=environment.flag("WHYOPS_CAPTURE_PROMPTS", default=True) if prompts is None else prompts,
            record_steps=environment.flag("WHYOPS_RECORD_STEPS", default=False) if steps is None else steps,
            flush_at_trace_end=environment.flag("WHYOPS_FLUSH_AT_TRACE_END", default=environment.may_freeze()) if flush is None else flush,
            keep_local=environment.flag("WHYOPS_KEEP_LOCAL", default=api_key is None and endpoint is not None) if keep is None else keep,
            local_max_age_days=_said(environment.number, "WHYOPS_LOCAL_MAX_AGE_DAYS", defaults.LOCAL_MAX_AGE_DAYS)
            if days is None
            else days,
            local_max_bytes=_said(environment.number, "WHYOPS_LOCAL_MAX_BYTES", defaults.LOCAL_MAX_BYTES) if size is None else size,
            disabled=self.disabled or environment.is_disabled(),
        )

    def _receiver(self) -> tuple[str | None, tuple[tuple[str, str], ...]]:
        """Return the whole address of the receiver of spans, and the headers for it; the environment's are not for a sink's lines."""
        is_on = self.sink is None and environment.flag("WHYOPS_OTLP", default=False)
        if self.otlp is None and not is_on:
            return None, ()
        from . import otlp  # noqa: PLC0415  (most programs send no spans)

        headers = tuple(otlp.headers_given().items()) if is_on else ()
        if self.otlp is not None:
            return otlp.traces_address(self.otlp), headers
        return (otlp.address_given() if is_on else None), headers

    @property
    def proxy_of_service(self) -> str:
        """The proxy that may speak for the service; none for a service of the user's own, of which the hosted proxy is to learn nothing."""
        is_hosted = self.proxy_base_url == defaults.PROXY_URL
        return "" if is_hosted and self.analyse_base_url != defaults.ANALYSE_URL else self.proxy_base_url or ""


def given(**arguments: Any) -> Settings:
    """Return the settings of a caller's arguments: an empty string counts as not given, and lists of names may be any iterable."""
    for name in ("api_key", "agent_name", "proxy_base_url", "analyse_base_url", "home", "otlp"):
        if arguments.get(name) == "":
            arguments[name] = None
    if arguments.get("home") is not None:
        arguments["home"] = _home_of_caller(arguments["home"])
    for name in ("redact_keys", "keep_keys"):
        arguments[name] = _names(arguments.get(name), name)
    return Settings(**arguments)


def check_agent_is_named(settings: Settings) -> None:
    """Reject a key without an agent's name.

    Raises:
        ConfigurationError: the name is missing.
    """
    _require(
        settings.api_key is None or settings.agent_name is not None or settings.sink is not None or settings.disabled,
        "agent_name is missing: with an API key each client needs one, as the service allows few agents per account. "
        "Pass agent_name=… or set WHYOPS_AGENT_NAME.",
    )


def home_directory(chosen: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of local data: the argument, else `WHYOPS_HOME`, else `~/.whyops`.

    Raises:
        ConfigurationError: the folder is unknown, or is a file.
    """
    if chosen is not None:
        return _path(chosen, "home")
    named = environment.text("WHYOPS_HOME")
    return _path("~/.whyops", "home") if named is None else _path(named, "WHYOPS_HOME")


def _names(given: object, name: str) -> tuple[Any, ...]:
    """Return a list of names that a caller gave; a single one may be given as it is. What each is, is checked with the settings."""
    if given is None or isinstance(given, str):
        return (given,) if given else ()
    if not isinstance(given, Iterable):
        raise ConfigurationError(f"{name} must be a list of names, as strings, not {type(given).__name__}.")
    return tuple(given)


def _said(read: Callable[[str], T | None], variable: str, default: D) -> T | D:
    """Return the value of an environment variable, checked; the default, if it is not set."""
    said = read(variable)
    if said is None:
        return default
    _CHECKS[variable.removeprefix("WHYOPS_").lower()](said, variable)
    return said


def _require(holds: object, sentence: str) -> None:
    if not holds:
        raise ConfigurationError(sentence)


def _must(fits: Callable[[Any], object], demand: str) -> Check:
    """Return the check of a setting that one look at its value decides. The demand may name the `{value}` and its `{kind}`."""

    def check(value: Any, name: str) -> None:
        if not fits(value):
            raise ConfigurationError(f"{name} must {demand.format(value=value, kind=type(value).__name__)}")

    return check


def _whole_number(unit: str, least: int, *, may_be_unbound: bool = False) -> Check:
    """Return the check of a setting that counts something. Where it may be unbound, 0 means no limit."""
    return _must(
        lambda value: isinstance(value, int) and not isinstance(value, bool) and (value >= least or (may_be_unbound and value == 0)),
        f"be a whole number of {unit}, at least {least}{', or 0 for no limit' if may_be_unbound else ''}.",
    )


def _check_agent_metadata(metadata: Any, name: str) -> None:
    """Reject a description that would arrive changed, or without its tools."""
    _require(isinstance(metadata, Mapping), f"{name} must be a dict, not {type(metadata).__name__}.")
    for key in ("systemPrompt", "description"):
        text = metadata.get(key)
        _require(isinstance(text, (str, type(None))), f"{name}[{key!r}] must be a string, not {type(text).__name__}.")
    tools = metadata.get("tools")
    _require(
        isinstance(tools, (list, tuple, type(None))),
        f"{name}['tools'] must be a list of dicts, not {type(tools).__name__}: {_TOOLS_ADVICE}",
    )
    for index, tool in enumerate(tools or ()):
        _require(isinstance(tool, Mapping), f"{name}['tools'][{index}] must be a dict, not {type(tool).__name__}: {_TOOLS_ADVICE}")


_check_text = _must(lambda value: isinstance(value, str), "be a string, not {kind}.")
_check_flag = _must(lambda value: isinstance(value, bool), "be True or False, not {value!r}.")
_check_names = _must(lambda names: all(isinstance(each, str) and each for each in names), "contain names, as strings that are not empty.")


def _check_url(url: str, name: str) -> None:
    """Reject what is no base URL. The message repeats nothing of it: a password may be part of it, or of what was meant."""
    _check_text(url, name)
    _require(
        url.isprintable() and " " not in url,
        f"{name} must be a URL without spaces, line breaks or other invisible characters: it contains one, perhaps at its end.",
    )
    example = f"such as {defaults.ANALYSE_URL}"
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigurationError(
            f"{name} must be a URL whose host can be read, {example}: an IPv6 address stands in brackets, http://[::1]:8080."
        ) from None
    _require(parts.scheme in ("http", "https"), f"{name} must be a URL that begins with https:// or http://, {example}.")
    _require(
        "@" not in parts.netloc,
        f"{name} must not hold a user name or password: it is shown in logs and stored with waiting events. The service knows you by "
        "api_key; what a proxy on the way asks for goes into HTTPS_PROXY, and what else must be sent into a transport of yours.",
    )
    _require(parts.hostname, f"{name} must be a URL with a host after {parts.scheme}://, {example}.")
    _require(
        _has_usable_port(parts),
        f"{name} must be a URL whose port, after the host's colon, is a number from 1 to 65535; it may be left out.",
    )
    _require("?" not in url and "#" not in url, f"{name} must end with its path, {example}: what follows ? or # can't be kept.")


def _has_usable_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:  # no number, or too high a one
        return False


def _check_otlp(address: str, name: str) -> None:
    """Reject what is no address of a receiver. The message repeats nothing of it: there may be a password in it."""
    _check_text(address, name)
    _require(address.isprintable() and " " not in address, f"{name} must be a URL without spaces or other invisible characters.")
    from . import otlp  # noqa: PLC0415  (as above)

    otlp.traces_address(address)


def _check_key(key: str, name: str) -> None:
    _check_text(key, name)
    _require(
        key.isascii() and key.isprintable() and " " not in key,
        f"{name} must be printable ASCII without spaces: check what was pasted.",
    )


def _check_agent_name(agent_name: str, name: str) -> None:
    _check_text(agent_name, name)
    _require(
        len(agent_name) <= _MAX_AGENT_NAME and agent_name.isascii() and agent_name.isprintable() and agent_name.strip() == agent_name,
        f"{name} must be 1 to {_MAX_AGENT_NAME} printable ASCII characters: it is sent as an HTTP header.",
    )


class _UnknownHomeError(ConfigurationError):
    """The text is a path, but can't be resolved on this machine."""


def _home_of_caller(chosen: str | os.PathLike[str]) -> Path:
    """Return the folder that a caller named; one that does not exist on this machine, as `~nobody`, is reported at first use."""
    try:
        return _path(chosen, "home")
    except _UnknownHomeError:
        return Path(chosen)


def _home_if_any(chosen: Path | None) -> tuple[Path | None, str]:
    """Return the folder of local data, or why there is none: that is no reason not to record."""
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
    _require(b"\0" not in encoded, f"{name} must be a folder's path, without a null byte.")
    # one that can't be looked at does not exist for `os.path`: whether it can be used is seen when it is
    is_file = os.path.exists(path) and not os.path.isdir(path)  # noqa: PTH110, PTH112  (those of `Path` raise there)
    _require(not is_file, f"{name} must be a folder's path; {path} is a file.")
    return path


_CHECKS: dict[str, Check] = {
    "api_key": _check_key,
    "agent_name": _check_agent_name,
    "proxy_base_url": _check_url,
    "analyse_base_url": _check_url,
    "otlp": _check_otlp,
    "capture_content": _check_flag,
    "capture_prompts": _check_flag,
    "record_steps": _check_flag,
    "flush_at_trace_end": _check_flag,
    "keep_local": _check_flag,
    "disabled": _check_flag,
    "local_max_age_days": _whole_number("days", 1, may_be_unbound=True),
    "local_max_bytes": _whole_number("bytes", 100_000, may_be_unbound=True),
    "agent_metadata": _check_agent_metadata,
    "redact_keys": _check_names,
    "keep_keys": _check_names,
    "redact": _must(callable, "be a function that takes a value and returns what is to be recorded."),
    "sink": _must(lambda sink: hasattr(sink, "send") and hasattr(sink, "close"), "have the methods send(lines) and close()."),
    "transport": _must(
        lambda transport: callable(getattr(transport, "handle_request", None)),
        "be an httpx transport, such as httpx.HTTPTransport(), not {kind}: it must have the method handle_request(request).",
    ),
    "outbox": _must(lambda outbox: outbox in ("file", "memory"), "be 'file' or 'memory', not {value!r}."),
    "max_value_bytes": _whole_number("bytes", 1024),
    "outbox_max_bytes": _whole_number("bytes", 1024 * 1024),
    "exit_timeout": _must(
        lambda value: isinstance(value, (int, float)) and 0 <= value < float("inf"), "be a number of seconds, 0 or more."
    ),
}
"""The checks of the settings, in the order in which they are made."""

_MAY_BE_NONE = _CHECKS.keys() - {"disabled", "redact_keys", "keep_keys", "outbox", "max_value_bytes", "outbox_max_bytes"}
