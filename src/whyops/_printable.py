"""Text of unknown origin → text that does nothing but show itself: on a terminal, in a log line, in an error's message."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_INVISIBLE_RUN = re.compile("[\u200b-\u200f\u2060-\u2064\ufeff]{4,}")
_JOINERS = "\u200c\u200d"
_TELLING = 12
"""As much of the beginning of a secret is taken for it, as where a text that quotes it was cut."""


def printable(text: str, encoding: str = "utf-8") -> str:
    r"""Return one line that shows `text` and does nothing else.

    Control, escape and direction characters, and what `encoding` can't say, become visible escapes such as `\x1b`; a line feed among
    them. Longer runs of invisible characters, as the proxy hides its signature in, are only counted.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _INVISIBLE_RUN.sub(lambda run: f"<{len(run[0])} invisible characters>", text)
    if not text.isprintable():
        text = "".join(_shown(text))
    return text.encode(encoding, "backslashreplace").decode(encoding)


def shortened(text: str, most: int) -> str:
    """Return a printable text of at most `most` characters, with an ellipsis where more was."""
    shown = printable(text[: most + 1])
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def without_secret(text: str, secret: str) -> str:
    """Return the text without a secret that it quotes: all of it, or its beginning and what hangs on to that."""
    beginning = re.escape(secret[:_TELLING])
    return re.sub(rf"{beginning}[\w-]*", "[key]", text.replace(secret, "[key]")) if secret else text


def without_password(url: str) -> str:
    """Return an address without the user's name and password that may stand before its host."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    end = min((rest.find(mark) for mark in "/?#" if mark in rest), default=len(rest))
    return f"{scheme}{separator}{rest[:end].rpartition('@')[2]}{rest[end:]}"


def _shown(text: str) -> Iterator[str]:
    before = ""
    for char in text:
        if char.isprintable() or (char in _JOINERS and before > "\x7f"):  # joined emoji and scripts that need the joiner
            yield char
        elif char == "\t":
            yield "    "
        elif unicodedata.category(char) == "Zs":
            yield " "
        else:
            yield repr(char)[1:-1]
        before = char


def counted(number: int, one: str, several: str | None = None) -> str:
    """Return `1 call`, `2 calls`."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"
