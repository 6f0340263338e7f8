"""`whyops mcp`: the command. What its server answers is tested in `tests/_mcp`."""

from __future__ import annotations

import sys

import pytest

from whyops._cli._main import main


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence says how to get it."""
    monkeypatch.setitem(sys.modules, "mcp", None)
    assert main(["mcp"]) == 1
    assert capsys.readouterr().err == "whyops: `whyops mcp` needs mcp: pip install 'mcp>=1.24'\n"
