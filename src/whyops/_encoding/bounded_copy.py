"""Any object → a copy of plain types: bounded, without secrets, and shared with nobody."""

# Annotations are not kept as text here: for the fields of a tuple `typing` would compile them.

import json
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, cast

from .._runtime.safely import Failed, safely
from .class_fields import Hidden, name_of, short_name
from .readers import MARGIN, MAX_EXACT, NODE_COST, Attributes, CutText, Entries, Items, Marker, marker, read
from .redaction.named_values import hides
from .redaction.place import REDACTED
from .redaction.redactor import Redactor
from .redaction.regex import is_well_formed
from .redaction.secret_names import Verdict, secret_siblings
from .redaction.values import is_bare_word

MAX_DEPTH = 64
"""Levels of nesting that are kept; the service takes some thousands, JSON readers some hundreds."""

SIBLING_SHARE = 256
"""Bytes that are reserved for each value still to come in a container, so that a huge first one leaves something for the others."""

WHOLE_BYTES = 4_096
"""Bytes up to which a container in a larger one is tried whole: a try that fails costs as much as looking at that many."""

TRIES = 8
"""How many more tries may fail than succeed: where each container contains something to cut or hide, it is of no use to continue."""

_NAMING = frozenset({"name", "key", "header", "field", "option", "variable", "env", "param", "parameter"})
_LONG = 4_096
"""Characters from which on it pays to remember the redacted form of a text."""

MAX_KEY = 512
ELLIPSIS = "…"

_UNSTORABLE = {0: "\N{SYMBOL FOR NULL}", **dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}")}


def storable(text: str) -> str:
    """Replace what the service's database refuses: NUL by its visible symbol, each lone surrogate by the replacement character."""
    if "\0" not in text and (text.isascii() or is_well_formed(text)):
        return text
    return text.translate(_UNSTORABLE)


def _is_schema(value: object) -> bool:
    """Tell whether a value is the JSON schema of an argument: `{"password": {"type": "string"}}` describes a secret and holds none."""
    return (
        type(value) is dict
        and len(value) <= len(_SCHEMA_WORDS)
        and all(type(key) is str and key in _SCHEMA_WORDS for key in list(value))
        and ("type" in value or "anyOf" in value or "$ref" in value)
    )


_SCHEMA_WORDS = frozenset(
    {"type", "anyOf", "$ref", "title", "description", "format", "minLength", "maxLength", "minimum", "maximum", "writeOnly", "nullable"}
)
"""Words of a schema behind which no value of the argument stands; `default`, `const`, `enum` and `examples` are none of them."""


class Redacted(NamedTuple):
    """The redacted form of a text."""

    text: str
    shown: str
    found: int
    was_cut: bool


class BoundedCopier:
    """Copies one value within a budget of bytes. `cuts` and `redactions` count what was left out.

    `is_plain_key` quickly recognizes nearly every key that hides no secret and is stored as it is; `clean_copy` returns most small
    containers whole, with their size, within bytes and levels, or None. `redacted` keeps the redacted form of long texts, for a copier
    with a smaller budget.
    """

    def __init__(
        self,
        redactor: Redactor,
        budget: int,
        is_plain_key: Callable[[str], bool],
        clean_copy: Callable[[object, int, int], tuple[Any, int] | None],
        redacted: dict[int, Redacted] | None = None,
    ) -> None:
        self._redacted = {} if redacted is None else redacted
        self.cuts = self.redactions = self._objects = 0
        self._redactor = redactor
        self._is_plain_key = is_plain_key
        self._clean_copy = clean_copy
        self._left = budget
        self._tries = TRIES
        self._path: set[int] = set()

    def copy(self, value: object) -> Any:
        """Return the copy: dicts with text keys, lists, texts, numbers, booleans and None."""
        self._left -= NODE_COST
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is str:
            return self._text(value)  # type: ignore[arg-type]
        if (kind is float and value - value == 0) or (kind is int and -MAX_EXACT <= value <= MAX_EXACT):  # type: ignore[operator]
            self._left -= 8
            return value
        if len(self._path) >= MAX_DEPTH:
            self.cuts += 1
            return f"{ELLIPSIS}[cut: nested deeper than {MAX_DEPTH} levels]"
        if id(value) in self._path:
            return self._bounded(str(marker(kind, " again: it contains itself")))
        whole = self._whole(value) if kind is dict or kind is list or kind is tuple else None
        return self._read(value, kind) if whole is None else whole

    def _whole(self, value: object) -> dict[str, Any] | list[Any] | None:
        """Return the copy of a container in another one, if it is small and nothing of it has to be left out."""
        if not self._path or not self._tries:
            return None
        found = self._clean_copy(value, min(self._left, WHOLE_BYTES), MAX_DEPTH - len(self._path))
        whole, size = found or (None, 0)
        self._left -= size
        self._tries += -1 if found is None else 1
        return whole

    def _read(self, value: object, kind: type) -> Any:
        """Copy the content of an object."""
        self._path.add(id(value))
        try:
            return self._copy_read(safely(partial(read, room=max(self._left, 0) // NODE_COST + 1), value), kind)
        except RecursionError:
            self.cuts += 1
            return f"{ELLIPSIS}[cut: the stack is full]"
        finally:
            self._path.discard(id(value))

    def _copy_read(self, value: Any, kind: type) -> Any:
        """Copy what a reader made of an object of this type."""
        seen = type(value)
        if seen is Marker:
            return self._text(str.__str__(value))
        if seen is Items:
            return self._list(value.items, value.size)
        if seen is Entries:
            return self._dict(value.items, value.size)
        if seen is dict:
            return self._dict(list(value.items()), len(value))
        if seen is Attributes:
            return self._object(value)
        if seen is Hidden:
            self.redactions += 1
            return REDACTED
        if seen is CutText:
            return self._text(value.text, value.size)
        if seen is Failed:
            return self._bounded(str(marker(kind, f": unreadable, {short_name(value.error)[:80]}")))
        return self.copy(value)

    def _bounded(self, text: str) -> str:
        text = storable(text)
        self._left -= len(text)
        return text

    def _text(self, text: str, size: int | None = None) -> str:
        """Redact, then cut. `size` is the number of bytes of which `text` is the beginning."""
        room = max(self._left, 32)
        _, shown, found, was_cut = self._redact(text, text[: room + MARGIN])
        self.redactions += found
        # what was not read to its end may end in half a secret
        unsure = MARGIN if (was_cut or size is not None) and not shown.endswith(REDACTED) else 0
        shown = storable(shown)
        if size is not None or len(text) > room or (not shown.isascii() and len(shown.encode()) > room):
            self.cuts += 1
            shown = shown[: min(max(len(shown) - unsure, 0), room)].encode()[:room].decode(errors="ignore")
            of = f"of {len(text)} characters" if size is None else f"characters of {size} bytes"
            shown = f"{shown}{ELLIPSIS}[cut: kept {len(shown)} {of}]"
        self._left -= len(shown) if shown.isascii() else len(shown.encode())
        return shown

    def _redact(self, text: str, head: str) -> Redacted:
        """Redact the head of a text, or return the form that an earlier copier made of a longer head."""
        redacted = self._redacted.get(id(text))
        if redacted is None or redacted.text is not text:
            redacted = Redacted(text, *self._redactor.redact(head), len(head) < len(text))
            if len(head) >= _LONG:
                self._redacted[id(text)] = redacted
        return redacted

    def _child(self, value: object, siblings: int) -> Any:
        reserve = min(max(self._left, 0) >> 1, siblings * SIBLING_SHARE)
        self._left -= reserve
        copied = self.copy(value)
        self._left += reserve
        return copied

    def _list(self, items: list[object], size: int) -> list[Any]:
        if len(items) == 2 and type(items[0]) is str and self._hides_in_pair(items[0], items[1]):  # ("Authorization", "Bearer …")
            self.redactions += 1
            return [self._text(items[0]), REDACTED]
        shown = self._redactor.arguments(items)
        copied: list[Any] = []
        for i, item in enumerate(items):
            if self._left <= 0:
                break
            if i in shown:
                self.redactions += 1
            copied.append(self._child(shown.get(i, item), len(items) - len(copied) - 1))
        if len(copied) < size:
            self.cuts += 1
            copied.append(f"{ELLIPSIS}[cut: kept {len(copied)} of {size} items]")
        return copied

    def _dict(self, items: list[tuple[object, object]], size: int) -> dict[str, Any]:
        copied: dict[str, Any] = {}
        beside = self._named_beside(items)
        for key, value in items:
            if self._left <= 0:
                break
            plain = type(key) is str and self._is_plain_key(key)
            name = self._free(key if plain else self._key(key), copied)  # type: ignore[arg-type]
            hiding = beside.get(key, "" if plain else key) if type(key) is str else name
            if hiding and self._hides(hiding, value):
                copied[name] = REDACTED
                self.redactions += 1
                self._left -= NODE_COST
            else:
                copied[name] = self._child(value, len(items) - len(copied) - 1)
        if (kept := len(copied)) < size:
            self.cuts += 1
            copied[self._free(ELLIPSIS, copied)] = f"[cut: kept {kept} of {size} entries]"
        return copied

    def _named_beside(self, items: list[tuple[object, object]]) -> dict[str, str]:
        """Return the keys whose value another entry names, with that name ("" hides none): `{"name": "DB_PASSWORD", "value": …}`."""
        entries = {key: value for key, value in items if type(key) is str}
        beside = dict.fromkeys(secret_siblings(entries), "secret")
        names = (value for key, value in entries.items() if key.lower() in _NAMING and type(value) is str and len(value) <= MAX_KEY)
        name = next((each for each in names if self._redactor.names.verdict(each) is not Verdict.CLEAN), None)
        if name is not None:
            beside |= {key: name for key in entries if key.lower() in {"value", "values", "val"}}
        if "logprob" in entries:
            beside["token"] = ""
        return beside

    def _hides_in_pair(self, name: str, value: object) -> bool:
        """Tell whether the first of two hides the second. Two words are two names, as in a list of required fields."""
        return len(name) <= MAX_KEY and self._hides(name, value) and not (type(value) is str and name.islower() and is_bare_word(value))

    def _hides(self, name: str, value: object) -> bool:
        """Tell whether a name hides its value. None, booleans and placeholders are no secrets."""
        kind = type(value)
        verdict = self._redactor.names.verdict(name)
        if verdict is Verdict.CLEAN or value is None or kind is bool or (kind is dict and _is_schema(value)):
            return False
        if kind is str:
            return hides(verdict, cast("str", value))
        if verdict is Verdict.SECRET:
            return True
        if kind is int:
            return verdict is Verdict.SECRET_IF_CODE and abs(cast("int", value)) >= 100
        if issubclass(kind, (str, bytes)):
            text = safely(bytes.decode, value) if issubclass(kind, bytes) else str.__str__(value)  # type: ignore[arg-type]
            return verdict is Verdict.SECRET_IF_TEXT or hides(verdict, str(text))
        return (
            verdict is Verdict.SECRET_IF_TEXT
            and kind in (list, tuple, set, frozenset)
            and any(type(item) is str for item in islice(cast("Iterable[object]", value), 100))
        )

    def _key(self, key: object) -> str:
        """Return a key as text: `1`, `true`, `null` as JSON writes them, other keys as their value would be shown."""
        is_constant = key is None or type(key) is bool
        shown = key if is_constant or type(key) is str else self.copy(key)
        text = json.dumps(key) if is_constant else shown if type(shown) is str else repr(shown)
        size = len(text)
        text, found = self._redactor.redact(text[: MAX_KEY + MARGIN])
        self.redactions += found
        if size > MAX_KEY:
            self.cuts += 1
            text = f"{text[:MAX_KEY]}{ELLIPSIS}[cut: kept {MAX_KEY} of {size} characters]"
        return self._bounded(text)

    def _free(self, name: str, taken: dict[str, Any]) -> str:
        """Return a key that the dict does not have yet: 1 and "1" are two entries."""
        if name not in taken:
            return name
        return next(f"{name} ({i})" for i in range(2, len(taken) + 3) if f"{name} ({i})" not in taken)

    def _object(self, value: Attributes) -> Any:
        if not value.fields or self._objects:
            return self._bounded(str(marker(value.kind)))
        self._objects += 1
        try:
            return self._dict([("<type>", name_of(value.kind)), *value.fields.items()], len(value.fields) + 1)
        finally:
            self._objects -= 1
