"""Who imports whom: modules, and what they name for types alone, make no circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"


def module_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in (SOURCE / "whyops").rglob("*.py")}


def imported_by(module: str) -> Iterator[str]:
    """Yield the modules of the package that one imports anywhere in its text: at its top, in functions, and for type checkers."""
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(MODULES[module].read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            around = package.split(".")
            origin = ".".join([*around[: len(around) + 1 - node.level], *filter(None, [node.module])])
            yield from (name if (name := f"{origin}.{alias.name}") in MODULES else origin for alias in node.names)


def test_no_circle() -> None:
    """No module is imported by one that it imports itself, by whatever way around."""
    graph = {module: set(imported_by(module)) - {module} for module in MODULES}
    assert sum(map(len, graph.values())) > 500
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = error.args[1]
    else:
        circle = []
    assert circle == []
