"""Any object → JSON the service stores."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import json
import logging
import sys
import threading
import time
import traceback
import tracemalloc
from collections.abc import Callable
from types import FrameType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests._encoding.gallery import HOSTILE_VALUES, RAN, nested
from whyops._encoding.bounded_copy import MAX_DEPTH
from whyops._encoding.encoder import Encoder
from whyops._encoding.redaction.regex import prefilter
from whyops._runtime.safely import safely


def refuse(constant: str) -> None:
    raise ValueError(constant)


def read(encoded: str) -> object:
    """Read JSON as strictly as the service does."""
    return json.loads(encoded.encode("utf-8"), parse_constant=refuse)


def depth_of(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


def depth_of_stack() -> int:
    return sum(1 for _ in traceback.walk_stack(None))


def texts_of(value: object) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(text for each in value.values() for text in texts_of(each))]
    if isinstance(value, list):
        return [text for each in value for text in texts_of(each)]
    return [value] if isinstance(value, str) else []


def check_storable(encoder: Encoder, value: object, max_bytes: int) -> object:
    encoded, cuts, redactions = encoder.encode(value)
    assert len(encoded) <= max_bytes
    assert cuts >= 0
    assert redactions >= 0
    shown = read(encoded)
    assert depth_of(shown) <= MAX_DEPTH + 2
    assert not any("\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text) for text in texts_of(shown))
    return shown


def test_the_gallery_is_large_enough() -> None:
    """The gallery holds at least 150 values, each under a name of its own."""
    assert len(HOSTILE_VALUES) >= 150
    assert len({name for name, _ in HOSTILE_VALUES}) == len(HOSTILE_VALUES)


@pytest.mark.parametrize("make", [make for _, make in HOSTILE_VALUES], ids=[name for name, _ in HOSTILE_VALUES])
def test_any_value_becomes_storable_json(make: Callable[[], object]) -> None:
    """Whatever the value, its JSON is strict, bounded, free of NUL and lone surrogates, and none of the value's own code has run."""
    for max_bytes in (256, 4_096, 262_144):
        value = make()
        RAN.clear()
        check_storable(Encoder(max_value_bytes=max_bytes), value, max_bytes)
        assert RAN == []


@pytest.mark.parametrize("make", [make for _, make in HOSTILE_VALUES], ids=[name for name, _ in HOSTILE_VALUES])
def test_a_value_never_costs_its_neighbours(make: Callable[[], object]) -> None:
    """What stands before and after any value is recorded as it is."""
    shown = check_storable(Encoder(), {"before": [1, "a"], "it": make(), "after": {"b": True}}, 262_144)
    assert isinstance(shown, dict)
    assert shown["before"] == [1, "a"]
    assert shown["after"] == {"b": True}


@pytest.mark.parametrize(
    "value",
    [
        *(
            {},
            [],
            "",
            0,
            -1,
            1.5,
            True,
            None,
            "Where is order 123?",
            {"order_id": "order-00017", "limit": 5},
            {"a": [1, {"b": [None, 2.5]}]},
        ),
        *({"max_tokens": 5, "totalTokens": 7}, {"text": "Reset my password."}, "Grüße, 漢字 🎉", {"ünï": "ö"}, 2**53 - 1, -(2**53) + 1),
        *({"time": "2026-11-03T10:15:00Z"}, {"url": "https://example.com/a?b=c"}, "the key question: who?", list(range(1000))),
    ],
)
def test_plain_values_stay_as_they_are(value: object) -> None:
    """What JSON has a form for, and hides no secret, is written unchanged and counted as neither cut nor redacted."""
    encoded = Encoder().encode(value)
    assert (read(encoded[0]), encoded[1:]) == (value, (0, 0))


@pytest.mark.parametrize(
    "value, shown",
    [
        (2**53, "9007199254740992"),
        (-(2**53), "-9007199254740992"),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        ("a\0b", "a␀b"),
        ("a\ud800", "a\ufffd"),
        ({"\0": "\0"}, {"␀": "␀"}),
        ({1: "d", "1": "b", None: "c"}, {"1": "d", "1 (2)": "b", "null": "c"}),
        ({False: "b", 1.5: "c", (1, "x"): "d"}, {"false": "b", "1.5": "c", "[1, 'x']": "d"}),
        ({float("nan"): 1}, {"NaN": 1}),
        ((1, (2, 3)), [1, [2, 3]]),
        pytest.param(10**5000, "<int of 16610 bits>", id="int of 16610 bits"),
        (iter([1]), "<list_iterator>"),
        ({"a": {1, 2}, "b": b"c"}, {"a": [1, 2], "b": "c"}),
    ],
)
def test_what_json_has_no_form_for(value: object, shown: object) -> None:
    """Numbers that readers round, NaN, NUL, surrogates and keys of other types are written as texts that tell what they were."""
    assert read(Encoder().encode(value)[0]) == shown


def test_a_dict_stays_an_object_and_a_list_an_array() -> None:
    """Arguments and metadata have to be objects: a dict is one also where it can't be read, a list is an array."""
    deep = nested(10_000, lambda inner: {"a": inner})
    for encoder in (Encoder(), Encoder(max_value_bytes=0), Encoder(redact=lambda _: "gone"), Encoder(redact=lambda _: 1 / 0)):
        for value in ({"a": "\0" * 5_000}, {}, deep, {object(): object()}):
            assert encoder.encode(value)[0][:1] == "{"
    assert Encoder().encode(["\0" * 5_000] * 500)[0][:1] == "["


@pytest.mark.parametrize("max_bytes", [256, 1_000, 10_000])
def test_a_long_text_is_cut_with_a_visible_marker(max_bytes: int) -> None:
    """A text beyond the bound keeps its beginning and says how much of it that is."""
    encoded, cuts, _ = Encoder(max_value_bytes=max_bytes).encode({"text": "abc" * 10_000, "small": 1})
    shown = read(encoded)
    assert isinstance(shown, dict)
    kept = shown["text"].index("…")
    assert shown["text"] == f"{('abc' * 10_000)[:kept]}…[cut: kept {kept} of 30000 characters]"
    assert (shown["small"], cuts) == (1, 1)


def test_long_containers_are_cut_with_a_visible_marker() -> None:
    """A list or dict beyond the bound keeps its first entries and says how many it had."""
    encoded, cuts, _ = Encoder(max_value_bytes=2_000).encode(
        {"list": list(range(1_000)), "dict": {f"k{i}": i for i in range(1_000)}, "n": 1}
    )
    shown = read(encoded)
    assert isinstance(shown, dict)
    kept = len(shown["list"]) - 1
    assert shown["list"] == [*range(kept), f"…[cut: kept {kept} of 1000 items]"]
    assert shown["dict"]["…"] == f"[cut: kept {len(shown['dict']) - 1} of 1000 entries]"
    assert (shown["n"], cuts) == (1, 2)


def test_a_hundred_megabytes_cost_what_the_bound_allows() -> None:
    """A huge text, list, dict or bytes is neither copied nor walked beyond the bound: the interpreter's work is that of a small one."""
    steps = 0

    def count(*_: object) -> None:
        nonlocal steps
        steps += 1

    encoder = Encoder(max_value_bytes=10_000)
    for value in ("x" * 100_000_000, b"x" * 100_000_000, [None] * 10_000_000, dict.fromkeys(range(1_000_000)), 1 << 100_000_000):
        steps = 0
        sys.setprofile(count)
        try:
            encoded = encoder.encode([value])[0]
        finally:
            sys.setprofile(None)
        assert len(encoded) <= 10_000
        assert steps < 100_000


@pytest.mark.parametrize(
    "where",
    [
        lambda text: text,
        lambda text: [text],
        lambda text: {"a": {"b": [text]}},
        lambda text: [text[:200_000]] * 500,
        lambda text: [b"", text],
    ],
    ids=["alone", "in a list", "deep", "often", "beside an object"],
)
def test_a_huge_text_is_not_encoded_before_it_is_cut(where: Callable[[str], object]) -> None:
    """That a value is too large is seen before it is written."""
    value = where("x" * 50_000_000)
    tracemalloc.start()
    Encoder().encode(value)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize(
    "value",
    [
        {"max_tokens": 5, "keyword": "monkey", "author": "A. Uthor"},
        {"usage": {"prompt_tokens": 12, "total_tokens": 20}, "next": "the passage", "url": "https://host/path?page=2"},
        ["\x1b[31mred\x1b[0m", "tab\tand\nline", "a\\u0041", 'say "basic"'],
        {"turnkey": [None, True, -(2**53) + 1, 1.5e300, {}, [], ""]},
    ],
    ids=["names", "words", "escapes", "types"],
)
def test_what_only_looks_like_a_secret_stays(value: object) -> None:
    """A value in which the search stops at something harmless is recorded as it is."""
    encoded, cuts, redactions = Encoder().encode(value)
    assert (read(encoded), cuts, redactions) == (value, 0, 0)


def test_no_code_of_a_type_is_run() -> None:
    """What an object holds is told apart without asking its type, whose own type may define what equality and a hash are."""
    asked = []

    class Asked(type):
        def __hash__(cls) -> int:
            asked.append("hash")
            return 1

        def __eq__(cls, other: object) -> bool:
            asked.append("equal")
            return True

    held = Asked("Held", (), {"__slots__": ()})()
    value = {"choice": enum.Enum("Choice", {"ONE": held}).ONE}
    asked.clear()
    assert read(Encoder().encode(value)[0]) == {"choice": "<tests._encoding.test_encoder.Held>"}
    assert asked == []


def test_the_original_is_not_changed() -> None:
    """Encoding leaves the value as it was, in every branch."""
    value = {"a": [1, {"b": (1, 2)}], "password": "x", "c": {"d": "token=abc"}}
    Encoder().encode(value)
    Encoder(redact=lambda shown: shown.clear()).encode(value)
    assert value == {"a": [1, {"b": (1, 2)}], "password": "x", "c": {"d": "token=abc"}}


def test_values_that_others_change_meanwhile() -> None:
    """While threads add, drop and replace entries, each encoding is whole JSON and holds no trace of what it may not hold."""
    shared: dict[str, object] = {f"k{i}": [i] for i in range(100)}
    flipped: dict[str, object] = {"a": 1.0}
    listed: list[object] = [shared]
    stop = threading.Event()

    def change(seed: int) -> None:
        i = seed
        while not stop.is_set():
            i += 7
            shared.pop(f"k{i % 100}", None)
            shared[f"k{i % 130}"] = (float("nan"), "\ud800", iter([i]), {"password": "planted-secret"}, "token=planted-secret")[i % 5]
            listed[1:] = [shared] * (i % 5)
            flipped["a"] = (1.0, float("nan"), "plain", "token=planted-secret", 2)[i % 5]

    threads = [threading.Thread(target=change, args=(seed,)) for seed in range(3)]
    old = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        until = time.monotonic() + 1
        encoder = Encoder()
        while time.monotonic() < until:
            for value in (listed, flipped):
                assert b"planted-secret" not in json.dumps(read(encoder.encode(value)[0])).encode()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(old)


def test_one_encoder_serves_many_threads() -> None:
    """Threads that share an encoder do not disturb each other."""
    encoder = Encoder()
    wrong: list[object] = []

    def work(name: str) -> None:
        for i in range(500):
            value = {f"{name}{i}": [i, name], "password": name}
            if read(encoder.encode(value)[0]) != {f"{name}{i}": [i, name], "password": "[redacted]"}:
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_keys_are_remembered_within_bounds() -> None:
    """However many different keys come along, the encoder's memory of harmless ones stays small."""
    encoder = Encoder()
    for i in range(5_000):
        encoder.encode({f"key_{i}": i})
    encoder.encode({"k" * 100 + str(i): 1 for i in range(5_000)})
    assert len(encoder._plain_keys) <= 4_096
    assert read(encoder.encode({"key_1": 1})[0]) == {"key_1": 1}


def test_an_almost_full_stack_breaks_nothing() -> None:
    """However little of the stack is left, encoding returns JSON."""
    encoder = Encoder()
    value = nested(30, lambda inner: {"a": [inner]})
    encoder.encode(value)
    seen: set[str] = set()

    def climb(left: int) -> None:
        if left:
            climb(left - 1)
        else:
            seen.update(encoder.encode(each)[0] for each in (value, [value], iter([]), "password=x"))

    for left in range(5, 400, 3):
        with contextlib.suppress(RecursionError):  # where not even the call of `encode` finds room
            climb(sys.getrecursionlimit() - depth_of_stack() - left)
    assert len(seen) > 4
    assert all(read(encoded) is not None for encoded in seen)
    assert "password=x" not in "".join(seen)


@pytest.mark.parametrize("stopping", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
def test_what_stops_a_program_passes(stopping: type[BaseException]) -> None:
    """Ctrl-C, exit and cancellation go through the boundary; a fault and a panic of pydantic-core do not."""

    def stop(_value: object) -> object:
        raise stopping

    with pytest.raises(stopping):
        safely(stop, None)
    with pytest.raises(stopping):
        Encoder(redact=stop).encode({"a": 1})

    panic = type("PanicException", (BaseException,), {})

    def fail(_value: object) -> object:
        raise panic

    assert safely(fail, None) is not None


def test_what_no_bound_makes_short_enough() -> None:
    """A class with an absurd name, within the smallest bound, is a marker of its own."""
    absurd = type("\x01" * 200, (), {})()
    assert Encoder(max_value_bytes=256).encode(absurd) == ('"[cut: too large]"', 1, 0)


# The user's redact


def test_redact_comes_last_and_gets_plain_types() -> None:
    """The user's function sees a plain copy without the usual secrets, and what it returns is recorded."""
    seen: list[object] = []

    def redact(value: object) -> object:
        seen.append(value)
        return {"mine": value}

    encoded = Encoder(redact=redact).encode({"when": (1, 2), "token": "abc", "n": {3}})
    assert seen == [{"when": [1, 2], "token": "[redacted]", "n": [3]}]
    assert (read(encoded[0]), encoded[1:]) == ({"mine": seen[0]}, (0, 1))


@pytest.mark.parametrize("value, shown", [("text", "[dropped: redact raised]"), ({"a": 1}, {"…": "[dropped: redact raised]"})])
def test_a_redact_that_raises_drops_the_value(value: object, shown: object, caplog: pytest.LogCaptureFixture) -> None:
    """A user's function that raises costs the value, not the protection; that is said once, without the value."""

    def redact(value: object) -> object:
        raise ValueError(value)

    encoder = Encoder(redact=redact)
    with caplog.at_level(logging.WARNING, "whyops"):
        assert read(encoder.encode(value)[0]) == shown
        encoder.encode(value)
    assert [record.getMessage().startswith("The redact function raised ValueError") for record in caplog.records] == [True]


def test_what_redact_returns_is_bounded_and_protected() -> None:
    """The user's function may return any object: it is encoded like any other."""
    encoder = Encoder(max_value_bytes=1_000, redact=lambda _: [float("nan"), "x" * 5_000, {"password": "hunter2"}])
    encoded, cuts, redactions = encoder.encode("a")
    assert len(encoded) <= 1_000
    assert "hunter2" not in encoded
    assert (cuts, redactions) == (1, 1)


# Any structure

TEXTS = st.text(st.characters(codec=None), max_size=40) | st.sampled_from(
    ["\0", "\ud800", "\udfff\0", '{"a": "\\ud800"}', "password=x", "…"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.complex_numbers()
    | st.datetimes()
    | st.timedeltas()
    | st.uuids()
    | st.binary(max_size=40)
    | TEXTS
)
KEYS = st.one_of(TEXTS, st.integers(), st.floats(), st.booleans(), st.none(), st.binary(max_size=5), st.tuples(st.integers(), TEXTS))
STRUCTURES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(KEYS, inner, max_size=6)
        | st.tuples(inner, inner)
        | st.frozensets(st.integers() | TEXTS, max_size=3)
        | inner.map(lambda each: iter([each]))
    ),
    max_leaves=40,
)


@given(STRUCTURES, st.sampled_from([256, 700, 5_000, 262_144]))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_structure_becomes_storable_json(value: object, max_bytes: int) -> None:
    """Whatever hypothesis builds, its JSON is strict, bounded and storable, and a dict stays an object, a list an array."""
    shown = check_storable(Encoder(max_value_bytes=max_bytes), value, max_bytes)
    if isinstance(value, dict):
        assert isinstance(shown, dict)
    if isinstance(value, (list, tuple)):
        assert isinstance(shown, list)


@pytest.mark.soak
@given(STRUCTURES, st.sampled_from([256, 700, 5_000, 262_144]))
@settings(max_examples=280_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.timeout(2_400)
def test_any_structure_for_minutes(value: object, max_bytes: int) -> None:
    """The same for as long as patience lasts."""
    check_storable(Encoder(max_value_bytes=max_bytes), value, max_bytes)


def test_one_expression_is_compiled() -> None:
    """To make an encoder compiles one expression, as that takes milliseconds; and so does a value without secrets."""
    compiled = 0

    def count(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal compiled
        compiled += event == "call" and frame.f_code is prefilter.__code__

    sys.setprofile(count)
    try:
        text, _, _ = Encoder(redact_keys=["shelf"], known=["whyops_0123456789"]).encode({"order": "17", "limit": 5})
    finally:
        sys.setprofile(None)
    assert (text, compiled) == ('{"order":"17","limit":5}', 1)
