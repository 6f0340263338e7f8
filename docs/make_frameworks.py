"""Make docs/frameworks.md, the table of what is recorded for each feature of the frameworks, from the scenarios of the tests.

Run by `python docs/make_frameworks.py`. The scenarios are read and not run: no framework needs to be installed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "frameworks.md"
FRAMEWORKS = {"langchain": "LangChain and LangGraph", "llama_index": "LlamaIndex"}

HEAD = """# What is recorded of the frameworks

`whyops.integrations.langchain` and `whyops.integrations.llama_index` record each prompt so that it can be put together again from
the trace, message by message: `RecordedTrace.model_calls`. What was recorded before is told by a short id.

This page is made from the tests, by `python docs/make_frameworks.py`. Each row is a test: it runs the framework itself, with
scripted models or with a server on loopback, and compares the prompts as they are rebuilt, here and as the service gives them
back, with those that the models kept: {counts}.
A row that says `streamed` is run a second time, with answers that come in parts.
"""


class Row(NamedTuple):
    """A scenario, as the table shows it."""

    feature: str
    recorded: str
    streamed: bool
    needs: str


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")


def page() -> str:
    """Return the page's text."""
    parts, counts = [], []
    for folder, name in FRAMEWORKS.items():
        kinds = {path: rows_of(path) for path in sorted((ROOT / "tests" / "integrations" / folder / "scenarios").glob("*.py"))}
        counts.append(f"{sum(map(len, kinds.values()))} for {name}")
        parts.append(f"\n## {name}\n")
        parts += [table(title_of(path), rows) for path, rows in kinds.items() if rows]
    return HEAD.format(counts=", ".join(counts)) + "\n".join(parts)


def table(title: str, rows: list[Row]) -> str:
    """Return one kind of scenarios as a table, those of one feature together, which is named once."""
    lines = [f"### {title}\n", "| what runs | what is recorded | | needs |", "| --- | --- | --- | --- |"]
    by_feature: dict[str, list[Row]] = {}
    for row in dict.fromkeys(rows):
        by_feature.setdefault(row.feature, []).append(row)
    for feature, alike in by_feature.items():
        names = [feature, *[""] * (len(alike) - 1)]
        cells = [[name, row.recorded, "streamed" if row.streamed else "", row.needs] for name, row in zip(names, alike, strict=True)]
        lines += ["".join(["|", *(f" {cell} |" if cell else " |" for cell in row)]) for row in cells]
    return "\n".join(lines) + "\n"


def title_of(path: Path) -> str:
    """Return what a file's docstring says first, as a title."""
    said = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or path.stem
    return said.splitlines()[0].removesuffix(".")


def rows_of(path: Path) -> list[Row]:
    """Return the scenarios of a file, in order."""
    module = ast.parse(path.read_text("utf-8"))
    constants = dict(_constants(module))
    packages = sorted(_packages(module))
    calls = [call for each in module.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) for call in each.decorator_list]
    return [_row(call, constants, packages) for call in calls if isinstance(call, ast.Call) and _is_called(call, "scenario")]


def _row(call: ast.Call, constants: Mapping[str, ast.expr], packages: list[str]) -> Row:
    given = {each.arg: each.value for each in call.keywords}
    (feature,), (recorded,) = (_texts(given[name], constants) for name in ("feature", "recorded"))
    needs = [*packages, *(_texts(given["needs"], constants) if "needs" in given else [])]
    streamed = given.get("streamed")
    is_streamed = isinstance(streamed, ast.Constant) and streamed.value is True
    return Row(feature, recorded, is_streamed, ", ".join(f"`{each}`" for each in needs))


def _texts(given: ast.expr, constants: Mapping[str, ast.expr]) -> list[str]:
    """Return a text that is written out, a constant of the module's, or several of these."""
    if isinstance(given, ast.Constant) and isinstance(given.value, str):
        return [given.value]
    if isinstance(given, ast.Tuple):
        return [text for each in given.elts for text in _texts(each, constants)]
    if isinstance(given, ast.Name) and given.id in constants:
        return _texts(constants[given.id], constants)
    raise SystemExit(f"A scenario's words are written out, or a constant: line {given.lineno}, {ast.unparse(given)}")


def _constants(module: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for statement in module.body:
        if isinstance(statement, ast.Assign):
            yield from ((target.id, statement.value) for target in statement.targets if isinstance(target, ast.Name))


def _packages(module: ast.Module) -> Iterator[str]:
    """Yield the packages without which a file's scenarios are left out."""
    for call in (each for statement in module.body for each in ast.walk(statement)):
        if isinstance(call, ast.Call) and _is_called(call, "importorskip") and isinstance(call.args[0], ast.Constant):
            yield re.sub("[._]", "-", str(call.args[0].value))


def _is_called(call: ast.Call, name: str) -> bool:
    return name in {getattr(call.func, "id", None), getattr(call.func, "attr", None)}


if __name__ == "__main__":
    main()
