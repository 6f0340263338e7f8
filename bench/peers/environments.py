"""An environment of its own for each SDK, so that none meets another's dependencies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]

REQUIREMENTS: dict[str, list[str]] = {
    "ours": [str(PROJECT)],
    "uncompiled": [str(PROJECT)],
    "otel": ["opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"],
    "langfuse": ["langfuse"],
    "langsmith": ["langsmith"],
    "logfire": ["logfire"],
    "published": ["whyops==0.1.1"],
}
"""What each environment has, at the newest release; the bare function and the floor run in ours.

"ours" is compiled, "uncompiled" is what pip installs where nobody asks for that.
"""

OURS = {"ours": {"WHYOPS_COMPILE": "1"}, "uncompiled": {"WHYOPS_COMPILE": ""}}
"""What is installed anew each time, and what its build is told."""

DISTRIBUTION = {"ours": "whyops", "uncompiled": "whyops", "otel": "opentelemetry-sdk", "published": "whyops"}


WHERE = "from whyops._encoding import encoder as serialize; print(serialize.__file__)"


@dataclass(frozen=True)
class Environment:
    """An interpreter with one SDK. `problem` says why there is none, if so."""

    python: str
    version: str
    distributions: int
    problem: str = ""

    def described(self) -> dict[str, object]:
        """Return what is worth keeping of it."""
        return {"version": self.version, "distributions": self.distributions, "problem": self.problem}


def prepare(folder: Path, names: list[str]) -> dict[str, Environment]:
    """Return the environments, made where they are missing; ours is installed anew each time."""
    return {name: _prepare(folder / name, name) for name in names if name in REQUIREMENTS}


def existing(python: str, name: str) -> Environment:
    """Return an environment that is there already."""
    listed = subprocess.run([python, "-m", "pip", "list", "--format=json"], check=True, capture_output=True, text=True)
    versions = {item["name"]: item["version"] for item in json.loads(listed.stdout)}
    version = versions[DISTRIBUTION.get(name, name)]
    if name == "ours":
        where = subprocess.run([python, "-c", WHERE], check=True, capture_output=True, text=True, cwd=Path(python).parent).stdout
        version += " (not compiled)" if where.strip().endswith(".py") else " (compiled)"
    return Environment(python, version, len(versions.keys() - {"pip", "setuptools"}))


def _prepare(folder: Path, name: str) -> Environment:
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    ready = folder / "ready"
    try:
        if not ready.exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        if not ready.exists() or name in OURS:
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
            again = ["--force-reinstall", "--no-deps"] if ready.exists() else []
            subprocess.run([*pip, *again, *REQUIREMENTS[name]], check=True, timeout=400, env={**os.environ, **OURS.get(name, {})})
            ready.touch()
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError) as error:
        print(f"{name}: {error}")
        return Environment(str(python), "", 0, problem="could not be installed")
    return existing(str(python), name)
