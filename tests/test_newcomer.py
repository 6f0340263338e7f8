"""What README says leads from a clone to a trace of one's own agent, in an empty home and a new environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.snippets import PAGES, PROJECT, of_language

pytestmark = [pytest.mark.newcomer, pytest.mark.timeout(900)]

INSTALL = of_language("bash")["README.md:0"].text
DEMO = of_language("bash")["README.md:1"].text.splitlines()[0]
OWN_AGENT = of_language("python")["getting_started.md:0"].text


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a clone, an empty home, and the agent's own folder."""
    if not (PROJECT / ".git").exists():
        pytest.skip("This is no clone.")
    folder = tmp_path_factory.mktemp("newcomer")
    subprocess.run(["git", "clone", "-q", str(PROJECT), str(folder / "whyops")], check=True)
    for name in ("home", "agent"):
        (folder / name).mkdir()
    (folder / "agent" / "agent.py").write_text(OWN_AGENT, "utf-8")
    return folder


def done(world: Path, *lines: str) -> str:
    """Run lines in one shell, in the clone, with nothing of this environment but what leads to the index; return what they print."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "HTTP", "NO_PROXY"))}
    path = f"{Path(sys.base_prefix, 'bin')}{os.pathsep}{os.defpath}"
    environment = {**kept, "HOME": str(world / "home"), "PATH": path, "LANG": "C.UTF-8"}
    shell = ["bash", "-e", "-c", "\n".join(lines)]
    ended = subprocess.run(shell, cwd=world / "whyops", env=environment, capture_output=True, text=True, encoding="utf-8", check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_install_is_told_alike() -> None:
    """README and the page tell the same lines."""
    assert of_language("bash")["getting_started.md:0"].text == INSTALL
    assert DEMO.startswith(of_language("bash")["getting_started.md:1"].text.strip())
    assert "whyops show last" in PAGES["getting_started.md"]


def test_ones_own_agent_is_shown(world: Path) -> None:
    """The lines of README, the framework that the agent has anyway, the page's agent in a folder of its own, and `whyops show last`."""
    shown = done(world, INSTALL, "python -m pip install langgraph", "cd ../agent", "python agent.py", "whyops show last")
    assert "Where is order 123?" in shown
    assert "It has shipped." in shown


def test_the_demo_is_shown(world: Path) -> None:
    """With nothing but Python: it installs nox, and shows the run that is on top of README."""
    shown = done(world, "python -m venv .venv-nox", ". .venv-nox/bin/activate", DEMO)
    assert "refund" in shown
    assert "only what was delivered can" in shown
