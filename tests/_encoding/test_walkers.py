"""What the ways of walking a value agree on: as it is, copied fast, copied with a budget."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import enum
import json
import types
from collections.abc import Callable
from typing import Any

import pydantic
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests._encoding.gallery import HOSTILE_VALUES, RAN
from whyops._encoding.bounded_copy import MAX_DEPTH, BoundedCopier, Redacted
from whyops._encoding.encoder import Encoder
from whyops._encoding.fast_copy import FastCopier
from whyops._runtime.safely import Failed, safely

BY_NAME = dict(HOSTILE_VALUES)
ROOM = 262_144
ENCODER = Encoder()
"""One for all: what it remembers of keys must make no difference."""


def nothing_whole(*_: object) -> None:
    """Make a bounded copy look at each part itself."""


def as_it_is_or_fast(value: object) -> tuple[object, int, int] | None:
    """Encode without a copy, or from a fast one, searched for secrets as a whole."""
    text = safely(lambda each: ENCODER.clean_json(each, ROOM, MAX_DEPTH), value)
    return None if isinstance(text, Failed) else (json.loads(text), 0, 0)


def bounded(
    value: object, clean_copy: Callable[..., Any] = nothing_whole, redacted: dict[int, Redacted] | None = None
) -> tuple[object, int, int]:
    """Copy with a budget, each part by itself."""
    copier = BoundedCopier(ENCODER.redactor, ROOM, ENCODER.is_plain_key, clean_copy, redacted)
    return json.loads(json.dumps(copier.copy(value))), copier.cuts, copier.redactions


def encoded(value: object, max_bytes: int = ROOM) -> tuple[object, int, int]:
    text, cuts, redactions = Encoder(max_value_bytes=max_bytes).encode(value)
    return json.loads(text), cuts, redactions


class Size(enum.Enum):
    SMALL = "small"


class Order(pydantic.BaseModel):
    order: Any
    password: Any


@dataclasses.dataclass
class Row:
    name: Any
    value: Any
    pin: Any = dataclasses.field(repr=False)


Pair = collections.namedtuple("Pair", "name value")  # noqa: PYI024  (of any types)
NAMES = st.sampled_from(
    ["a", "name", "value", "key", "password", "pin", "tokens", "signature", "token", "logprob", "kty", "k", "kind", "data"]
)
KEYS = (
    NAMES
    | st.text(max_size=3)
    | st.integers(0, 2)
    | st.booleans()
    | st.none()
    | st.sampled_from(["\0", "0", "null", "sk-hunter22hunter22"])
)
TEXTS = st.text(max_size=12) | st.sampled_from(
    [
        "password=hunter22",
        "DB_PASSWORD",
        "Secret",
        "-u",
        "ada:hunter22",
        "--password",
        "hunter22",
        "\0",
        "\ud800",
        "http://a:b1c@d",
        "order-17",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXTS
    | st.binary(max_size=6)
    | st.datetimes()
    | st.times()
    | st.dates()
    | st.decimals()
    | st.uuids()
    | st.sampled_from([Size.SMALL, range(3), len, Row, pydantic.SecretStr("hunter22"), dt.timedelta(1), 2**53, 1j])
)


def around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return containers and objects that hold such values."""
    return st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(KEYS, inner, max_size=4),
        st.tuples(inner, inner),
        st.frozensets(st.integers() | TEXTS, max_size=3),
        st.builds(Pair, inner, inner),
        st.builds(Row, inner, inner, inner),
        st.builds(lambda order, password: Order.model_construct(order=order, password=password), inner, inner),
        st.builds(lambda name, held: types.SimpleNamespace(**{name: held}), NAMES, inner),
        st.lists(inner, max_size=3).map(collections.deque),
        st.dictionaries(NAMES, inner, max_size=3).map(types.MappingProxyType),
        inner.map(lambda held: iter([held])),
        inner.map(ValueError),
    )


VALUES = st.recursive(SCALARS, around, max_leaves=12)
agreement = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(VALUES)
@agreement
def test_what_a_quicker_way_accepts_a_slower_one_writes_the_same(value: object) -> None:
    """Names, their order, markers and texts are the same whichever way a value is walked, and nothing is cut or redacted in any."""
    quick = as_it_is_or_fast(value)
    if quick is not None:
        assert repr(bounded(value)) == repr(quick)
        assert repr(encoded(value)) == repr(quick)


@given(VALUES)
@agreement
def test_the_fast_copy_holds_what_the_bounded_one_does(value: object) -> None:
    """Secrets aside, which are looked for in what the fast copy made, both copies are the same."""
    copied = safely(lambda each: FastCopier(ROOM, ENCODER.is_plain_key).copy(each, MAX_DEPTH), value)
    slow, cuts, redactions = bounded(value)
    if not isinstance(copied, Failed) and not redactions and as_it_is_or_fast(copied):
        assert (repr(json.loads(json.dumps(copied))), cuts) == (repr(slow), 0)


@given(VALUES)
@agreement
def test_a_small_part_is_copied_in_whole_as_it_is_part_by_part(value: object) -> None:
    """That the bounded copy tries the quicker ways for the containers within makes no difference, nor what stands beside."""
    held = [[value], {"a": value}, {"password": "hunter22"}, [[value]]]
    part_by_part, in_whole = bounded(held), bounded(held, ENCODER.clean_copy)
    if not part_by_part[1] and not in_whole[1]:
        assert repr(in_whole) == repr(part_by_part)


@given(VALUES)
@agreement
def test_a_value_is_the_same_alone_and_in_another(value: object) -> None:
    """Depth and neighbours change nothing of what is recorded of a value; no text stands beside it, which could be a command's option."""
    alone, cuts, redactions = encoded(value)
    if not cuts:
        assert repr(encoded([[value], 1])) == repr(([[alone], 1], 0, redactions))
        assert repr(encoded({"a": value, "b": "\0"})) == repr(({"a": alone, "b": "␀"}, 0, redactions))


@given(VALUES, st.sampled_from([256, 500, 2_000]))
@example(Row(ValueError(types.SimpleNamespace(a=None)), ValueError(Pair(None, None)), None), 256)
@agreement
def test_a_budget_that_cuts_nothing_changes_nothing(value: object, max_bytes: int) -> None:
    """Within any bound a value is either recorded as in a wide one, or says where it was cut."""
    narrow = encoded(value, max_bytes)
    if not narrow[1]:
        assert repr(narrow) == repr(encoded(value))


OWN_CODE = st.sampled_from([name for name, _ in HOSTILE_VALUES if "subclass" in name or "hostile" in name]).map(
    lambda name: BY_NAME[name]()
)


@given(st.recursive(OWN_CODE | SCALARS, around, max_leaves=8))
@agreement
def test_no_way_runs_code_of_a_class(value: object) -> None:
    """Wherever in a value an object of a user's class is, none of its methods is called, in none of the ways."""
    RAN.clear()
    as_it_is_or_fast(value)
    bounded(value)
    encoded(value, 500)
    Encoder(redact=lambda shown: shown).encode(value)
    assert RAN == []


@pytest.mark.parametrize("name", [name for name, _ in HOSTILE_VALUES if name != "dict_changed_by_a_thread"])
def test_the_ways_agree_on_values_that_broke_recorders(name: str) -> None:
    """What holds for what hypothesis builds holds for the gallery, alone and beside a secret."""
    value = BY_NAME[name]()
    redacted: dict[int, Redacted] = {}  # what long texts became, as each search of one takes a second
    quick = as_it_is_or_fast([value])
    if quick is not None:
        assert quick == bounded([value], redacted=redacted)
    held = [value, [value], {"password": "x"}]
    careful, mixed = bounded(held, redacted=redacted), bounded(held, ENCODER.clean_copy, redacted)
    if not careful[1] and not mixed[1]:
        assert mixed == careful
