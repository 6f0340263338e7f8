"""Compiles the files that run at each call, with mypyc, while a wheel is built, if `WHYOPS_COMPILE=1` asks for it.

A recorded call then costs a fifth less, and does the same. Nobody who does not ask needs a compiler, or fetches one.

It also makes the README fit for a package's page on an index, which has no files beside it: what links to one is left as its text.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

COMPILED = (
    "_encoding/encoder",
    "_encoding/fast_copy",
    "_recording/arguments",
    "_recording/trace_writer",
    "_recording/ids",
    "_recording/recorder",
    "_recording/tool_call",
    "_wire/line",
    "_wire/timestamps",
)


class ReadmeHook(MetadataHookInterface):
    """Called by hatchling for the project's metadata."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the text of the package's page."""
        text = Path(self.root, "README.md").read_text("utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": page_of(text)}


def page_of(readme: str) -> str:
    """Return the README without links to files of the repository: each is left as its text, with the file's name where that is a page."""
    named = re.sub(r"\[More\]\((?!https?:|#)([^)]+)\)", r"More: `\1`", readme)
    return re.sub(r"\[([^]]+)\]\((?!https?:|#)[^)]+\)", r"\1", named)


class CompileHook(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling for each wheel; an editable install is left to what its files say."""

    _folder: tempfile.TemporaryDirectory[str] | None = None

    def dependencies(self) -> list[str]:
        """Return what a wheel is compiled with."""
        return ["mypy[mypyc]==2.4.1"] if is_asked_for() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and have the results put beside their sources.

        Raises:
            RuntimeError: Compiling was asked for and can't be done here.
        """
        if version == "editable" or not is_asked_for():
            return
        if (problem := obstacle()) is not None:
            raise RuntimeError(f"WHYOPS_COMPILE=1 can't be met: {problem}. Without that variable whyops is installed as it is.")
        self._folder = tempfile.TemporaryDirectory()
        built = compiled(Path(self._folder.name))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["force_include"].update(built)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove what was compiled, once it is in the wheel."""
        if self._folder is not None:
            self._folder.cleanup()


def is_asked_for() -> bool:
    """Tell whether the wheel is to be compiled."""
    return os.environ.get("WHYOPS_COMPILE") == "1"


def obstacle() -> str | None:
    """Return what keeps this Python from compiling, as far as that can be seen."""
    if platform.python_implementation() != "CPython":
        return "this Python is not CPython"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):  # compiled code counts on what the interpreter's lock protects
        return "this Python is free-threaded"
    compiler = str(sysconfig.get_config_var("CC") or "").split() or ["cl"]
    return None if shutil.which(compiler[0]) else f"there is no C compiler ({compiler[0]})"


def compiled(folder: Path) -> dict[str, str]:
    """Compile into a folder. Return where each result lies, and where in the wheel it belongs."""
    from mypyc.build import mypycify  # noqa: PLC0415  (installed only where it is asked for)
    from setuptools import Distribution  # noqa: PLC0415

    options = ["--config-file=", "--ignore-missing-imports", f"--cache-dir={folder / 'cache'}"]
    files = [f"src/whyops/{name}.py" for name in COMPILED]
    extensions = mypycify([*options, *files], debug_level="0", group_name="whyops", target_dir=str(folder / "c"))
    command = Distribution({"name": "whyops", "ext_modules": extensions}).get_command_obj("build_ext")
    command.build_lib = str(folder / "lib")
    command.build_temp = str(folder / "temp")
    command.ensure_finalized()
    command.run()
    return {str(path): path.relative_to(folder / "lib").as_posix() for path in (folder / "lib").rglob("*") if path.is_file()}
