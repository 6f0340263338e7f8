"""How a call's arguments get their names."""

from __future__ import annotations

import inspect

import pytest

from tests.racing import quick_switches, together
from whyops._recording import arguments
from whyops._recording.arguments import Arguments


def plain(a, b=2, *, c=3): ...


def only_positional(a, b=2, /, **more): ...


def anything(*items, **options): ...


def keyword_only(a, b=0, *, c): ...


def method(self, a, b=1): ...


@pytest.mark.parametrize(
    "function, args, kwargs, expected",
    [
        (plain, (1,), {}, {"a": 1, "b": 2, "c": 3}),
        (plain, (1, 5), {"c": 6}, {"a": 1, "b": 5, "c": 6}),
        (plain, (), {"b": 1, "a": 2}, {"a": 2, "b": 1, "c": 3}),
        (plain, (1, 2, 3), {"d": 4}, {"a": 1, "b": 2, "*": [3], "d": 4, "c": 3}),
        (only_positional, (1,), {"b": 9}, {"a": 1, "b": 2, "more": {"b": 9}}),
        (anything, (), {}, {}),
        (anything, (1, 2), {"x": 3}, {"items": [1, 2], "options": {"x": 3}}),
        (method, (object(), 7), {}, {"a": 7, "b": 1}),
        (keyword_only, (1, 2), {}, {"a": 1, "b": 2}),
        (dict, (1,), {"x": 2}, {"args": [1], "kwargs": {"x": 2}}),
    ],
)
def test_arguments_by_name(function, args, kwargs, expected):
    """Names come from the signature, defaults are filled in, a receiver is left out, and a wrong call is named as far as it goes."""
    assert Arguments(function, None).by_name(args, kwargs) == expected


def test_a_rule_that_comes_later_hides_a_parameter():
    """An integration may be loaded after the function was decorated, and its injected parameters are left out all the same."""
    one = Arguments(plain, None)
    assert "c" in one.by_name((1,), {})

    def hides_c(parameter: inspect.Parameter) -> bool:
        return parameter.name == "c"

    arguments.hidden_parameters.append(hides_c)
    try:
        assert one.by_name((1,), {}) == {"a": 1, "b": 2}
    finally:
        arguments.hidden_parameters.remove(hides_c)


def test_a_tools_first_calls_at_once_hide_what_is_injected():
    """What the rules say is never seen half decided: threads that make a tool's first calls together all leave the parameter out."""

    def hides_c(parameter: inspect.Parameter) -> bool:
        return parameter.name == "c"

    arguments.hidden_parameters.append(hides_c)
    try:
        with quick_switches():
            for _ in range(200):
                one = Arguments(plain, None)
                assert together(*[lambda one=one: one.by_name((1,), {"c": "injected"})] * 4) == [{"a": 1, "b": 2}] * 4
    finally:
        arguments.hidden_parameters.remove(hides_c)
