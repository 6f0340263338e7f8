"""What users may import is named in one place, completely and in order."""

from __future__ import annotations

import inspect
import subprocess
import sys
import types
from pathlib import Path

import pytest

import whyops


def test_all_is_complete_and_sorted() -> None:
    """Each public name of the package is in `__all__`, once and in order, and nothing else is."""
    public = {
        name
        for name, value in vars(whyops).items()
        if not name.startswith("_") and name not in {"annotations", "TYPE_CHECKING"} and not isinstance(value, types.ModuleType)
    }
    listed = [name for name in whyops.__all__ if not name.startswith("__")]
    assert listed == sorted(set(listed))
    assert public <= set(listed)
    assert all(hasattr(whyops, name) for name in listed)


def test_dir_tells_all_public_names() -> None:
    """Also those that are imported when they are first used: a completion in a shell shows what there is."""
    code = "import whyops; print(set(whyops.__all__) <= set(dir(whyops)), dir(whyops) == sorted(dir(whyops)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == ["True", "True"]


def test_configure_takes_what_a_client_takes() -> None:
    """Its signature tells so to whoever asks, and type checkers hold a caller to it (`typing_check.py`)."""
    assert inspect.signature(whyops.configure).parameters == inspect.signature(whyops.WhyOps).parameters
    with pytest.raises(TypeError, match="api_kye"):
        whyops.configure(api_kye="x")  # type: ignore[call-arg]  # that is the mistake


def test_the_published_names_are_still_there() -> None:
    """Callers of the published client import these names from the package, and go on doing so."""
    published = """
        AgentInfo AgentMetadata AgentTool ErrorContent EventOptions EventType LLMResponseContent LLMThinkingContent MessageItem
        TokenUsage ToolCallItem ToolCallPair UserMessageMetadata WhyOps WhyOpsTrace
    """
    assert set(published.split()) <= set(whyops.__all__)


def test_importing_costs_and_touches_nothing(tmp_path: Path) -> None:
    """`import whyops` loads no client, framework or database, starts no thread and writes no file."""
    code = """
import sys, threading
import whyops
heavy = {"httpx", "httpcore", "sqlite3", "openai", "anthropic", "langchain_core", "llama_index", "pydantic.main"}
print(sorted(heavy & set(sys.modules)), threading.active_count())
"""
    environment = {
        "HOME": str(tmp_path),
        "WHYOPS_HOME": f"{tmp_path}/home",
        "WHYOPS_API_KEY": "whyops_test",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "1"]
    assert list(tmp_path.iterdir()) == []
