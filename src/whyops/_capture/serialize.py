r"""Any object → JSON bytes that the service stores: bounded, without secrets, and never an exception.

What is written how:
- whole numbers beyond ±(2⁵³-1) as text, because readers of JSON round them; NaN and the infinities as the texts `NaN`, `Infinity` and
  `-Infinity`;
- NUL as `␀` and lone surrogates as `\ufffd`, because the service's database refuses them, in keys too;
- keys as text: `1`, `true`, `null`; where two come out the same, the second gets ` (2)`;
- tuples, sets, deques as lists; named tuples, dataclasses, attrs and pydantic objects as objects of their fields; enums as their value;
- dates, times, decimals, UUIDs, paths as text; bytes as the text they are, else as a marker with their number;
- an object of another class with its public attributes, one level deep, and `<type>`; all else as a marker such as `<generator>`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .attempt import Failed, attempt
from .foreign import MAX_EXACT, NODE_COST
from .names import Verdict
from .plain import MAX_DEPTH, Copier, storable
from .recorder import Encoded
from .redact import DROPPED, Redactor, redacted_by_user
from .search import searcher

MIN_VALUE_BYTES = 256

_MIN_EXACT = -MAX_EXACT
_MAX_PLAIN_NODES = 20_000
_MAX_PLAIN_KEYS = 4_096
_MAX_PLAIN_KEY = 64
_TRIES = 5


_UNREADABLE = '"[cut: unreadable]"'
_UNREADABLE_OBJECT = '{"…":"[cut: unreadable]"}'


class _NotPlainError(Exception):
    """The fast path does not take the value."""


class Encoder:
    """Encodes values, from any thread.

    `max_value_bytes` bounds the JSON of one value (at least 256). `redact_keys` and `keep_keys` are names beyond and against the usual
    ones. `redact` comes last: it gets each value as plain JSON types, without the secrets found so far, and returns what to record.
    """

    def __init__(
        self,
        *,
        max_value_bytes: int = 262_144,
        redact_keys: Iterable[str] = (),
        keep_keys: Iterable[str] = (),
        redact: Callable[[Any], Any] | None = None,
    ) -> None:
        from pydantic_core import to_json  # noqa: PLC0415 - `import whyops` does not pay for it

        self._to_json = to_json
        self._max_bytes = max(max_value_bytes, MIN_VALUE_BYTES)
        self._redactor = Redactor(redact_keys, keep_keys)
        self._is_dubious = searcher(rf"{self._redactor.traces}|\x00")
        self._redact = redact
        self._plain_keys: set[str] = set()

    def encode(self, value: object) -> Encoded:
        """Return the value as JSON; a dict as an object, a list or tuple as an array."""
        try:
            if self._redact is None:
                quick = attempt(self._encode_plain, value)
                if type(quick) is tuple:
                    return quick
            encoded = attempt(self._encode_any, value)
            if not isinstance(encoded, Failed):
                return encoded
        except RecursionError:  # called with the stack so full that not even the attempt could begin
            pass
        return (_UNREADABLE_OBJECT if issubclass(type(value), dict) else _UNREADABLE), 1, 0

    def _encode_plain(self, value: object) -> Encoded:
        """Encode a value that consists of built-in types alone, is within the bounds and holds no secret; raise if it is not so."""
        texts: list[str] = []
        if type(value) is dict:
            if len(value) > _MAX_PLAIN_NODES:
                raise _NotPlainError
            copied: Any = value.copy()
            self._copy_dict(copied, texts.append, _MAX_PLAIN_NODES, MAX_DEPTH)
        else:
            copied = [value]
            self._copy_list(copied, texts.append, _MAX_PLAIN_NODES, MAX_DEPTH)
            copied = copied[0]
        if texts and (sum(map(len, texts)) > self._max_bytes or (self._is_dubious("\n".join(texts)) and not self._are_clean(texts))):
            raise _NotPlainError
        encoded = self._to_json(copied)
        if len(encoded) > self._max_bytes:
            raise _NotPlainError
        return encoded.decode(), 0, 0

    def _are_clean(self, texts: list[str]) -> bool:
        return not any("\0" in text for text in texts) and all(map(self._redactor.is_clean, texts))

    # The two walks are one loop written twice, over what they spend their time on: looking at each entry once, without a call. A container
    # is copied in one step of the interpreter before it is looked at, so what was looked at is what is encoded; one with more entries than
    # there is room for is not even copied. `room` is how many values may still come, `depth` how many levels.

    def _copy_dict(self, copied: dict[Any, Any], add: Callable[[str], None], room: int, depth: int) -> int:  # noqa: C901
        """Put copies in the place of a copied dict's containers, and hand its texts to `add`; raise for what is no built-in type.

        Returns the room that is left.
        """
        room -= len(copied)
        if depth < 0:
            raise _NotPlainError
        plain_keys = self._plain_keys
        for key, item in copied.items():
            if type(key) is not str or (key not in plain_keys and not self._is_plain_key(key)):
                raise _NotPlainError
            kind = type(item)
            if kind is str:
                add(item)
            elif kind is int:
                if not _MIN_EXACT <= item <= MAX_EXACT:
                    raise _NotPlainError
            elif kind is float:
                if item - item != 0:
                    raise _NotPlainError
            elif kind is dict and len(item) <= room:
                copied[key] = inner = item.copy()
                room = self._copy_dict(inner, add, room, depth - 1)
            elif (kind is list or kind is tuple) and len(item) <= room:
                copied[key] = items = [*item]
                room = self._copy_list(items, add, room, depth - 1)
            elif item is not None and kind is not bool:
                raise _NotPlainError
        return room

    def _copy_list(self, copied: list[Any], add: Callable[[str], None], room: int, depth: int) -> int:  # noqa: C901
        """Do the same for a list that is a copy of a list or tuple."""
        room -= len(copied)
        if depth < 0:
            raise _NotPlainError
        for index, item in enumerate(copied):
            kind = type(item)
            if kind is str:
                add(item)
            elif kind is int:
                if not _MIN_EXACT <= item <= MAX_EXACT:
                    raise _NotPlainError
            elif kind is float:
                if item - item != 0:
                    raise _NotPlainError
            elif kind is dict and len(item) <= room:
                copied[index] = inner = item.copy()
                room = self._copy_dict(inner, add, room, depth - 1)
            elif (kind is list or kind is tuple) and len(item) <= room:
                copied[index] = items = [*item]
                room = self._copy_list(items, add, room, depth - 1)
            elif item is not None and kind is not bool:
                raise _NotPlainError
        return room

    def _is_plain_key(self, key: str) -> bool:
        """Tell whether a key hides no secret and is stored as it is, and remember it if so."""
        if key in self._plain_keys:
            return True
        if (
            len(key) > _MAX_PLAIN_KEY
            or self._redactor.names.verdict(key) is not Verdict.CLEAN
            or self._redactor.redact(key)[1]
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
            copier = Copier(self._redactor, self._max_bytes, self._is_plain_key)
            value = redacted_by_user(self._redact, copier.copy(value), _marker_for(value, DROPPED))
            cuts, redactions = copier.cuts, copier.redactions
        budget = self._max_bytes
        for _ in range(_TRIES):
            copier = Copier(self._redactor, budget, self._is_plain_key)
            encoded = self._to_json(copier.copy(value))
            if len(encoded) <= self._max_bytes:
                return encoded.decode(), cuts + copier.cuts, redactions + copier.redactions
            budget = max(budget * self._max_bytes // len(encoded) - NODE_COST, 0)
        return self._to_json(_marker_for(value, "[cut: too large]")).decode(), cuts + 1, redactions


def _marker_for(value: object, text: str) -> object:
    """Return a marker in the place of a value: a dict stays an object, as arguments and metadata have to be."""
    return {"…": text} if issubclass(type(value), dict) else text
