"""Parameters and their annotations, also those that can't be resolved, yet or ever."""

from __future__ import annotations

import functools
import inspect
import sys
import textwrap
from typing import Any

import pytest

from whyops import describe_tools
from whyops._recording import arguments
from whyops._recording.parameters import annotations_of, parameters_of
from whyops._recording.tool import tool

LAZY = pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations are evaluated when they are asked for since 3.14")


def module(text: str, **names: Any) -> dict[str, Any]:
    """Run a module's text as it would be imported: without this file's own `from __future__ import annotations`."""
    exec(compile(textwrap.dedent(text), "<module>", "exec", dont_inherit=True), names)
    return names


@LAZY
def test_an_annotation_that_names_nothing_yet_is_no_obstacle():
    """A function, a method that names its own class, and a class below: decorated, called and described as the bare ones can be."""
    names = module(
        """
        @tool
        def find(order: Order, limit: int) -> Answer: return order

        class Node:
            @tool
            def join(self, other: Node, later: list[Later]) -> Node: return other
        """,
        tool=tool,
    )
    assert names["find"]("x", 1) == "x"
    assert names["Node"]().join(5, []) == 5
    (described,) = describe_tools(names["find"])
    assert described["inputSchema"] == (
        '{"type": "object", "properties": {"order": {}, "limit": {"type": "integer"}}, "required": ["order", "limit"]}'
    )
    assert describe_tools(names["Node"].join)[0]["name"] == "join"


@LAZY
def test_annotations_stay_lazy():
    """The decorator evaluates none, and what it returns evaluates them when they are asked for: by then the names may be there."""
    names = module(
        """
        asked = []
        def noted(): asked.append("asked"); return int

        @tool
        def find(order: Order, limit: noted()): return order
        """,
        tool=tool,
    )
    assert names["asked"] == []
    with pytest.raises(NameError):
        getattr(names["find"], "__annotations__")  # noqa: B009  (asking for it is what raises)
    names["Order"] = dict
    assert names["find"].__annotations__ == {"order": dict, "limit": int}
    assert str(inspect.signature(names["find"])) == "(order: dict, limit: int)"


@LAZY
def test_a_rule_sees_an_annotation_that_came_later_and_the_text_of_one_that_did_not(monkeypatch):
    """What a framework injects is found by types that are there by the first call, and by how others are written."""
    seen: dict[str, Any] = {}

    def looks(parameter: inspect.Parameter) -> bool:
        seen[parameter.name] = parameter.annotation
        return False

    monkeypatch.setattr(arguments, "hidden_parameters", [looks])
    names = module("def find(order: Order, store: dict[str, Store], late: Late, plain): ...")
    one = arguments.Arguments(names["find"], None)
    names["Late"] = float
    one.by_name((1, 2, 3, 4), {})
    assert seen["order"] == "Order"
    assert seen["late"] is float
    assert seen["plain"] is inspect.Parameter.empty


def test_annotations_as_text_mean_what_they_name():
    """Text is looked up in the globals of the code that runs in the end; what names nothing stays text."""
    names = module("def find(order: 'Order', other: 'Unknown') -> 'Order': ...", Order=dict)
    assert annotations_of(names["find"]) == {"order": dict, "other": "Unknown", "return": dict}
    assert annotations_of(functools.partial(names["find"], 1)) == {"other": "Unknown", "return": dict}


class Unreadable:
    @property
    def __signature__(self):
        raise ZeroDivisionError

    def __call__(self):
        return 1


@pytest.mark.parametrize("function", [dict, print, 5, Unreadable()])
def test_what_does_not_tell_its_parameters_takes_any(function):
    """A built-in without a signature, and one whose signature can't be read, are no obstacle either."""
    assert {parameter.kind for parameter in parameters_of(function)} & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY}
    assert isinstance(annotations_of(function), dict)
