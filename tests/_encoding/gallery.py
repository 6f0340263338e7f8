"""Values that have broken recorders: each with a name and a function that makes it anew.

`HOSTILE_VALUES` is for any test that takes values: whatever is recorded, the caller's own behaviour must be that of plain code. What
needs numpy, pandas, attrs or pydantic is left out where they are missing.
"""

# ruff: noqa: PLE0303, PLE0304, PLE0305, PLE0307, PLE0308, PLE0309  (what these methods do wrong is the point)
from __future__ import annotations

import array
import asyncio
import atexit
import builtins
import collections
import contextlib
import contextvars
import ctypes
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import importlib.util
import io
import ipaddress
import itertools
import logging
import os
import pathlib
import queue
import random
import re
import socket
import string
import sys
import tempfile
import threading
import time
import types
import typing
import unittest.mock
import uuid
import weakref
import zoneinfo
from collections.abc import Callable, Iterator

HOSTILE_VALUES: list[tuple[str, Callable[[], object]]] = []

RAN: list[str] = []
"""What code of a hostile object was run, while somebody looked at it."""

FILE = tempfile.TemporaryFile()  # noqa: SIM115  (open for as long as the tests run)
atexit.register(FILE.close)
CLOSED_FILE = io.StringIO()
CLOSED_FILE.close()
SOCKET = socket.socket()
atexit.register(SOCKET.close)

Make = Callable[[], object]


def hostile(make: Make) -> Make:
    """Add a value to the gallery under the name of the function that makes it."""
    HOSTILE_VALUES.append((make.__name__, make))
    return make


def simple(name: str, make: Make) -> None:
    HOSTILE_VALUES.append((name, make))


def nested(depth: int, around: Callable[[object], object]) -> object:
    value: object = "core"
    for _ in range(depth):
        value = around(value)
    return value


def ran(what: str) -> typing.NoReturn:
    RAN.append(what)
    raise RuntimeError(what)


# Numbers
simple("int_beyond_exact", lambda: 2**53)
simple("int_beyond_exact_negative", lambda: -(2**53))
simple("int_64_bits", lambda: 2**64)
simple("int_too_long_to_print", lambda: 10**5000)
simple("int_huge", lambda: 1 << 10_000_000)
simple("float_nan", lambda: float("nan"))
simple("float_infinity", lambda: float("inf"))
simple("float_minus_infinity", lambda: float("-inf"))
simple("float_minus_zero", lambda: -0.0)
simple("float_smallest", lambda: 5e-324)
simple("float_greatest", lambda: sys.float_info.max)
simple("complex", lambda: complex(1, float("nan")))
simple("fraction", lambda: fractions.Fraction(1, 3))
simple("decimal", lambda: decimal.Decimal("1.10"))
simple("decimal_signalling_nan", lambda: decimal.Decimal("sNaN"))
simple("decimal_long", lambda: decimal.Decimal("1" * 100_000))
simple("bool_in_list", lambda: [True, False, None])
simple("nan_as_key", lambda: {float("nan"): 1, float("inf"): 2})

# Texts
simple("text_empty", lambda: "")
simple("text_nul", lambda: "a\0b")
simple("text_all_controls", lambda: "".join(map(chr, range(32))))
simple("text_lone_high_surrogate", lambda: "a\ud800b")
simple("text_lone_low_surrogate", lambda: "\udc00")
simple("text_surrogates_reversed", lambda: "\udc00\ud800")
simple("text_surrogate_pair_in_two", lambda: "\ud83d\ude00")
simple("text_bidi", lambda: "\u202eabc\u2066")
simple("text_separators", lambda: "\u2028\u2029\x85")
simple("text_noncharacters", lambda: "\uffff\ufdd0\U0010ffff")
simple("text_emoji_family", lambda: "👨‍👩‍👧‍👦" * 10)
simple("text_long", lambda: "x" * 1_000_000)
simple("text_long_of_quotes", lambda: '"' * 1_000_000)
simple("text_long_of_controls", lambda: "\x01" * 1_000_000)
simple("text_long_wide", lambda: "漢" * 500_000)
simple("text_long_of_surrogates", lambda: "\ud800" * 60_000)
simple("text_turkish_capital", lambda: "İ" * 100 + " token=abcdefgh")
simple("text_escapes", lambda: r"\u0000 \ud800 \\u0000 \x00 \n")
simple("text_json", lambda: '{"a": [1, 2, {"b": "c"}]}')
simple("text_json_deep", lambda: "[" * 100_000)
simple("text_json_deep_under_secret", lambda: '{"token": ' * 20_000)
simple("text_many_names", lambda: "key " * 5_000)
simple("text_many_assignments", lambda: "key=" * 5_000)
simple("text_many_schemes", lambda: "://" * 50_000)
simple("text_many_quotes", lambda: 'token="' * 3_000)
simple("text_many_backslashes", lambda: "password=" + "\\" * 100_000)
simple("text_bom", lambda: "\ufeff{}")


class TextOfItsOwn(str):
    __slots__ = ()

    def __str__(self) -> str:
        ran("str.__str__")

    def __repr__(self) -> str:
        ran("str.__repr__")

    def __hash__(self) -> int:
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other)

    def __len__(self) -> int:
        ran("str.__len__")

    def __iter__(self) -> Iterator[str]:
        ran("str.__iter__")

    def lower(self) -> str:
        ran("str.lower")

    def encode(self, *_args: object, **_kwargs: object) -> bytes:
        ran("str.encode")


class NumberOfItsOwn(int):
    def __int__(self) -> int:
        ran("int.__int__")

    def __index__(self) -> int:
        ran("int.__index__")

    def __repr__(self) -> str:
        ran("int.__repr__")

    def __lt__(self, other: object) -> bool:
        ran("int.__lt__")

    def __abs__(self) -> int:
        ran("int.__abs__")


class FloatOfItsOwn(float):
    def __float__(self) -> float:
        ran("float.__float__")

    def __repr__(self) -> str:
        ran("float.__repr__")

    def __eq__(self, other: object) -> bool:
        ran("float.__eq__")

    __hash__ = float.__hash__


class DictOfItsOwn(dict):  # type: ignore[type-arg]
    def items(self) -> typing.NoReturn:
        ran("dict.items")

    def keys(self) -> typing.NoReturn:
        ran("dict.keys")

    def __iter__(self) -> typing.NoReturn:
        ran("dict.__iter__")

    def __getitem__(self, key: object) -> typing.NoReturn:
        ran("dict.__getitem__")

    def __len__(self) -> int:
        ran("dict.__len__")


class ListOfItsOwn(list):  # type: ignore[type-arg]
    def __iter__(self) -> typing.NoReturn:
        ran("list.__iter__")

    def __len__(self) -> int:
        ran("list.__len__")

    def __getitem__(self, index: object) -> typing.NoReturn:
        ran("list.__getitem__")


class TupleOfItsOwn(tuple):  # type: ignore[type-arg]
    __slots__ = ()

    def __iter__(self) -> typing.NoReturn:
        ran("tuple.__iter__")

    def __getitem__(self, index: object) -> typing.NoReturn:
        ran("tuple.__getitem__")


class SetOfItsOwn(set):  # type: ignore[type-arg]
    def __iter__(self) -> typing.NoReturn:
        ran("set.__iter__")

    def __len__(self) -> int:
        ran("set.__len__")


class BytesOfItsOwn(bytes):
    def decode(self, *_args: object, **_kwargs: object) -> str:
        ran("bytes.decode")

    def __getitem__(self, index: object) -> typing.NoReturn:
        ran("bytes.__getitem__")


class DequeOfItsOwn(collections.deque):  # type: ignore[type-arg]
    def __iter__(self) -> typing.NoReturn:
        ran("deque.__iter__")

    def __len__(self) -> int:
        ran("deque.__len__")


simple("text_subclass", lambda: TextOfItsOwn("inner"))
simple("text_subclass_as_key", lambda: {TextOfItsOwn("inner"): 1})
simple("int_subclass", lambda: NumberOfItsOwn(7))
simple("float_subclass", lambda: FloatOfItsOwn(1.5))
simple("dict_subclass", lambda: DictOfItsOwn(a=1))
simple("list_subclass", lambda: ListOfItsOwn([1, 2]))
simple("tuple_subclass", lambda: TupleOfItsOwn((1, 2)))
simple("set_subclass", lambda: SetOfItsOwn({1}))
simple("bytes_subclass", lambda: BytesOfItsOwn(b"abc"))
simple("bytes_subclass_under_a_name", lambda: {"signature": BytesOfItsOwn(b"abc")})
simple("deque_subclass", lambda: DequeOfItsOwn([1, 2]))

# Containers
simple("dict_empty", dict)
simple("dict_mixed_keys", lambda: {1: "a", "1": "b", None: "d", 1.5: "e", (1, 2): "f", b"x": "g", frozenset({1}): "h"})
simple("dict_keys_alike", lambda: {"1": 0, 1: 1, "1 (2)": 2, "null": 3, None: 4})
simple("dict_nul_key", lambda: {"a\0b": 1, "\0": 2})
simple("dict_surrogate_key", lambda: {"\ud800": 1} | {"\udfff": 2})
simple("dict_long_key", lambda: {"k" * 1_000_000: 1})
simple("dict_empty_key", lambda: {"": 1, " ": 2})
simple("dict_wide", lambda: {f"k{i}": i for i in range(100_000)})
simple("dict_of_own_marker", lambda: {"…": 1, "<type>": 2, "_whyops_trace_id": "t"})
simple("list_wide", lambda: list(range(200_000)))
simple("list_of_wide_lists", lambda: [list(range(5_000)) for _ in range(50)])
simple("list_of_long_texts", lambda: ["y" * 50_000] * 50)
simple("list_deep", lambda: nested(100_000, lambda value: [value]))
simple("dict_deep", lambda: nested(5_000, lambda value: {"in": value}))
simple("tuple_deep", lambda: nested(300, lambda value: (value,)))
simple("huge_first_then_small", lambda: {"huge": "z" * 2_000_000, "small": {"kept": True}})
simple("doubling_lists", lambda: nested(40, lambda value: [value, value]))
simple("named_tuple", lambda: collections.namedtuple("Point", "x y")(1, 2))  # noqa: PYI024  (callers have such)
simple("set_of_texts", lambda: {"b", "a"})
simple("set_mixed", lambda: {1, "a", None, (2,)})
simple("frozenset_nested", lambda: frozenset({frozenset({1})}))
simple("deque", lambda: collections.deque([1, 2], maxlen=5))
simple("deque_wide", lambda: collections.deque(range(300_000)))
simple("ordered_dict", lambda: collections.OrderedDict(b=1, a=2))
simple("default_dict", lambda: collections.defaultdict(list, a=[1]))
simple("counter", lambda: collections.Counter("hello"))
simple("chain_map", lambda: collections.ChainMap({"a": 1}, {"b": 2}))
simple("user_dict", lambda: collections.UserDict(a=1))
simple("user_list", lambda: collections.UserList([1]))
simple("user_string", lambda: collections.UserString("abc"))
simple("mapping_proxy", lambda: types.MappingProxyType({"a": 1}))
simple("dict_views", lambda: [{"a": 1}.keys(), {"a": 1}.values(), {"a": 1}.items()])
simple("range", lambda: range(10**20))
simple("slice", lambda: slice(1, None, 2))
simple("array", lambda: array.array("d", [1.0, 2.0]))
simple("environ", lambda: os.environ)


@hostile
def cycle_list() -> object:
    value: list[object] = [1]
    value.append(value)
    return value


@hostile
def cycle_dict() -> object:
    value: dict[str, object] = {"a": 1}
    value["self"] = {"again": [value]}
    return value


@hostile
def cycle_of_objects() -> object:
    first, second = types.SimpleNamespace(), types.SimpleNamespace()
    first.other, second.other = second, first
    return first


@hostile
def cycle_through_user_dict() -> object:
    value = collections.UserDict()
    value.data = value  # type: ignore[assignment]
    return value


@hostile
def cycle_of_exceptions() -> object:
    error = ValueError()
    error.args = (error,)
    error.__cause__ = error
    return error


# Bytes
simple("bytes_text", lambda: b"plain")
simple("bytes_binary", lambda: bytes(range(256)))
simple("bytes_nul", lambda: b"\0\0")
simple("bytes_long", lambda: b"a" * 1_000_000)
simple("bytes_long_wide", ("é" * 500_000).encode)
simple("bytes_long_binary", lambda: b"\xff" * 1_000_000)
simple("bytearray", lambda: bytearray(b"abc"))
simple("memoryview", lambda: memoryview(b"abc"))
simple("memoryview_2d", lambda: memoryview(bytearray(6)).cast("B", (2, 3)))
simple("bytes_io", lambda: io.BytesIO(b"abc"))


@hostile
def memoryview_released() -> object:
    view = memoryview(b"abc")
    view.release()
    return view


# Times, ids, paths
simple("datetime_naive", lambda: dt.datetime(2026, 1, 1))  # noqa: DTZ001  (callers have such)
simple("datetime_zoned", lambda: dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc))
simple("datetime_max", lambda: dt.datetime.max)  # noqa: DTZ901  (callers have such)
simple("date", lambda: dt.date(1, 1, 1))
simple("time", lambda: dt.time(1, 2, 3, tzinfo=dt.timezone.utc))
simple("timedelta", lambda: dt.timedelta(days=-1, microseconds=1))
simple("timezone", lambda: dt.timezone.utc)
simple("zone_info_lookup", lambda: zoneinfo.ZoneInfo)
simple("uuid", lambda: uuid.UUID(int=1))
simple("path", lambda: pathlib.PurePosixPath("/a/b"))
simple("path_with_surrogate", lambda: pathlib.PurePosixPath("/a/\udcff"))
simple("ip_address", lambda: ipaddress.ip_address("127.0.0.1"))


class BlockingZone(dt.tzinfo):
    def utcoffset(self, _when: object) -> dt.timedelta:
        ran("tzinfo.utcoffset")

    def dst(self, _when: object) -> dt.timedelta:
        ran("tzinfo.dst")

    def tzname(self, _when: object) -> str:
        ran("tzinfo.tzname")


class TimeOfItsOwn(dt.time):
    @property
    def tzinfo(self) -> typing.NoReturn:  # type: ignore[override]
        ran("time.tzinfo")


simple("time_subclass", lambda: TimeOfItsOwn(1, 2, tzinfo=dt.timezone.utc))
simple("datetime_in_a_hostile_zone", lambda: dt.datetime(2026, 1, 1, tzinfo=BlockingZone()))
simple("time_in_a_hostile_zone", lambda: dt.time(1, tzinfo=BlockingZone()))

# Streams, iterators, awaitables, resources
simple("iterator", lambda: iter([1, 2]))
simple("generator", lambda: (i for i in range(3)))
simple("generator_endless", itertools.count)
simple("map", lambda: map(ran, [1]))
simple("zip", lambda: zip([1], [2], strict=True))
simple("cycle_iterator", lambda: itertools.cycle([1]))
simple("file", lambda: FILE)
simple("file_closed", lambda: CLOSED_FILE)
simple("string_io", lambda: io.StringIO("abc"))
simple("standard_output", lambda: sys.stdout)
simple("socket", lambda: SOCKET)
simple("lock", threading.Lock)
simple("thread", threading.Thread)
simple("thread_local", threading.local)
simple("event", threading.Event)
simple("queue", queue.Queue)
simple("future", lambda: asyncio.Future(loop=unittest.mock.create_autospec(asyncio.AbstractEventLoop, instance=True)))
simple("logger", logging.getLogger)
simple("pattern", lambda: re.compile("a+"))
simple("match", lambda: re.match("a", "a"))
simple("frame", sys._getframe)
simple("context_var", lambda: contextvars.ContextVar("x"))
simple("context", contextvars.copy_context)
simple("exit_stack", contextlib.ExitStack)
simple("random_generator", random.Random)
simple("weak_reference", lambda: weakref.ref(Holder))
simple("dead_weak_proxy", lambda: weakref.proxy(Holder()))
simple("ctypes_number", lambda: ctypes.c_int(5))
simple("ctypes_array", ctypes.c_int * 3)
simple("template", lambda: string.Template("$a"))


@hostile
def coroutine() -> object:
    async def work() -> None: ...

    made = work()
    made.close()
    return made


@hostile
def async_generator() -> object:
    async def work() -> typing.AsyncIterator[int]:
        yield 1

    return work()


# Code
simple("function", lambda: ran)
simple("lambda", lambda: lambda: None)
simple("builtin_function", lambda: len)
simple("method", lambda: Holder().method)
simple("class", lambda: Holder)
simple("module", lambda: sys)
simple("partial", lambda: functools.partial(ran, "x"))
simple("code", lambda: ran.__code__)
simple("typing_alias", lambda: list[int])
simple("typing_union", lambda: typing.Optional[int])  # noqa: UP045  (callers have such)
simple("type_variable", lambda: typing.TypeVar("T"))
simple("ellipsis", lambda: ...)
simple("not_implemented", lambda: NotImplemented)
simple("object", object)
simple("property", lambda: property(ran))

# Exceptions
simple("exception", lambda: ValueError("bad", 5))
simple("exception_group", lambda: getattr(builtins, "ExceptionGroup", lambda *_: None)("many", [ValueError("one")]))
simple("keyboard_interrupt", KeyboardInterrupt)
simple("system_exit", lambda: SystemExit(3))
simple("os_error", lambda: OSError(2, "No such file", "name"))
simple("unicode_error", lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"))


class HostileError(Exception):
    def __str__(self) -> str:
        ran("exception.__str__")

    def __repr__(self) -> str:
        ran("exception.__repr__")

    @property
    def args(self) -> typing.NoReturn:  # type: ignore[override]
        ran("exception.args")


simple("hostile_exception", HostileError)


# Objects
class Holder:
    """A plain class."""

    def __init__(self) -> None:
        self.name = "holder"
        self._hidden = "x"

    def method(self) -> None:
        """Do nothing."""


class Slotted:
    __slots__ = ("__weakref__", "first", "second")

    def __init__(self) -> None:
        self.first = 1


class HostileAttributes:
    def __getattribute__(self, name: str) -> typing.NoReturn:
        ran(f"__getattribute__ {name}")


class HostileMissing:
    def __getattr__(self, name: str) -> typing.NoReturn:
        ran(f"__getattr__ {name}")


class HostileTexts:
    def __repr__(self) -> str:
        ran("__repr__")

    def __str__(self) -> str:
        ran("__str__")

    def __format__(self, spec: str) -> str:
        ran("__format__")

    def __bytes__(self) -> bytes:
        ran("__bytes__")


class HostileClass:
    @property
    def __class__(self) -> type:  # type: ignore[override]
        ran("__class__")


class LyingClass:
    @property
    def __class__(self) -> type:  # type: ignore[override]
        return dict


class HostileDict:
    @property
    def __dict__(self) -> dict[str, object]:  # type: ignore[override]
        ran("__dict__")


class HostileProperty:
    @property
    def value(self) -> object:
        ran("property")


class HostileTruth:
    def __bool__(self) -> bool:
        ran("__bool__")

    def __len__(self) -> int:
        ran("__len__")

    def __eq__(self, other: object) -> bool:
        ran("__eq__")

    def __hash__(self) -> int:
        ran("__hash__")


class HostileIteration:
    def __iter__(self) -> Iterator[int]:
        ran("__iter__")

    def __getitem__(self, index: object) -> object:
        ran("__getitem__")

    def keys(self) -> list[str]:
        ran("keys")


class EndlessIteration:
    def __iter__(self) -> Iterator[int]:
        return itertools.count()

    def __len__(self) -> int:
        return 1


class Blocking:
    def __repr__(self) -> str:
        RAN.append("blocking")
        time.sleep(3600)
        return ""

    __str__ = __repr__

    def __getattr__(self, name: str) -> object:
        RAN.append("blocking")
        time.sleep(3600)
        raise AttributeError


class Recursing:
    def __repr__(self) -> str:
        RAN.append("recursing")
        return repr(self)

    def __getattr__(self, name: str) -> object:
        RAN.append("recursing")
        return getattr(self, name + "x")


class HostileConversions:
    def _run(self, *_args: object) -> typing.NoReturn:
        ran("conversion")

    model_dump = dict = to_dict = as_dict = json = to_json = tolist = item = isoformat = __json__ = __reduce__ = __float__ = __int__ = _run
    __index__ = __getstate__ = __fspath__ = __array__ = __iter__ = __copy__ = _run


class HostileMeta(type):
    def __getattribute__(cls, name: str) -> object:
        if name in {"__name__", "__qualname__", "__module__", "__mro__", "__dict__", "__flags__"}:
            ran(f"metaclass {name}")
        return super().__getattribute__(name)

    def __hash__(cls) -> int:
        ran("metaclass __hash__")

    def __eq__(cls, other: object) -> bool:
        ran("metaclass __eq__")

    def __instancecheck__(cls, instance: object) -> bool:
        ran("metaclass __instancecheck__")

    def __subclasscheck__(cls, subclass: type) -> bool:
        ran("metaclass __subclasscheck__")


class MadeByHostileMeta(metaclass=HostileMeta):
    def __init__(self) -> None:
        self.name = "inner"


class DescriptorFields:
    def __init__(self) -> None:
        self.__dict__["field"] = HostileTexts()
        self.__dict__[3] = "not a name"  # type: ignore[index]


class Untruthful:
    __module__ = HostileTexts()  # type: ignore[assignment]
    __qualname__ = "Un\0truth\ud800ful" * 100
    __doc__ = None


class ManyFields:
    def __init__(self) -> None:
        self.__dict__.update({f"field_{i}": i for i in range(50_000)})


class Colour(enum.Enum):
    RED = "red"
    ODD = (1, object())


class Level(enum.IntEnum):
    LOW = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Word(str, enum.Enum):
    YES = "yes"


@dataclasses.dataclass
class Order:
    order_id: str
    items: list[object]
    note: object = None
    card: str = dataclasses.field(default="4111", repr=False)


@dataclasses.dataclass(frozen=True)
class SlottedOrder:
    __slots__ = ("order_id",)
    order_id: str


@dataclasses.dataclass
class Recursive:
    child: object = None


class BrokenFields:
    __dataclass_fields__ = 5
    __fields__ = {"a": 1}  # noqa: RUF012  (callers have such)
    __attrs_attrs__ = "no"
    __pydantic_validator__ = None


HOSTILE_KINDS: list[type] = [
    *(
        Holder,
        Slotted,
        HostileAttributes,
        HostileMissing,
        HostileTexts,
        HostileClass,
        LyingClass,
        HostileDict,
        HostileProperty,
        HostileTruth,
    ),
    *(
        HostileIteration,
        EndlessIteration,
        Blocking,
        Recursing,
        HostileConversions,
        MadeByHostileMeta,
        DescriptorFields,
        Untruthful,
        ManyFields,
    ),
    *(BrokenFields, Recursive),
]
HOSTILE_VALUES.extend((f"object_{type.__dict__['__name__'].__get__(kind)}", kind) for kind in HOSTILE_KINDS)

simple("class_made_by_hostile_meta", lambda: MadeByHostileMeta)
simple("enum", lambda: Colour.RED)
simple("enum_odd", lambda: Colour.ODD)
simple("enum_int", lambda: Level.LOW)
simple("enum_flag", lambda: Access.READ | Access.WRITE)
simple("enum_text", lambda: Word.YES)
simple("enum_class", lambda: Colour)
simple("enum_as_key", lambda: {Colour.RED: 1, Level.LOW: 2, Word.YES: 3})
simple("dataclass", lambda: Order("1", [Order("2", [])]))
simple("dataclass_slots", lambda: SlottedOrder("1"))
simple("dataclass_class", lambda: Order)
simple("dataclass_deep", lambda: nested(2_000, Recursive))
simple("mock", unittest.mock.Mock)
simple("magic_mock", unittest.mock.MagicMock)
simple("namespace", lambda: types.SimpleNamespace(a=1, b=[2]))
simple("objects_in_list", lambda: [Holder(), HostileTexts(), "kept", HostileAttributes()])
simple("objects_in_dict", lambda: {"kept": 1, "bad": HostileClass(), "also kept": [HostileTruth()]})
simple("hostile_key", lambda: {Holder(): 1, Colour.ODD: 2})
simple("password_object", lambda: {"password": HostileTexts(), "token": iter([1]), "secret": [HostileClass()]})


@hostile
def dataclass_half_made() -> object:
    return Order.__new__(Order)


@hostile
def dataclass_cycle() -> object:
    value = Recursive()
    value.child = [value]
    return value


@hostile
def dict_changed_by_a_thread() -> object:
    """Give a dict that another thread changes for the next quarter of a second."""
    value: dict[str, object] = {f"k{i}": [i] for i in range(200)}
    until = time.monotonic() + 0.25

    def change() -> None:
        i = 0
        while time.monotonic() < until:
            i += 1
            value.pop(f"k{i % 200}", None)
            value[f"n{i % 300}"] = iter([i]) if i % 2 else {"a": i}

    threading.Thread(target=change, daemon=True).start()
    return value


if importlib.util.find_spec("numpy"):

    def _numpy() -> None:
        import numpy as np  # noqa: PLC0415  (where it is installed)

        simple("numpy_array", lambda: np.arange(6).reshape(2, 3))
        simple("numpy_array_wide", lambda: np.zeros((1000, 1000)))
        simple("numpy_array_empty", lambda: np.zeros((0, 3)))
        simple("numpy_array_flat", lambda: np.array(5))
        simple("numpy_array_nan", lambda: np.array([np.nan, np.inf]))
        simple("numpy_array_objects", lambda: np.array([HostileTexts(), "kept", None], dtype=object))
        simple("numpy_array_dates", lambda: np.array(["2026-01-01"], dtype="datetime64[ns]"))
        simple("numpy_array_records", lambda: np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]))
        simple("numpy_matrix", lambda: np.ma.array([[1, 2]], mask=[[True, False]]))
        simple("numpy_scalars", lambda: [np.float64(1.5), np.float32("nan"), np.int64(2**62), np.bool_(1), np.str_("a"), np.longdouble(1)])
        simple("numpy_times", lambda: [np.datetime64("2026-01-01T00:00:00.000000001"), np.timedelta64(5, "s"), np.datetime64("NaT", "s")])
        simple("numpy_keys", lambda: {np.int64(1): 1, np.str_("a"): 2})

    _numpy()

if importlib.util.find_spec("pandas"):

    def _pandas() -> None:
        import pandas as pd  # noqa: PLC0415  (where it is installed)

        simple("pandas_frame", lambda: pd.DataFrame({"a": [1, 2], "b": ["x", None]}))
        simple("pandas_frame_wide", lambda: pd.DataFrame({f"c{i}": range(100) for i in range(300)}))
        simple("pandas_frame_long", lambda: pd.DataFrame({"a": range(100_000)}))
        simple("pandas_frame_same_columns", lambda: pd.DataFrame([[1, 2]], columns=["a", "a"]))
        simple("pandas_frame_empty", pd.DataFrame)
        simple("pandas_series", lambda: pd.Series([1.5, None], index=["a", "b"]))
        simple("pandas_series_same_index", lambda: pd.Series([1, 2], index=["a", "a"]))
        simple("pandas_index", lambda: pd.Index([1, 2]))
        simple("pandas_times", lambda: [pd.Timestamp("2026-01-01", tz="UTC"), pd.NaT, pd.NA, pd.Timedelta("1s")])
        simple("pandas_categories", lambda: pd.Series(["a", "b"], dtype="category"))

    _pandas()

if importlib.util.find_spec("attrs"):

    def _attrs() -> None:
        import attrs  # noqa: PLC0415  (where it is installed)

        made = attrs.make_class("Made", {"name": attrs.field(), "pin": attrs.field(repr=False)})
        simple("attrs", lambda: made("a", "1234"))
        slotted = attrs.make_class("SlottedMade", ["name"], slots=True)
        simple("attrs_slots", lambda: slotted([1]))

    _attrs()


def _pydantic() -> None:
    import pydantic  # noqa: PLC0415  (where it is installed)
    import pydantic.dataclasses  # noqa: PLC0415  (where it is installed)

    class Customer(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(extra="allow")
        name: str
        login: pydantic.SecretStr = pydantic.SecretStr("hunter2")
        inner: Customer | None = None

        @property
        def costly(self) -> str:
            ran("pydantic property")

        @pydantic.model_serializer
        def dump(self) -> dict[str, object]:
            ran("pydantic serializer")

    Customer.model_rebuild(_types_namespace={"Customer": Customer})
    simple("pydantic_model", lambda: Customer(name="a", more="b", inner=Customer(name="c")))
    simple("pydantic_unmade", Customer.model_construct)
    simple("pydantic_secret", lambda: [pydantic.SecretStr("hunter2"), pydantic.SecretBytes(b"hunter2")])
    simple("pydantic_root", lambda: pydantic.RootModel[list[int]]([1]))
    simple("pydantic_class", lambda: Customer)
    simple("pydantic_dataclass", lambda: pydantic.dataclasses.dataclass(Order)("1", []))


_pydantic()

if sys.version_info < (3, 14):

    def _pydantic_v1() -> None:
        from pydantic import v1  # noqa: PLC0415  (where it is installed)

        class Old(v1.BaseModel):
            name: str = "a"
            pin: str = v1.Field("hunter2", repr=False)
            login: v1.SecretStr = v1.SecretStr("hunter2")

        simple("pydantic_v1_model", Old)

    _pydantic_v1()
