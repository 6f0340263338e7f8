"""Ids that no other process makes, and ids of users made safe for the service and for HTTP headers."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable

from .._encoding.class_fields import class_value
from .._encoding.coerce import named, spelled, text_in
from .._runtime.safely import Failed, safely

MAX_ID = 128
MAX_USER_ID = 255
_MAX_LOOKED_AT = 1_000_000


class Ids:
    """Unique ids: a random nonce for the process, and what `count` draws. `renew` gives a forked child a nonce of its own."""

    __slots__ = ("_random", "count", "nonce")

    def __init__(self, random: Callable[[int], bytes] = os.urandom) -> None:
        self._random = random
        self.renew()

    def renew(self) -> None:
        """Start again under a fresh nonce."""
        self.nonce: str = self._random(8).hex()
        self.count: Callable[[], int] = itertools.count().__next__

    def next(self) -> str:
        """Return an id that was never returned before, in any process."""
        return f"{self.nonce}-{self.count()}"


process_ids = Ids()


def safe_id(value: object) -> str:
    """Return `value` as a trace or span id: printable ASCII of at most 128 characters, as events and headers both accept.

    Text that is so already stays as it is. Any other gets a stable short form: what is printable of its beginning, and a hash.
    """
    return readable_id(value) or _safe(spelled(value))


def readable_id(value: object) -> str | None:
    """Return `safe_id` of a value; None for one without a text that tells it from others of its type, such as a list."""
    text = _own_text(value)
    return None if text is None else _safe(text)


def readable_user_id(value: object) -> str | None:
    """Return `value` as a user's id: printable, at most 255 UTF-16 units; letters of any script stay. None as `readable_id` does."""
    text = _own_text(value)
    if text is None or (0 < len(text) <= MAX_USER_ID and text.isprintable() and utf16_length(text) <= MAX_USER_ID):
        return text
    return _short_form(text, MAX_USER_ID, lambda character: character <= "\uffff")


def utf16_length(text: str) -> int:
    """Return the length in UTF-16 units, which is how the service counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def clip(text: str, limit: int) -> str:
    """Return the beginning of `text` that fits `limit` UTF-16 units."""
    return text if utf16_length(text) <= limit else text.encode("utf-16-le", "surrogatepass")[: 2 * limit].decode("utf-16-le", "ignore")


def _safe(text: str) -> str:
    if 0 < len(text) <= MAX_ID and text.isascii() and text.isprintable() and text.strip() == text:
        return text
    return _short_form(text, MAX_ID, lambda character: character.isascii())


def _own_text(value: object) -> str | None:
    """Return the text that names a value; None without. An object of a class that says how it reads as text is asked."""
    kind = type(value)
    if text_in(value) is None and class_value(kind, "__str__") is not object.__str__ and not issubclass(kind, BaseException):
        written = safely(str, value)
        if not isinstance(written, Failed):
            return str.__str__(written)
    return named(value)


def _short_form(text: str, limit: int, keep: Callable[[str], bool]) -> str:
    import hashlib  # noqa: PLC0415  (most ids are safe as they are, and it loads all of OpenSSL)

    digest = hashlib.sha256(text[:_MAX_LOOKED_AT].encode("utf-8", "surrogatepass")).hexdigest()[:16]
    beginning = "".join(character for character in text[:limit] if character.isprintable() and keep(character)).strip()
    return f"{beginning[: limit - 17].strip()}-{digest}" if beginning else digest
