"""What writes JSON: the compiled part of pydantic-core, alone where nobody has loaded more."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pydantic_core
import pytest

from whyops._encoding import core


def run(code: str) -> list[str]:
    """Return what a fresh interpreter prints, line by line."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


loads_twice = pytest.mark.skipif(
    core._release(Path(pydantic_core.__file__).parents[1]) < core._LOADS_TWICE, reason="needs pydantic-core 2.20"
)


@loads_twice
def test_it_is_loaded_alone_and_leaves_no_trace() -> None:
    """Its package is not loaded with it, and whoever imports that later gets it whole, with the same classes."""
    code = """
import sys
from whyops._encoding.core import core
part = core()
print([name for name in sys.modules if name.startswith("pydantic")], part.to_json({"a": "é"}).decode())
import pydantic, pydantic_core, pydantic_core._pydantic_core
print(pydantic_core.SchemaValidator is part.SchemaValidator, pydantic_core._pydantic_core is not part)
print(pydantic.create_model("M", a=(int, ...))(a="3"), core() is part)
"""
    assert run(code) == ['[] {"a":"é"}', "True True", "a=3 True"]


def test_what_is_loaded_already_is_used() -> None:
    """Where a program has imported pydantic, nothing is loaded once more."""
    code = "import pydantic_core\nfrom whyops._encoding.core import core\nprint(core() is pydantic_core)"
    assert run(code) == ["True"]


@pytest.mark.parametrize(
    "noted, release",
    [(["2.50.5"], (2, 50)), (["2.19.0", "2.33.2"], (2, 19)), (["2.0.1"], (2, 0)), ([], ())],
    ids=["new", "of several", "old", "none"],
)
def test_the_release_is_known_by_what_pip_notes(tmp_path: Path, noted: list[str], release: tuple[int, ...]) -> None:
    """The oldest that is noted counts, and none counts as too old."""
    for each in noted:
        (tmp_path / f"pydantic_core-{each}.dist-info").mkdir()
    assert core._release(tmp_path) == release


def test_an_old_release_is_imported_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose compiled part can't be loaded twice is left to the usual import: whoever comes later needs it."""
    monkeypatch.setattr(core, "_LOADS_TWICE", (1_000,))
    assert core._part() is None
    monkeypatch.setattr(core, "_loaded", None)
    assert core.core().__name__ == "pydantic_core"


@loads_twice
def test_much_is_read_by_the_quicker_reader() -> None:
    """It is loaded where so much is read that this pays, and by nothing less."""
    code = """
import json
from whyops._encoding.core import _MUCH, json_reader
print(json_reader(_MUCH - 1) is json.loads, json_reader(1)(b'{"a":1}'), json_reader() is json.loads)
"""
    assert run(code) == ["True {'a': 1} False"]


def test_where_it_cannot_be_loaded_pythons_own_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much there is, and it is looked for once."""
    monkeypatch.delitem(sys.modules, "pydantic_core")
    looked: list[object] = []
    for name, value in {"_loaded": None, "_read_bytes": 0, "_part": lambda: looked.append(None)}.items():
        monkeypatch.setattr(core, name, value)
    assert [core.json_reader(core._MUCH) is json.loads for _ in range(3)] == [True] * 3
    assert len(looked) == 1
