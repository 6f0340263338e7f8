r"""Any object → JSON bytes that the service stores: bounded, without secrets, and never an exception.

What is written how:
- whole numbers beyond ±(2⁵³-1) as text, because readers of JSON round them; NaN and the infinities as the texts `NaN`, `Infinity` and
  `-Infinity`;
- NUL as `␀` and lone surrogates as `\ufffd`, because the service's database refuses them, in keys too;
- keys as text: `1`, `true`, `null`; where two come out the same, the second gets ` (2)`;
- tuples, sets, deques as lists; named tuples, dataclasses, attrs and pydantic objects as objects of their fields; enums as their value;
- dates, times, decimals, UUIDs, paths as text; bytes as the text they are, else as a marker with their number;
- an object of another class with its public attributes, one level deep, and `<type>`; all else as a marker such as `<generator>`.

A value is walked in one of three ways, tried in this order:
1. as it is: of built-in types alone (`Encoder._size` looks at each part), it goes to `to_json` without a copy;
2. `fast_copy`: with other objects in it, each read by its reader, copied in one go;
3. `bounded_copy`: where the first two give up, because something has to be cut, hidden or renamed. A container in another one that takes
   no more than some kilobytes is tried in the first two ways again, as most of a large value has nothing to hide.
The first two give up on whatever is not plain, and know neither budget nor secrets: what they wrote is searched for secrets as a whole.

What they agree on, held by `tests/_encoding/test_walkers.py`:
- what a quicker way accepts, a slower one writes the same, with nothing cut and nothing redacted;
- a value is written the same alone and in another one, and within any budget that cuts nothing of it;
- an object's names, their order and the markers are those of its reader, `readers.read`, which all three share;
- what is a secret, `redaction` alone decides: in texts by what is written, in values by the name beside it; redaction comes before cutting;
- only the bounded copy cuts. Where it does, a visible text says so, and it counts as one;
- none runs code of a user's class: types are recognized by `type()` and identity, contents read with the built-in types' own methods.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from .._runtime.safely import Failed, safely, stops
from . import Encoded
from .bounded_copy import MAX_DEPTH, BoundedCopier, Redacted, storable
from .core import core
from .fast_copy import ENTRY_BYTES, FastCopier, NotCopiedError
from .readers import MAX_EXACT, NODE_COST
from .redaction.redactor import DROPPED, Redactor, redacted_by_user
from .redaction.secret_names import Verdict, secret_siblings

_MIN_EXACT = -MAX_EXACT
_MAX_PLAIN_KEYS = 4_096

_NOT_FINITE = r"[:\[,]-?(?:NaN|Infinity)"
"""How a number that JSON does not know is written in a container."""

_UNREADABLE = '"[cut: unreadable]"'
_UNREADABLE_OBJECT = '{"…":"[cut: unreadable]"}'


class _NotBuiltInError(Exception):
    """Something in a value has no JSON form of its own."""


class Encoder:
    """Encodes values, from any thread.

    `max_value_bytes` bounds the JSON of one value (at least 256). `redact_keys` and `keep_keys` are names beyond and against the usual
    ones. `redact` is called last: it receives each value as plain JSON types, without the secrets found so far, and returns what to
    record. `known` are secrets that are looked for literally: the client's own key.
    """

    def __init__(
        self,
        *,
        max_value_bytes: int = 262_144,
        redact_keys: Iterable[str] = (),
        keep_keys: Iterable[str] = (),
        redact: Callable[[Any], Any] | None = None,
        known: Iterable[str] = (),
    ) -> None:
        self._to_json: Callable[[Any], bytes] = core().to_json
        self._max_bytes = max(max_value_bytes, 256)
        self.redactor = Redactor(redact_keys, keep_keys, known, also=_NOT_FINITE)
        self._is_dubious = self.redactor.may_match
        self._redact = redact
        self._plain_keys: set[str] = set()

    def encode(self, value: object) -> Encoded:
        """Return the value as JSON; a dict as an object, a list or tuple as an array."""
        try:
            if self._redact is None:
                try:
                    return self.clean_json(value, self._max_bytes, MAX_DEPTH), 0, 0
                except BaseException as error:  # the boundary "one value"
                    if stops(error):
                        raise
            encoded = safely(self._encode_any, value)
            if not isinstance(encoded, Failed):
                return encoded
        except RecursionError:  # called with the stack so full that not even the attempt could begin
            pass
        return (_UNREADABLE_OBJECT if issubclass(type(value), dict) else _UNREADABLE), 1, 0

    def clean_json(self, value: object, room: int, depth: int) -> str:
        """Return a value as JSON, if that takes no more than `room` and nothing has to be cut, hidden or renamed; else raise.

        A value of built-in types alone is not copied: it runs no code while it is encoded, so nobody can change it then. What another
        thread puts in between the look at the types and the encoding gets no secret through, as secrets are looked for in what was
        written; were it a generator, put there within these microseconds, it would be used up.
        """
        kind = type(value)
        is_container = kind is dict or kind is list or kind is tuple
        try:
            if self._size(value if is_container else (value,), 0, room, depth) > room:
                raise NotCopiedError
        except _NotBuiltInError:
            value = FastCopier(room, self.is_plain_key).copy(value, depth)
        encoded = self._to_json(value)
        if len(encoded) > room:
            raise NotCopiedError
        text = encoded.decode()
        if self._is_dubious(text) and not self._is_clean([json.loads(text)]):
            raise NotCopiedError
        return text

    def clean_copy(self, value: object, room: int, depth: int) -> tuple[Any, int] | None:
        """Return a copy of plain types and its size in JSON, if that is within `room` and nothing has to be left out; else None."""
        text = safely(lambda each: self.clean_json(each, room, depth), value)
        return None if isinstance(text, Failed) else (json.loads(text), len(text.encode()))

    def _size(self, value: Any, size: int, room: int, depth: int) -> int:  # noqa: C901  (one look at each value, without a call)
        """Look at each value inside a container; raise for what is of no built-in type, or can't be written as it is.

        `size` is what was counted so far, in bytes, `room` how many there may be, `depth` how many levels. Returns what is counted now.
        """
        kind = type(value)
        if kind is not dict and kind is not list and kind is not tuple:
            raise _NotBuiltInError
        size += len(value) * ENTRY_BYTES
        if size > room or not depth:
            raise NotCopiedError
        if kind is dict:
            plain_keys = self._plain_keys
            for key in value:
                if type(key) is not str or (key not in plain_keys and not self.is_plain_key(key)):
                    raise NotCopiedError
            value = value.values()
        for item in value:
            kind = type(item)
            if kind is str:
                size += len(item)
            elif kind is int:
                if not _MIN_EXACT <= item <= MAX_EXACT:
                    raise _NotBuiltInError
            elif kind is float:
                if item - item != 0:
                    raise _NotBuiltInError
            elif item is not None and kind is not bool:
                size = self._size(item, size, room, depth - 1)
        return size

    def _is_clean(self, value: Any) -> bool:
        """Tell whether a container that was read from JSON hides no secret and is stored as it is."""
        if type(value) is dict:
            if not (self._plain_keys.issuperset(value) or all(map(self.is_plain_key, value))) or secret_siblings(value):
                return False
            value = value.values()
        for item in value:
            kind = type(item)
            if kind is str:
                if "\0" in item or not self.redactor.is_clean(item):
                    return False
            elif (kind is float and item - item != 0) or ((kind is dict or kind is list) and not self._is_clean(item)):
                return False
        return True

    def is_plain_key(self, key: str) -> bool:
        """Tell whether a key hides no secret and is stored as it is, and remember it if so."""
        if key in self._plain_keys:
            return True
        if (
            len(key) > 64
            or self.redactor.names.verdict(key) is not Verdict.CLEAN
            or self.redactor.redact(key)[1]
            or storable(key) is not key
        ):
            return False
        if len(self._plain_keys) >= _MAX_PLAIN_KEYS:
            self._plain_keys = set()
        self._plain_keys.add(key)
        return True

    def _encode_any(self, value: object) -> Encoded:
        cuts = redactions = 0
        if self._redact is not None:
            clean = self.clean_copy(value, self._max_bytes, MAX_DEPTH)
            copier = self._copier(self._max_bytes, {})
            shown = copier.copy(value) if clean is None else clean[0]
            value = redacted_by_user(self._redact, shown, _marker_for(value, DROPPED))
            cuts, redactions = copier.cuts, copier.redactions
        budget = self._max_bytes
        redacted: dict[int, Redacted] = {}
        for _ in range(5):
            copier = self._copier(budget, redacted)
            encoded = self._to_json(copier.copy(value))
            if len(encoded) <= self._max_bytes:
                return encoded.decode(), cuts + copier.cuts, redactions + copier.redactions
            budget = max(budget * self._max_bytes // len(encoded) - NODE_COST, 0)
        return self._to_json(_marker_for(value, "[cut: too large]")).decode(), cuts + 1, redactions

    def _copier(self, budget: int, redacted: dict[int, Redacted]) -> BoundedCopier:
        return BoundedCopier(self.redactor, budget, self.is_plain_key, self.clean_copy, redacted)


def _marker_for(value: object, text: str) -> object:
    """Return a marker in the place of a value: a dict stays an object, as arguments and metadata have to be."""
    return {"…": text} if issubclass(type(value), dict) else text
