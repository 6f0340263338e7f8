"""The client's own secrets, above all its key: looked for literally, and as JSON, Python, URLs and base64 write them."""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain

from .regex import Finder, Span, occurrences

_LEAST = 6
"""The least length of a secret, in characters: a shorter one occurs in too many other texts."""


def finders(known: Iterable[str]) -> tuple[Finder, ...]:
    """Return the search for them, if there are any. The longer forms come first."""
    long_enough = (secret for secret in known if len(secret) >= _LEAST and secret.isprintable())
    forms = tuple(sorted(set(chain.from_iterable(map(_forms, long_enough))), key=len, reverse=True))
    written = {*forms, *(json.dumps(each, ensure_ascii=False)[1:-1] for each in forms)}
    return (Finder(forms[0], "|".join(map(_literally, written)), partial(_find, forms)),) if forms else ()


def _literally(text: str) -> str:
    """Return the expression for a text. `re.escape` also marks what means nothing, such as a space, which older prefilters refuse."""
    return re.sub(r"[\\.+*?()|\[\]{}^$#&~-]", r"\\\g<0>", text)


def _forms(secret: str) -> tuple[str, ...]:
    """Return a secret as it is, and as JSON, Python, a URL and base64 write it."""
    from urllib.parse import quote  # noqa: PLC0415  (`import whyops` knows no secret yet)

    in_json = json.dumps(secret)[1:-1]
    encoded = binascii.b2a_base64(secret.encode("utf-8", "surrogatepass"), newline=False).decode().rstrip("=")
    return (
        *(secret, in_json, json.dumps(in_json)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]),
        *(quote(secret, safe="", errors="replace"), quote(secret, errors="replace")),
        *(encoded, encoded.replace("+", "-").replace("/", "_")),
    )


def _find(forms: tuple[str, ...], text: str) -> Iterator[Span]:
    return chain.from_iterable(occurrences(secret, text) for secret in forms)
