"""Objects of types that are not built in → plainer values."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import ipaddress
import json
import pathlib
import string
import sys
import types
import uuid
from collections.abc import Callable

import pydantic
import pytest

from tests._encoding.gallery import HOSTILE_VALUES, Colour, Holder, Level, Order, Slotted
from whyops._encoding.encoder import Encoder

BY_NAME = dict(HOSTILE_VALUES)


def shown(value: object, **settings: object) -> object:
    return json.loads(Encoder(**settings).encode(value)[0])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value, expected",
    [
        (dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone.utc), "2026-01-02T03:04:05+00:00"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (dt.time(3, 4, 5), "03:04:05"),
        (dt.timedelta(hours=1), "1:00:00"),
        (decimal.Decimal("1.10"), "1.10"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (pathlib.PurePosixPath("/a/b"), "/a/b"),
        (ipaddress.ip_network("10.0.0.0/8"), "10.0.0.0/8"),
        (pydantic.TypeAdapter(pydantic.AnyUrl).validate_python("https://u:pw@example.com/"), "https://u:[redacted]@example.com/"),
        (b"text", "text"),
        (b"\xff\x00", "<2 bytes: ff00>"),
        (b"\xff" * 20, "<20 bytes: ffffffffffffffffffffffffffffffff…>"),
        (memoryview(b"abc"), "abc"),
        ({3, 1, 2}, [1, 2, 3]),
        (collections.deque([1, 2]), [1, 2]),
        (collections.Counter("aab"), {"a": 2, "b": 1}),
        (collections.UserDict(a=1), {"a": 1}),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        (collections.namedtuple("Point", "x y")(1, 2), {"x": 1, "y": 2}),  # noqa: PYI024  (callers have such)
        (Colour.RED, "red"),
        (Level.LOW, 1),
        (range(3), "range(0, 3)"),
        (Holder, "<class tests._encoding.gallery.Holder>"),
        (len, "<builtin_function_or_method len>"),
        (ValueError("bad", 5), {"type": "ValueError", "args": ["bad", 5]}),
        (types.SimpleNamespace(a=[1]), {"a": [1]}),
        (Holder(), {"<type>": "tests._encoding.gallery.Holder", "name": "holder"}),
        (Slotted(), {"<type>": "tests._encoding.gallery.Slotted", "first": 1}),
        (
            Order("1", [Order("2", [])]),
            {
                "order_id": "1",
                "items": [{"order_id": "2", "items": [], "note": None, "card": "[redacted]"}],
                "note": None,
                "card": "[redacted]",
            },
        ),
        (pydantic.SecretStr("x"), "[redacted]"),
        ((i for i in ()), "<generator>"),
    ],
)
def test_useful_forms(value: object, expected: object) -> None:
    """What a type holds is shown in the form that its readers know."""
    assert shown(value) == expected


@pytest.mark.parametrize(
    "name, expected",
    [
        ("numpy_array", [[0, 1, 2], [3, 4, 5]]),
        ("numpy_array_nan", ["NaN", "Infinity"]),
        ("numpy_array_dates", ["2026-01-01T00:00:00.000000000"]),
        ("numpy_scalars", [1.5, "NaN", str(2**62), True, "a", "1.0"]),
        ("pandas_frame_same_columns", [{"a": 1, "a (2)": 2}]),
        ("pandas_series_same_index", [1, 2]),
        ("pandas_index", [1, 2]),
        ("pandas_times", ["2026-01-01T00:00:00+00:00", None, None, "0:00:01"]),
        ("pandas_categories", {"0": "a", "1": "b"}),
        ("attrs", {"name": "a", "pin": "[redacted]"}),
        ("pydantic_model", {"name": "a", "login": "[redacted]", "inner": {"name": "c", "login": "[redacted]", "inner": None}, "more": "b"}),
        ("pydantic_v1_model", {"name": "a", "pin": "[redacted]", "login": "[redacted]"}),
        ("pydantic_root", {"root": [1]}),
    ],
)
def test_libraries_that_are_not_imported(name: str, expected: object) -> None:
    """Objects of libraries that this package does not import are shown by what they hold."""
    if name not in BY_NAME:
        pytest.skip("the library is not installed")
    assert shown(BY_NAME[name]()) == expected


def test_a_frame_is_cut_by_rows_and_columns() -> None:
    """Of a huge table some rows and columns are read, not all."""
    pandas = pytest.importorskip("pandas")
    wide = shown(pandas.DataFrame([range(5_000)]), max_value_bytes=1_000)
    assert isinstance(wide, list)
    assert "of 5000 entries" in wide[0]["…"]
    long = shown(pandas.DataFrame({"a": range(5_000)}), max_value_bytes=1_000)
    assert isinstance(long, list)
    assert "of 5000 items" in long[-1]


def test_long_bytes_keep_their_beginning() -> None:
    """Bytes that are text keep their beginning, also where the cut goes through a letter."""
    for size in range(995, 1_000):
        text = shown(b"a" * size + "é".encode() * 100_000, max_value_bytes=1_000)
        assert isinstance(text, str)
        assert text.startswith("a" * 500)
        assert text.endswith(f" characters of {size + 200_000} bytes]")


def test_an_object_inside_an_object_is_a_marker() -> None:
    """Objects whose classes declare no fields are shown one level deep: a browser's controller is not a value."""
    outer = Holder()
    outer.inner = [Holder()]  # type: ignore[attr-defined]
    assert shown(outer) == {"<type>": "tests._encoding.gallery.Holder", "name": "holder", "inner": ["<tests._encoding.gallery.Holder>"]}


def test_fields_that_are_not_for_show() -> None:
    """A field with `repr=False` or `exclude=True` is hidden; None in it is not worth hiding."""

    class Login(pydantic.BaseModel):
        user: str
        pin: str = pydantic.Field(repr=False)
        more: str = pydantic.Field(exclude=True)

    kind = dataclasses.make_dataclass("Made", [("pin", object, dataclasses.field(repr=False, default=None))])
    assert shown([Login(user="u", pin="p", more="m"), kind()]) == [{"user": "u", "pin": "[redacted]", "more": "[redacted]"}, {"pin": None}]


@pytest.mark.parametrize(
    "make", [lambda: iter([1, 2]), lambda: (i for i in (1, 2)), lambda: map(int, "12")], ids=["iter", "generator", "map"]
)
def test_iterators_keep_what_they_have(make: Callable[[], object]) -> None:
    """An iterator that was recorded still gives all it has."""
    value = make()
    shown([value])
    assert list(value) == [1, 2]  # type: ignore[call-overload]


def test_nothing_is_imported() -> None:
    """Showing values of one library does not import another."""
    before = set(sys.modules)
    shown([uuid.UUID(int=1), Holder(), {1}])
    assert not {"numpy", "pandas", "attrs"} & (set(sys.modules) - before)


def test_a_template_is_the_text_that_it_makes() -> None:
    """Values of built-in types are formatted as the template says; others are shown as they are elsewhere, and none of their code runs."""
    templatelib = pytest.importorskip("string.templatelib", reason="there since Python 3.14")

    def template(*parts: object) -> object:
        """Make the template of texts and of `(value, conversion, format)`."""
        return templatelib.Template(
            *[templatelib.Interpolation(part[0], "x", *part[1:]) if type(part) is tuple else part for part in parts]
        )

    order, inner = Order("1", []), template("in ", ("Ada", None, ""))
    formatted = template("find ", ("Ada", "r", ">7"), " ", (2.5, None, ".2f"), " ", ([1, {"a": None}], None, ""), " ", (inner, None, ""))
    assert shown(formatted) == "find   'Ada' 2.50 [1, {'a': None}] in Ada"
    assert (
        shown(template((order, None, ""), "/", ([order], "r", ""), "/", (dt.date(2026, 1, 2), None, "%d.%m.")))
        == "<tests._encoding.gallery.Order>/<list>/02.01."
    )
    assert shown(template(("Ada", None, ">99999999"), (2.5, None, "no format"))) == "Ada2.5"
    assert shown(template(("x" * 100_000, None, "")), max_value_bytes=1_000).endswith(" characters of 100000 bytes]")  # type: ignore[union-attr]
    assert shown(template("password=", ("hunter2", None, ""))) == "password=[redacted]"
    assert shown(templatelib.Interpolation(2.5, "x", None, ".2f")) == "2.50"


def test_an_older_template_is_the_text_that_it_is_made_of() -> None:
    """`string.Template` holds no values, only where they go."""
    assert shown(string.Template("Dear $name")) == "Dear $name"
