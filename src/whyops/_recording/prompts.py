"""What a trace has recorded of the messages that models were asked with, so that each is recorded once, and then told by a short id.

A message is known by its parts: the very same texts, or equal ones of the same length. No text is hashed, encoded or read for that; a
message that was changed in place has other parts. What a part of another type than JSON's holds can change unseen: such a message is
recorded each time. Two threads that record at once may record a message twice, and nothing worse: there is no lock to be held at a fork.
"""

# Annotations are not kept as text here: for the fields of a tuple `typing` would compile them.

import marshal
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from .._providers.said import Said, seal_of
from .._wire import line

MOST_MESSAGES = 2_000
MOST_CHARACTERS = 4_000_000
"""How much of a trace is remembered: the texts are the application's own as long as it keeps them."""

MOST_LINKS = 15
"""A prompt may be told by the beginning of another, which is told by that of another, so many times."""

MOST_CHOSEN = 1_000
"""How many tool calls that were chosen, and have neither run nor been answered, are remembered."""

_MOST_BEGINNINGS = 8
_LEAST_BEGINNING = 4
_MOST_PARTS = 5_000
_DEEPEST = 12
_MOST_SEALED = 100_000
_PLAIN = frozenset({int, float, bool, type(None)})

PromptId = int | str | dict[str, Any]
"""What stands for a message in the ids of a prompt, as `docs/events.md` says."""

_Key = tuple[str, int, int]


class Spread(NamedTuple):
    """The parts of a message in a row, and what it is looked up by."""

    key: _Key
    parts: list[object]


class _Held:
    """A message that was recorded; `used` says in which prompt it stood last."""

    __slots__ = ("id", "key", "message", "name", "parts", "used")

    def __init__(self, id_: str, said: Said, spread: Spread, name: str | None, used: int) -> None:
        self.id = id_
        self.key, self.parts = spread
        self.name = name
        self.message = said.message
        self.used = used


class Met(NamedTuple):
    """A message that stood in a prompt, as it was then: `seal` tells whether it has been changed since."""

    message: object
    seal: object
    said: Said
    spread: Spread | None


class Division(NamedTuple):
    """A prompt, told apart: its ids, in order, and of the messages that are new the places. `spreads` are for `PromptMemory.remember`.

    `written` are the ids as they are recorded: it may begin with one that stands for the beginning of an earlier prompt.
    """

    ids: list[PromptId]
    new: list[int]
    spreads: list[Spread | None]
    written: list[PromptId]
    links: int


class _Beginning(NamedTuple):
    """A prompt that later ones may begin as: the key of the event that tells its ids, these, and how many others it is told by."""

    key: str
    ids: list[PromptId]
    links: int


class PromptMemory:
    """The messages of one trace that were recorded, within bounds; those that have not been in a prompt for the longest time go first.

    `chosen` are the tool calls that models chose and that have neither run nor been answered: their tools, by the calls' ids.
    """

    __slots__ = ("_beginnings", "_characters", "_held", "_messages", "_met", "_met_characters", "_prompts", "chosen")

    def __init__(self) -> None:
        self._held: dict[_Key, list[_Held]] = {}
        self._met: dict[int, Met] = {}
        self._met_characters = 0
        self._beginnings: tuple[_Beginning, ...] = ()
        self._messages = 0
        self._characters = 0
        self._prompts = 0
        self.chosen: dict[object, str] = {}

    def choose(self, call_id: str, tool: str) -> None:
        """Take note that a model chose a tool's call."""
        self.chosen[call_id] = tool
        while len(self.chosen) > MOST_CHOSEN:
            self.chosen.pop(next(iter(list(self.chosen)), None), None)

    def meet(self, message: object, seal: object, say: Callable[[Any], Said]) -> Met:
        """Return what makes a message up, from an earlier prompt if its `seal` is the same as then; without a seal, as it is now."""
        met = self._met.get(id(message))
        if met is not None and met.message is message and seal is not None and met.seal == seal:
            return met
        said = say(message)
        met = Met(message, seal, said, _spread(said))
        if seal is not None:
            self._keep(met)
        return met

    def _keep(self, met: Met) -> None:
        """Keep what a message is made up of for a later prompt."""
        self._met_characters += 0 if met.spread is None else met.spread.key[2]
        if len(self._met) >= MOST_MESSAGES or self._met_characters > MOST_CHARACTERS:
            self._met, self._met_characters = {}, 0
        self._met[id(met.message)] = met

    def divide(self, messages: Sequence[Said], met: Sequence[Met] = ()) -> Division:
        """Return the ids of a prompt's messages; a new one's is its place among the new ones. `met` are those messages, where known.

        What a user says last is new, unless it is the very object that was recorded: the same words may be said again.
        """
        self._prompts += 1
        ids: list[PromptId] = []
        new: list[int] = []
        spreads: list[Spread | None] = []
        turn = last_turn(messages)
        for place, said in enumerate(messages):
            spread = met[place].spread if met else _spread(said)
            held = None if spread is None else self._find(said, spread, same_object=place == turn)
            if held is None:
                ids.append(len(new))
                new.append(place)
                spreads.append(spread)
            else:
                held.used = self._prompts
                ids.append(held.id if held.name == said.name else {"id": held.id, "name": said.name})
        return Division(ids, new, spreads, *self._shortened(ids))

    def tell(self, key: str, division: Division) -> None:
        """Take note that the ids of a prompt are told by the event with this key."""
        ids: list[PromptId] = [line.message_key(key, one) if isinstance(one, int) else one for one in division.ids]
        self._beginnings = (_Beginning(key, ids, division.links), *self._beginnings[: _MOST_BEGINNINGS - 1])

    def find(self, said: Said, met: Met | None = None) -> str | None:
        """Return the id of what is held already."""
        spread = _spread(said) if met is None else met.spread
        held = None if spread is None else self._find(said, spread, same_object=False)
        if held is None:
            return None
        held.used = self._prompts
        return held.id

    def remember(self, id_: str, said: Said, spread: Spread | None = None) -> None:
        """Hold what was recorded under an id, if it can be known again."""
        self._hold(id_, said, spread or _spread(said), said.name)

    def remember_named(self, id_: str, said: Said, name: str | None) -> None:
        """Hold a message that was recorded under an id, and under this name or none; a prompt that it stands in need not take it apart."""
        spread = _spread(said)
        if said.seal is not None:
            self._keep(Met(said.message, said.seal, said, spread))
        self._hold(id_, said, spread, name)

    def _hold(self, id_: str, said: Said, spread: Spread | None, name: str | None) -> None:
        if spread is None or not self._has_room(spread.key[2]):
            return
        self._held.setdefault(spread.key, []).append(_Held(id_, said, spread, name, self._prompts))
        self._messages += 1
        self._characters += spread.key[2]

    def _find(self, said: Said, spread: Spread, *, same_object: bool) -> _Held | None:
        for held in reversed(self._held.get(spread.key, ())):
            if same_object and (said.message is None or held.message is not said.message):
                continue
            if held.parts is spread.parts or held.parts == spread.parts:  # what is the very same is not read
                return held
        return None

    def _shortened(self, ids: list[PromptId]) -> tuple[list[PromptId], int]:
        """Return the ids with one for the longest beginning that an earlier prompt has too, and by how many prompts they are told."""
        shared = [(_alike(earlier.ids, ids), earlier) for earlier in self._beginnings if earlier.links < MOST_LINKS]
        length, earlier = max(shared, key=itemgetter(0), default=(0, None))
        if earlier is None or length < _LEAST_BEGINNING:
            return ids, 0
        return [line.beginning(earlier.key, length), *ids[length:]], earlier.links + 1

    def _has_room(self, characters: int) -> bool:
        """Make room, if there is none, by letting half of all go; but not what the prompt of the moment holds."""
        if not self._is_full(MOST_MESSAGES, MOST_CHARACTERS - characters):
            return True
        every = sorted((held for alike in list(self._held.values()) for held in list(alike)), key=lambda held: held.used)
        for held in every:
            if held.used == self._prompts or not self._is_full(MOST_MESSAGES // 2, MOST_CHARACTERS // 2):
                break
            self._forget(held)
        return not self._is_full(MOST_MESSAGES, MOST_CHARACTERS - characters)

    def _is_full(self, messages: int, characters: int) -> bool:
        return self._messages >= messages or self._characters > characters

    def _forget(self, held: _Held) -> None:
        alike = [other for other in self._held.get(held.key, ()) if other is not held]
        if alike:
            self._held[held.key] = alike
        else:
            self._held.pop(held.key, None)
        self._messages -= 1
        self._characters -= held.key[2]


def met_tools(tools: object) -> Met:
    """Return what makes up the tools that a model is offered; what is sealed is taken apart once, for all traces."""
    said, seal = Said("tools", tools), seal_of(tools)
    is_small = seal is not None and len(seal) < _MOST_SEALED
    return Met(tools, seal, said, _spread_tools(seal) if is_small else _spread(said))


@lru_cache(maxsize=64)
def _spread_tools(seal: bytes) -> Spread | None:
    return _spread(Said("tools", marshal.loads(seal)))  # noqa: S302  (what was dumped here)


def _alike(ids: list[PromptId], others: list[PromptId]) -> int:
    """Return how many of the first ids are the same."""
    length = min(len(ids), len(others))
    if ids[:length] == others[:length]:
        return length
    place = 0
    while ids[place] == others[place]:
        place += 1
    return place


def last_turn(messages: Sequence[Said]) -> int | None:
    """Return the place of what a user says last, with nothing but instructions behind it."""
    for place in range(len(messages) - 1, -1, -1):
        if messages[place].role != "system":
            return place if messages[place].role == "user" else None
    return None


def _spread(said: Said) -> Spread | None:
    """Return the parts of a message in a row; None if one of them can't be looked into."""
    parts: list[object] = []
    held = said.parts
    if type(held) is str:
        return Spread((said.role, 1, len(held)), [held])
    characters = _put(held, parts, 0)
    return None if characters is None else Spread((said.role, len(parts), characters), parts)


def _put(value: object, parts: list[object], depth: int) -> int | None:
    """Put a value's parts into the row. Returns how long its texts are, or None if it has parts that can't be looked into."""
    kind = type(value)
    inside: list[object]
    if kind is dict:
        inside = [one for pair in list(value.items()) for one in pair]  # type: ignore[attr-defined]  # told by its type
    elif kind is list or kind is tuple:
        inside = list(value)  # type: ignore[call-overload]  # told by its type
    else:
        return None
    if depth > _DEEPEST or len(inside) + len(parts) > _MOST_PARTS:
        return None
    parts.append((kind is dict, len(inside)))
    characters = 0
    for one in inside:
        kind = type(one)
        if kind is str:
            parts.append(one)
            characters += len(one)  # type: ignore[arg-type]  # told by its type
        elif kind in _PLAIN:
            parts.append((kind, one))
        elif kind is bytes:
            parts.append((kind, one))
            characters += len(one)  # type: ignore[arg-type]  # told by its type
        elif (more := _put(one, parts, depth + 1)) is None:
            return None
        else:
            characters += more
    return characters
