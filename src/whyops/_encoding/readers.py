"""Objects of types that are not built in → plainer values, without importing the libraries they come from and without running their code.

A reader looks at the content of the object: fields, elements, digits. What has nothing to show, or what reading would use up or
disturb (iterators, streams, files, awaitables, locks, connections), becomes a marker with its type. Where a reader does not return a
plainer value as it is, it returns its beginning, a marker or its attributes, as one of the classes below.
"""

# Annotations are not kept as text here: for the fields of a tuple `typing` would compile them.

import collections
import datetime as dt
import enum
import gc
import sys
import types
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, NamedTuple

from .._runtime.safely import Failed, safely
from .class_fields import (
    HIDDEN,
    Hidden,
    PerType,
    class_value,
    declared_fields,
    defines,
    fields,
    mro,
    name_of,
    namespace,
    package_of,
    short_name,
)
from .injected import is_injected_class
from .redaction.regex import Pattern

MAX_EXACT = 2**53 - 1
"""The greatest whole number that every reader of JSON keeps exactly; greater ones are written as text."""

NODE_COST = 16
"""Bytes of the budget that a value costs in addition to its text, so that a million empty lists are bounded too."""

MARGIN = 4_096
"""Characters beyond a cut that redaction still looks at: a secret that begins before the cut is recognized by what follows."""


class Marker(str):
    """A short text that stands for a value."""

    __slots__ = ()


class Items(NamedTuple):
    """The first elements of something that has `size` of them."""

    items: Sequence[object]
    size: int


class Entries(NamedTuple):
    """The first entries of a dict that has `size` of them."""

    items: Sequence[tuple[object, object]]
    size: int


class CutText(NamedTuple):
    """The beginning of a text of `size` bytes."""

    text: str
    size: int


class Attributes(NamedTuple):
    """The public attributes of an object whose class declares no fields: shown one level deep."""

    kind: type
    fields: dict[str, object]


def marker(kind: type, note: str = "") -> Marker:
    """Return the marker of a value of this type."""
    return Marker(f"<{name_of(kind)}{note}>")


Reader = Callable[[Any, int], object]
"""Takes an object and how many elements there is room for; returns something plainer."""


_RESOURCE = frozenset(
    {"__next__", "__anext__", "__await__", "__aiter__", "__enter__", "__aenter__", "__get__", "read", "write", "close", "recv", "send"}
    | {"acquire", "cursor", "execute", "connect"}
)
"""What a class defines whose instances are in use: iterators, streams, files, awaitables, locks, connections."""
_SECRET_TYPE = Pattern(r"Secret|Password|Credential|PrivateKey|ApiKey|APIKey|AccessToken")


def read(value: object, room: int) -> object:
    """Return a value of plainer types that shows what `value` holds; its elements may be anything."""
    return _reader(type(value))(value, room)


def _find_reader(kind: type) -> Reader:
    if is_injected_class(kind):
        return _marker
    known = (_READERS.get(id(each)) or _NAMED_READERS.get((package_of(each), short_name(each))) for each in mro(kind))
    reader = next(filter(None, known), None)
    if reader is not None:
        return reader
    declared = declared_fields(kind)
    if declared is not None:
        return declared.read
    if _SECRET_TYPE.search(short_name(kind)):
        return _hidden
    return _marker if defines(kind, _RESOURCE) or package_of(kind) in sys.stdlib_module_names else _attributes


_reader = PerType(_find_reader)


def _attributes(value: object, _room: int) -> object:
    return Attributes(type(value), {name: each for name, each in fields(value).items() if not name.startswith("_")})


def _field(name: str) -> Reader:
    """Return the reader of a type that holds what it shows in one field."""
    return lambda value, _room: fields(value).get(name, marker(type(value)))


def _whole_number(value: int, _room: int) -> object:
    number = int.__int__(value)
    if number.bit_length() > 6_600:
        return Marker(f"<int of {number.bit_length()} bits>")
    return Marker(int.__repr__(number)) if abs(number) > MAX_EXACT else number


def _float(value: float, _room: int) -> object:
    number = float.__float__(value)
    return number if number - number == 0 else Marker({"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[float.__repr__(number)])


def _array_of_numbers(value: object, room: int) -> object:
    array = sys.modules["array"].array
    return Items(array.tolist(array.__getitem__(value, slice(0, room))), array.__len__(value))


def _library_text(value: object, _room: int) -> object:
    """Return what the library's own class writes, whatever a subclass of it does."""
    own = (namespace(each) for each in mro(type(value)) if package_of(each) in _TEXT_LIBRARIES)
    return next(each["__str__"] for each in own if "__str__" in each)(value)


_TEXT_LIBRARIES = frozenset({"decimal", "fractions", "httpx", "ipaddress", "pathlib", "pydantic", "pydantic_core", "uuid", "yarl"})


def _bytes(value: Any, room: int) -> object:
    kind: Any = next(kind for kind in (bytes, bytearray, memoryview) if issubclass(type(value), kind))
    if kind is memoryview and (value.ndim != 1 or value.itemsize != 1):
        return Marker(f"<memoryview of {value.nbytes} bytes>")
    return _binary(bytes(kind.__getitem__(value, slice(0, room * NODE_COST + 4 * MARGIN))), kind.__len__(value))


def _binary(head: bytes, size: int) -> object:
    """Return bytes as the text they are, else a marker with their number and the first few."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        text = head[: error.start].decode("utf-8") if len(head) < size and error.start > len(head) - 4 else "\0"
    if "\0" in text:
        return Marker(f"<{size} bytes: {head[:16].hex()}{'…' if size > 16 else ''}>")
    return text if len(head) == size else CutText(text, size)


def _elements(kind: Any) -> Reader:
    """Return the reader of a built-in type with elements; sets of texts or of whole numbers are sorted."""

    def read_elements(value: Any, room: int) -> object:
        items = list(islice(kind.__iter__(value), room))
        if kind in (set, frozenset) and (all(type(item) is str for item in items) or all(type(item) is int for item in items)):
            items.sort()
        return Items(items, kind.__len__(value))

    return read_elements


def _tuple(value: tuple[object, ...], room: int) -> object:
    names = class_value(type(value), "_fields")
    items, size = tuple.__getitem__(value, slice(0, room)), tuple.__len__(value)
    if type(names) is tuple and len(names) == size and all(type(name) is str for name in names):
        return Entries(list(zip(names, items, strict=False)), size)
    return Items(items, size)


def _dict(value: dict[object, object], room: int) -> object:
    return Entries(list(islice(dict.items(value), room)), dict.__len__(value))


def _range(value: range, _room: int) -> object:
    return Marker(repr(value) if max(abs(value.start), abs(value.stop), abs(value.step)) < MAX_EXACT else "<range>")


def _moment(kind: Any, parts: str, zones: frozenset[str]) -> Reader:
    """Return the reader of a date with a time, or of a time. A zone of another make than `zones` may run anything, and is left out."""

    def read_moment(value: Any, _room: int) -> object:
        zone = kind.tzinfo.__get__(value)
        if zone is not None and package_of(type(zone)) not in zones:
            value = kind(*[getattr(kind, part).__get__(value) for part in parts.split()])
        return Marker(kind.isoformat(value))

    return read_moment


def _exception(value: BaseException, _room: int) -> object:
    return {"type": short_name(type(value)), "args": list(BaseException.args.__get__(value))}  # type: ignore[attr-defined]


def _wrapped(value: object, _room: int) -> object:
    """Return the mapping behind a read-only view."""
    behind = gc.get_referents(value)
    return behind[0] if len(behind) == 1 else marker(type(value))


def _function(value: Any, _room: int) -> object:
    return Marker(f"<{short_name(type(value))} {value.__qualname__[:120]}>")


def _marker(value: object, _room: int) -> object:
    return marker(type(value))


def _hidden(_value: object, _room: int) -> object:
    return HIDDEN


def _itself(value: object, _room: int) -> object:
    return value


def _array(value: Any, room: int) -> object:
    """Show a numpy array as nested lists."""
    numpy = sys.modules["numpy"]
    plain = numpy.ndarray.view(value, numpy.ndarray)
    if plain.ndim == 0:
        return plain.item()
    head = plain[:room]
    if plain.dtype.kind in "mM" and plain.ndim == 1:  # numbers of nanoseconds, if asked for a list
        return Items(head.astype(str).tolist(), len(plain))
    return Items(head.tolist() if plain.ndim == 1 else list(head), len(plain))


def _numpy_scalar(value: Any, _room: int) -> object:
    item = value.item()
    # a long double stays one, and dates with nanoseconds become numbers
    is_text = type(item) is type(value) or short_name(type(value)) in {"datetime64", "timedelta64"}
    return Marker(str(value)) if is_text else item


def _frame(value: Any, room: int) -> object:
    """Show a pandas table as a list of its rows; the index is left out."""
    height, width = value.shape
    shown = value.iloc[: max(1, room // max(1, width)), :room]
    columns = shown.columns.tolist()
    return Items([Entries(list(zip(columns, row, strict=True)), width) for row in shown.itertuples(index=False, name=None)], height)


def _series(value: Any, room: int) -> object:
    head = value.head(room)
    return Entries(list(head.to_dict().items()), len(value)) if head.index.is_unique else Items(head.tolist(), len(value))


def _workflow_event(value: Any, room: int) -> object:
    """Show an event of a workflow: its declared fields, and those that it was given besides, which it holds privately."""
    kind = type(value)
    declared, private = declared_fields(kind), class_value(kind, "__pydantic_private__")
    held: Any = private.__get__(value) if type(private) is types.MemberDescriptorType else None
    held = held if type(held) is dict else {}
    given = held.get("_data")
    result = {} if held.get("_result") is None else {"result": held["_result"]}
    return {**(declared.read(value, room) if declared else {}), **result, **(given if type(given) is dict else {})}


def _template(value: Any, room: int) -> object:
    """Show a template as the text that it makes; of the older kind, `string.Template`, the text that it is made of."""
    held = fields(value).get("template")
    if held is not None or not hasattr(value, "interpolations"):
        return held if type(held) is str else marker(type(value))
    limit = room * NODE_COST + MARGIN
    pieces = [each if type(each) is str else _interpolated(each, room) for each in value]
    if sum(map(len, pieces)) <= limit:
        return "".join(pieces)
    return CutText("".join(piece[:limit] for piece in pieces)[:limit], sum(len(piece.encode(errors="replace")) for piece in pieces))


def _interpolated(value: Any, room: int) -> str:
    """Return what stands in a template's place: formatted as the template says, if its value is built in through and through."""
    held = value.value
    if not _is_built_in(held):
        shown = read(held, room)
        return shown if type(shown) is str or type(shown) is Marker else marker(type(held))
    convert = {"r": repr, "a": ascii}.get(value.conversion, lambda each: each)
    spec = "" if _WIDE.search(value.format_spec) else value.format_spec
    text = safely(lambda each: format(convert(each), spec), held)
    return str(held) if isinstance(text, Failed) else text


def _is_built_in(value: object) -> bool:
    """Tell whether a value is of built-in types alone, with all that it holds, and not of more than some hundred parts."""
    parts: list[Any] = [value]
    for each in parts:  # grows meanwhile
        kind = type(each)
        if kind is dict or kind is list or kind is tuple or kind is set:
            if len(each) + len(parts) > 500:
                return False
            parts += [*each, *each.values()] if kind is dict else each
        elif not any(kind is known for known in (str, int, float, bool, complex, type(None), dt.date)):
            return False
    return True


_WIDE = Pattern(r"\d{4}")
"""Room for a text of some thousand characters or more, which nobody asked us to make."""


_WITH_ELEMENTS: tuple[type, ...] = (list, set, frozenset, collections.deque, type({}.keys()), type({}.values()), type({}.items()))

_BUILT_IN: dict[type, Reader] = {
    enum.Enum: _field("_value_"),
    str: lambda value, _room: str.__str__(value),
    int: _whole_number,
    float: _float,
    complex: lambda value, _room: Marker(complex.__repr__(value)),
    bytes: _bytes,
    bytearray: _bytes,
    memoryview: _bytes,
    dict: _dict,
    tuple: _tuple,
    **{kind: _elements(kind) for kind in _WITH_ELEMENTS},
    types.MappingProxyType: _wrapped,
    range: _range,
    collections.UserDict: _field("data"),
    collections.UserList: _field("data"),
    collections.UserString: _field("data"),
    dt.datetime: _moment(
        dt.datetime,
        "year month day hour minute second microsecond",
        frozenset({"datetime", "zoneinfo", "_zoneinfo", "pytz", "dateutil", "pendulum"}),
    ),
    dt.date: lambda value, _room: Marker(dt.date.isoformat(value)),
    dt.time: _moment(dt.time, "hour minute second microsecond", frozenset()),
    dt.timedelta: lambda value, _room: Marker(dt.timedelta.__str__(value)),
    BaseException: _exception,
    types.SimpleNamespace: lambda value, _room: fields(value),
    types.FunctionType: _function,
    types.BuiltinFunctionType: _function,
    types.MethodType: _marker,
    Entries: _itself,  # as a reader makes them within what it returns
    Hidden: _itself,
    type: lambda value, _room: Marker(f"<class {name_of(value)}>"),
    types.ModuleType: _marker,
}

_READERS = {id(kind): reader for kind, reader in _BUILT_IN.items()}

_NAMED_READERS: dict[tuple[str, str], Reader] = {
    ("array", "array"): _array_of_numbers,
    ("decimal", "Decimal"): _library_text,
    ("fractions", "Fraction"): _library_text,
    ("string", "Template"): _template,
    ("string", "Interpolation"): _interpolated,
    ("pathlib", "PurePath"): _library_text,
    ("uuid", "UUID"): _library_text,
    ("pydantic", "SecretStr"): _hidden,
    ("pydantic", "SecretBytes"): _hidden,
    ("pydantic", "Secret"): _hidden,
    ("pydantic", "_SecretBase"): _hidden,
    ("pydantic", "_SecretField"): _hidden,
    ("httpx", "URL"): _library_text,
    ("yarl", "URL"): _library_text,
    ("ipaddress", "_IPAddressBase"): _library_text,
    ("pydantic", "_BaseUrl"): _library_text,
    ("pydantic", "_BaseMultiHostUrl"): _library_text,
    ("pydantic_core", "Url"): _library_text,
    ("pydantic_core", "MultiHostUrl"): _library_text,
    ("numpy", "ndarray"): _array,
    ("numpy", "generic"): _numpy_scalar,
    ("pandas", "DataFrame"): _frame,
    ("pandas", "Series"): _series,
    ("pandas", "Index"): lambda value, room: Items(value[:room].tolist(), len(value)),
    ("pandas", "NaTType"): lambda _value, _room: None,
    ("pandas", "NAType"): lambda _value, _room: None,
    ("workflows", "DictLikeModel"): _workflow_event,
}
