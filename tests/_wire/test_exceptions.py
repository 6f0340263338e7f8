"""An exception's description, and the mark that it was recorded."""

from __future__ import annotations

import pickle
import sys

import pytest

from whyops._wire.exceptions import describe, is_marked, keep_text_back, let_translate, mark, message_of, status_of, summary_of


class ShopClosedError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def raised(error: BaseException) -> BaseException:
    try:
        raise error  # noqa: TRY301  (it gets its traceback here)
    except BaseException as caught:  # noqa: BLE001  (any)
        return caught


def test_description_has_message_type_and_stack():
    """The message is the text alone, the type its full name, the stack what Python would print."""
    content = describe(raised(LookupError("order 123 is unknown")))
    assert content["message"] == "order 123 is unknown"
    assert content["type"] == "LookupError"
    assert "in raised" in content["stack"]
    assert content["stack"].endswith("LookupError: order 123 is unknown\n")


def test_an_exception_without_a_text_is_described():
    """A failing `__str__` costs the text and nothing else."""
    error = ShopClosedError()
    assert describe(error)["type"].endswith("ShopClosedError")
    assert "failed" in message_of(error)
    assert summary_of(ValueError("no")) == "ValueError: no"
    assert summary_of(ValueError()) == "ValueError"


def test_arguments_that_are_objects_are_named_by_their_type():
    """A `__repr__` may block or fail; an exception that holds the object is described without running it."""

    class Order:
        def __repr__(self) -> str:
            raise AssertionError("not to be run")

    for error in (ValueError("no", Order()), KeyError(Order())):
        content = describe(raised(error))
        assert content["message"].endswith("test_exceptions.test_arguments_that_are_objects_are_named_by_their_type.Order>")
    assert message_of(KeyError("a")) == "'a'"
    assert message_of(OSError(2, "No such file")) == "[Errno 2] No such file"


def test_the_stack_tells_what_led_to_the_exception():
    """Causes and contexts come first, as Python prints them; notes are there; a loop among them ends."""

    def chain():
        try:
            raise KeyError("a")  # noqa: TRY301  (a chain is what is looked at)
        except KeyError as error:
            raise LookupError("b") from error

    with pytest.raises(LookupError) as caught:
        chain()
    error = caught.value
    error.__dict__["__notes__"] = ["a note"]
    stack = describe(error)["stack"]
    assert stack.index("KeyError: 'a'") < stack.index("direct cause") < stack.index("LookupError: b") < stack.index("a note")
    error.__cause__.__context__ = error
    assert describe(error)["stack"]
    with pytest.raises(ValueError, match="late") as caught:  # noqa: PT012  (the same)
        try:
            chain()
        except LookupError:
            raise ValueError("late")  # noqa: B904  (that is the case)
    assert "During handling" in describe(caught.value)["stack"]
    assert describe(ValueError())["stack"] == "ValueError\n"


def test_the_mark_belongs_to_one_trace():
    """An exception recorded in one trace is new to another."""
    error = ValueError("x")
    mark(error, "t1")
    assert is_marked(error, "t1")
    assert not is_marked(error, "t2")
    assert pickle.loads(pickle.dumps(error)).args == ("x",)


def test_what_a_package_makes_of_a_recorded_failure_is_recorded_with_it() -> None:
    """Where whoever recorded it allows that, and only what the package itself raises from it: a user's own error is another."""
    cause, ours, users = ValueError("gone"), KeyError("lost"), LookupError("mine")
    type_of_package = type("PackageError", (Exception,), {"__module__": "package.errors"})
    translated = type_of_package("lost")
    for error in (ours, users, translated):
        error.__cause__ = cause
    mark(cause, "t1")
    assert not is_marked(translated, "t1")
    let_translate(cause, "package")
    assert is_marked(translated, "t1")
    assert not is_marked(translated, "t2")
    assert not is_marked(users, "t1")
    assert not is_marked(ours, "t1")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups are new in 3.11")
def test_a_group_of_recorded_exceptions_counts_as_recorded():
    """A group says nothing new if each exception in it was recorded; one unrecorded member makes it new."""
    first, second = ValueError("a"), ValueError("b")
    group = ExceptionGroup("both", [first, ExceptionGroup("inner", [second])])  # noqa: F821  (a built-in since 3.11)
    mark(first, "t")
    assert not is_marked(group, "t")
    mark(second, "t")
    assert is_marked(group, "t")


def test_without_text_type_and_place_stay():
    """Of an exception, what led to it and its notes, no text and no line of source is left: files, lines, functions and types are."""

    def chain():
        try:
            raise KeyError("quince")  # noqa: TRY301  (a chain is what is looked at)
        except KeyError as error:
            error.__dict__["__notes__"] = ["quince"]
            raise LookupError("quince") from error

    with pytest.raises(LookupError) as caught:
        chain()
    content = describe(caught.value, tells_text=False)
    assert "quince" not in str(content)
    assert content["message"] == "[not captured]"
    assert content["type"] == "LookupError"
    assert f'File "{__file__}", line ' in content["stack"]
    assert content["stack"].count(", in chain\n") == 2
    assert "raise " not in content["stack"]
    assert content["stack"].index("KeyError: [not captured]") < content["stack"].index("LookupError: [not captured]")
    assert summary_of(caught.value, tells_text=False) == "LookupError: [not captured]"


def test_a_text_that_is_kept_back_stays_so_on_its_way():
    """Wherever the exception goes, and whatever is raised because of it, its text and that of what led to it are not told."""

    def inner():
        try:
            raise KeyError("quince")  # noqa: TRY301  (so)
        except KeyError as error:
            raise LookupError("quince") from error

    def outer():
        try:
            inner()
        except LookupError as error:
            keep_text_back(error)
            raise ValueError("told") from error

    with pytest.raises(ValueError, match="told") as caught:
        outer()
    content = describe(caught.value)
    assert content["message"] == "told"
    assert "quince" not in str(content)
    assert content["stack"].endswith("ValueError: told\n")
    assert message_of(caught.value.__cause__) == "[not captured]"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups are new in 3.11")
def test_a_group_keeps_back_the_texts_of_all_in_it():
    """Also where they are taken out of it."""
    first = ValueError("quince")
    group = ExceptionGroup("quince", [first, ExceptionGroup("quince", [KeyError("quince")])])  # noqa: F821  (a built-in since 3.11)
    assert "quince" not in str(describe(group, tells_text=False))
    keep_text_back(group)
    assert "quince" not in str(describe(raised(group)))
    assert message_of(first) == "[not captured]"


class Answered(Exception):
    """An exception of an HTTP client's, which holds what is told of the answer."""

    def __init__(self, **told: object) -> None:
        self.__dict__.update(told)


class Odd(Exception):
    @property
    def status_code(self) -> int:
        raise RuntimeError("no status")


@pytest.mark.parametrize(
    "error, status",
    [
        (Answered(status_code=429), 429),
        (Answered(http_status=503), 503),
        (Answered(response=Answered(status_code=404)), 404),
        (Answered(status_code=None, response=Answered(status_code=404)), 404),
        (Answered(status_code="429"), None),
        (Answered(status_code=True), None),
        (Answered(status_code=7), None),
        (Odd(), None),
        (ValueError(), None),
        (KeyboardInterrupt(), None),
        ("text", None),
    ],
)
def test_the_status_that_an_exception_knows(error, status):
    """It is the number that an HTTP client's or a provider's exception names, itself or by the response that it holds."""
    assert status_of(error) == status
