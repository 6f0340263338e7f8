"""What writes JSON and matches expressions: pydantic-core's compiled part, without what its package loads beside it.

The package's own module loads a table of the types of schemas, which nobody needs who validates nothing. It takes longer than all the rest
of a first call's imports together. The part that is loaded here is kept here alone: to whoever imports pydantic-core later, all is as if it
had not been.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .._runtime.forks import forks_wait

_PACKAGE = "pydantic_core"
_PART = "pydantic_core._pydantic_core"
_LOADS_TWICE = (2, 20)
"""Since this release its compiled part may be loaded more than once; the other time is when somebody imports the package."""

_MUCH = 1 << 18
"""Bytes of JSON for which it pays to load the quicker parser."""

_loaded: Any = None
_read_bytes = 0


def core() -> Any:
    """Return what has `to_json` and `SchemaValidator`: the package, where it is loaded already, else the part of it that is compiled.

    Raises:
        ImportError: pydantic-core is not installed, or does not fit this Python.
    """
    global _loaded  # noqa: PLW0603  (loaded once; by two threads at once, if need be: a lock would outlive a fork)
    if _loaded is None:
        _loaded = _package() if _PACKAGE in sys.modules else _part() or _package()
    return _loaded


def json_reader(size: int = 0) -> Callable[[bytes], Any]:
    """Return what reads JSON: pydantic-core's parser, which takes a third of the time, where it is loaded and has one; else Python's own.

    `size` bytes are to be read with it: once that many are as make up for it, pydantic-core's compiled part is loaded. What is returned
    raises ValueError for what it can't read, and Python's RecursionError for what is too deep.
    """
    global _loaded, _read_bytes  # noqa: PLW0603  (as above)
    before, _read_bytes = _read_bytes, _read_bytes + size
    if before < _MUCH <= _read_bytes and _loaded is None and _PACKAGE not in sys.modules:
        with forks_wait():
            _loaded = _part()
    reader: Callable[[bytes], Any] = getattr(_loaded or sys.modules.get(_PACKAGE), "from_json", json.loads)
    return reader


def _package() -> Any:
    import pydantic_core  # noqa: PLC0415  (`import whyops` does not pay for it)

    return pydantic_core


def _part() -> Any:
    """Return the compiled part; None where it is not found in a folder of packages, or is too old."""
    try:
        from importlib.machinery import PathFinder  # noqa: PLC0415  (as above)

        package: Any = PathFinder.find_spec(_PACKAGE)
        (folder,) = package.submodule_search_locations
        if _release(Path(folder).parent) < _LOADS_TWICE:
            return None
        found: Any = PathFinder.find_spec(_PART, [folder])
        part = found.loader.create_module(found)
        found.loader.exec_module(part)
        return part if hasattr(part, "to_json") and hasattr(part, "SchemaValidator") else None
    except Exception:  # noqa: BLE001  (the boundary "a quicker import": the usual one says what is wrong)
        return None


def _release(packages: Path) -> tuple[int, ...]:
    """Return which release is installed in a folder, by the name of what pip notes of it; of several, the oldest."""
    begin, end = f"{_PACKAGE}-", ".dist-info"
    names = os.listdir(packages)  # noqa: PTH208  (an environment has hundreds of them, and to make a `Path` of each takes its time)
    found = [name[len(begin) : -len(end)] for name in names if name.startswith(begin) and name.endswith(end)]
    return min((tuple(map(int, each.split(".")[:2])) for each in found), default=())
