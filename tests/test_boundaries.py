"""Where everything is caught: at the boundaries that CONTRIBUTING lists, and each place names its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PACKAGE = PROJECT / "src" / "whyops"


def catches_everything(node: ast.AST) -> bool:
    """Tell whether this handler takes any exception and may keep it: its last line raises nothing."""
    if not isinstance(node, ast.ExceptHandler):
        return False
    kinds = {kind.id for kind in ast.walk(node.type) if isinstance(kind, ast.Name)} if node.type else {"BaseException"}
    return bool(kinds & {"Exception", "BaseException"}) and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)


def in_the_source() -> Iterator[tuple[str, str]]:
    """Yield file and boundary of each place; the boundary is empty where it names none."""
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)):
            if catches_everything(node):
                named = re.search(r'the boundary "(.+?)"', text.splitlines()[node.lineno - 1])
                yield path.relative_to(PACKAGE).as_posix(), named[1] if named else ""


def listed() -> Iterator[tuple[str, str]]:
    """Yield file and boundary as the table says."""
    text = (PROJECT / "CONTRIBUTING.md").read_text("utf-8")
    table = text[text.index("| boundary |") :].partition("\n- ")[0]
    for boundary, files in re.findall(r"^ *\| ([\w' ]+) \| [^|]+ \| (`[^|]+`) \|$", table, re.MULTILINE):
        for file in re.findall(r"`(.+?)`", files):
            yield file, boundary


def test_everything_is_caught_at_the_boundaries_only() -> None:
    """The source and CONTRIBUTING name the same places."""
    assert set(in_the_source()) == set(listed())
    assert len(set(listed())) >= 10
