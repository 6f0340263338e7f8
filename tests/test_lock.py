"""The locked releases are those that pyproject.toml asks for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[1]


def test_each_requirement_is_locked_as_it_asks() -> None:
    """Of the package, of its extras and of each group but the one that has an environment of its own; nothing says where it comes from."""
    tomllib: Any = pytest.importorskip("tomllib")
    requirements: Any = pytest.importorskip("packaging.requirements")
    text = (PROJECT / ".ci" / "locked.txt").read_text("utf-8")
    locked = [requirements.Requirement(line) for line in text.splitlines() if not line.startswith("#")]
    pins: dict[str, list[str]] = {}
    for pin in locked:
        assert re.fullmatch(r"==[\w.!+]+", str(pin.specifier)), pin
        pins.setdefault(pin.name, []).append(str(pin.specifier)[2:])
    said = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    groups = [each for name, group in said["dependency-groups"].items() if name != "llama_index" for each in group]
    extras = [each for extra in said["project"]["optional-dependencies"].values() for each in extra]
    asked = [requirements.Requirement(each) for each in (*said["project"]["dependencies"], *extras, *groups) if isinstance(each, str)]
    assert len(asked) > 40
    of_3_10 = {each.name for each in asked if each.marker and not each.marker.evaluate({"python_version": "3.11"})}
    for each in asked:
        name = re.sub(r"[-_.]+", "-", each.name).lower()
        releases = pins.get(name, [])
        assert releases or each.name in of_3_10, f"{each}: python -m nox -s lock"
        assert all(each.specifier.contains(release, prereleases=True) for release in releases), f"{each}: python -m nox -s lock"
