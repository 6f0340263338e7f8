"""The errors that WhyOps raises. Recording never raises; set-up and explicit waiting do.

WhyOpsError
├── ConfigurationError   a setting is missing, contradictory or malformed (also a ValueError)
├── DeliveryError        `flush(raise_on_failure=True)`: not all events were delivered
├── ServiceError         the service can't be asked, or does not answer as it should
├── StoreError           the local store can't be read or written
└── TraceNotFoundError   no trace of this id, or more than one (also a LookupError)
"""

from __future__ import annotations

_MOST_CHARACTERS = 2000


class WhyOpsError(Exception):
    """The root of all errors raised by this package. Its text is one printable line, whatever a file or a server had to say in it."""

    def __str__(self) -> str:
        from ._printable import shortened  # noqa: PLC0415  (who meets no error need not load it)

        return shortened(super().__str__(), _MOST_CHARACTERS)


class ConfigurationError(WhyOpsError, ValueError):
    """A setting is missing, contradictory or malformed; the message names it and says what to do."""


class DeliveryError(WhyOpsError):
    """Events are left undelivered, and the caller asked to be told so by an exception."""


class ServiceError(WhyOpsError):
    """The service can't be asked, or does not answer as it should; the message says why and never holds the key."""


class StoreError(WhyOpsError):
    """The local store can't be read or written; the message names its file."""


class TraceNotFoundError(WhyOpsError, LookupError):
    """No trace has this id, or the given beginning of an id fits more than one."""
