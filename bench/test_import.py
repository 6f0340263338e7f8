"""What `import whyops` costs a program that may never record anything."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture


def start(code: str) -> None:
    """Run `code` in a Python of its own."""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_python_alone(benchmark: BenchmarkFixture) -> None:
    """The start of the interpreter, to be taken off the figure below."""
    benchmark.pedantic(start, args=("",), rounds=15, warmup_rounds=2)


def test_import_whyops(benchmark: BenchmarkFixture) -> None:
    """The start of the interpreter, and the import."""
    benchmark.pedantic(start, args=("import whyops",), rounds=15, warmup_rounds=2)
