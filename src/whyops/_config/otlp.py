"""Where spans are sent, and with what headers, in the form that OpenTelemetry's own variables have. Pure, but for `headers_given`."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from .._printable import without_password
from ..errors import ConfigurationError
from . import environment

HEADERS = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
DEFAULT = "http://localhost:4318"
"""Where a collector listens, by OpenTelemetry's own rules."""
_PATH = "/v1/traces"


def traces_address(base: str) -> str:
    """Return the whole address for spans at a receiver: `http://collector:4318` gets the path of traces added.

    Raises:
        ConfigurationError: It is no address of HTTP.
    """
    try:
        parts = urlsplit(base.strip())
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        parts, is_good = urlsplit(""), False
    if not is_good:  # the address is not quoted: it may hold a password
        raise ConfigurationError("The OTLP address must be one of HTTP, such as http://collector:4318.")
    path = parts.path.rstrip("/")
    return parts._replace(path=path if path.endswith(_PATH) else path + _PATH, fragment="").geturl()


def shown_address(address: str) -> str:
    """Return an address without what may be secret in it: a user's name and password, and what is behind a question mark."""
    return without_password(address).partition("?")[0].partition("#")[0]


def headers_in(text: str) -> dict[str, str]:
    """Read headers as OpenTelemetry writes them: `name=value`, with commas between them, values percent-encoded.

    Raises:
        ConfigurationError: They are written otherwise. What is wrong is not quoted: it may be a key.
    """
    headers = {}
    for number, one in enumerate(filter(None, map(str.strip, text.split(","))), 1):
        name, equals, value = one.partition("=")
        name, value = unquote(name.strip()), unquote(value.strip())
        if not equals or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum() or not value.isprintable():
            raise ConfigurationError(f"OTLP headers must be written name=value, with commas between them; number {number} is not.")
        headers[name] = value
    return headers


def address_given() -> str:
    """Return the whole address for spans that OpenTelemetry's variables name, or its default.

    Raises:
        ConfigurationError: It is no address of HTTP.
    """
    whole, base = map(environment.text, ENDPOINTS)
    if whole is not None:
        traces_address(whole)  # for its check
        return whole
    return traces_address(base or DEFAULT)


def headers_given() -> dict[str, str]:
    """Return the headers that OpenTelemetry's variables name.

    Raises:
        ConfigurationError: They are malformed.
    """
    return headers_in(next((text for name in HEADERS if (text := environment.text(name)) is not None), ""))
