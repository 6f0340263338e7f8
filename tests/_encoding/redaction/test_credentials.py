"""Which of a receiver's settings are secrets."""

from __future__ import annotations

import pytest

from whyops._encoding.redaction.credentials import credentials


@pytest.mark.parametrize(
    "address, headers, expected",
    [
        (None, [], ()),
        ("http://collector:4318/v1/traces", [], ()),
        ("http://me:s%40cret@collector/v1/traces", [], ("s%40cret", "s@cret")),
        ("http://collector/v1/traces?token=abc&team=blue", [], ("abc",)),
        ("http://collector", [("Authorization", "Bearer abc"), ("x-api-key", "def")], ("Bearer abc", "def", "abc")),
        ("http://collector", [("x-mlflow-experiment-id", "1"), ("project", "orders"), ("x-note", "a note with 3 words in it")], ()),
        ("http://collector", [("x-honeycomb-team", "hcaik01abcdefghijkl")], ("hcaik01abcdefghijkl",)),
    ],
)
def test_what_is_secret(address: str | None, headers: list[tuple[str, str]], expected: tuple[str, ...]) -> None:
    """Passwords and what a name or a look tells to be a key; a project's name is none: it would be missing in what is recorded."""
    assert credentials(address, headers) == expected
