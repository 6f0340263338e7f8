"""What a command loads: its own modules, and nothing that sends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests._cli.test_commands import store
from tests._render.recordings import Run

_RUN = """
import sys
from whyops._cli._main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print("|", *sys.modules)
"""
SENDS = {"http.client", "ssl", "socket", "importlib.metadata", "httpx", "pydantic", "logging", "concurrent.futures", "hashlib", "tempfile"}
SLOW_TO_LOAD = {"subprocess", "shutil", "signal"}
NOT_EVEN = {"dataclasses", "pathlib", "sqlite3", "json"}
"""What a command needs, and the words that run none do not."""


@pytest.mark.parametrize("words, most", [(["--version"], 8), (["--help"], 8), (["list"], 66), (["status"], 42), (["show", "last"], 86)])
def test_only_what_is_named_is_loaded(words: list[str], most: int, home: Path) -> None:
    """No other command, nothing that sends, and no more of our modules than that."""
    run = Run("one")
    run.user("Hi")
    store(home, run)
    done = subprocess.run([sys.executable, "-c", _RUN, "--home", str(home), *words], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.rpartition("|")[2].split())
    assert not loaded & (SENDS | SLOW_TO_LOAD | (NOT_EVEN if words[0].startswith("--") else set()))
    assert {name for name in loaded if name.startswith("whyops.")} >= {"whyops._cli._main"}
    commands = {name for name in loaded if name.startswith("whyops._cli.") and not name.startswith("whyops._cli._")}
    assert len(commands) == (0 if words[0].startswith("--") else 1)
    assert len([name for name in loaded if name.startswith("whyops.")]) <= most
