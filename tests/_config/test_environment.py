"""What the environment says."""

from __future__ import annotations

import os

import pytest

from whyops._config.environment import terminal_size


@pytest.mark.parametrize(
    "columns, lines, own, expected",
    [
        ("100", "30", (61, 17), (100, 30)),
        ("100", "", (61, 17), (100, 17)),
        ("0", "-3", (61, 17), (61, 17)),
        ("wide", "", (61, 17), (61, 17)),
        ("", "30", (0, 0), (80, 30)),
        ("", "", None, (80, 24)),
    ],
)
def test_the_size_of_the_terminal(
    columns: str, lines: str, own: tuple[int, int] | None, expected: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """COLUMNS and LINES say it, else the terminal; without one it is 80 by 24."""

    def size(_: int) -> tuple[int, int]:
        if own is None:
            raise OSError
        return own

    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("LINES", lines)
    monkeypatch.setattr(os, "get_terminal_size", size)
    assert terminal_size() == expected
