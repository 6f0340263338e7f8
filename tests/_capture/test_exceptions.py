"""An exception's description, and the mark that it was recorded."""

from __future__ import annotations

import pickle
import sys

import pytest

from whyops._capture.exceptions import describe, is_marked, mark, message_of, summary_of, type_of


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
    assert type_of(error).endswith("ShopClosedError")
    assert "failed" in message_of(error) or "unprintable" in message_of(error)
    assert summary_of(ValueError("no")) == "ValueError: no"
    assert summary_of(ValueError()) == "ValueError"


def test_the_mark_belongs_to_one_trace():
    """An exception recorded in one trace is new to another."""
    error = ValueError("x")
    mark(error, "t1")
    assert is_marked(error, "t1")
    assert not is_marked(error, "t2")
    assert pickle.loads(pickle.dumps(error)).args == ("x",)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups are new in 3.11")
def test_a_group_of_recorded_exceptions_counts_as_recorded():
    """A group says nothing new if each exception in it was recorded; one unrecorded member makes it new."""
    first, second = ValueError("a"), ValueError("b")
    group = ExceptionGroup("both", [first, ExceptionGroup("inner", [second])])  # noqa: F821  (a built-in since 3.11)
    mark(first, "t")
    assert not is_marked(group, "t")
    mark(second, "t")
    assert is_marked(group, "t")
