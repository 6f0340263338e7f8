"""What README and CONTRIBUTING say is true of the code beside them."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
from pathlib import Path
from typing import get_args

import pytest

import whyops
from tests.acceptance.test_golden_wire import GOLDEN
from tests.interpreter import STRICT
from whyops._cli._main import main
from whyops.types import EventType

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text("utf-8")
CONTRIBUTING = (PROJECT / "CONTRIBUTING.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def run(home: Path, *arguments: str, **variables: str) -> str:
    """Run Python as a reader does, and return what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WHYOPS_")}
    environment |= {"WHYOPS_HOME": str(home), "PYTHONUTF8": "1", **variables}
    done = subprocess.run([*STRICT, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.examples
@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_the_code_in_the_readme_runs(number: int, tmp_path: Path) -> None:
    """Each block of Python runs by itself. The ones with a key send nothing here."""
    for framework in re.findall(
        r"^from (?:whyops\.integrations\.)?(langchain_core|llama_index|openai|starlette)\b", BLOCKS[number], re.MULTILINE
    ):
        pytest.importorskip(framework)
    script = tmp_path / "block.py"
    script.write_text(BLOCKS[number], "utf-8")
    run(tmp_path / "home", str(script), WHYOPS_DISABLED="1" if "api_key=" in BLOCKS[number] else "")


def test_the_first_code_in_the_readme_gives_a_readable_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The ten lines record what the README says, and `whyops show` tells it."""
    run(tmp_path / "home", "-c", BLOCKS[0])
    assert main(["--home", str(tmp_path / "home"), "show", "session-123"]) == 0
    shown = capsys.readouterr().out
    for text in ("user_12345", "Where is order 123?", "search_orders", "shipped", "gpt-4o-mini"):
        assert text in shown


def test_a_model_behind_the_proxy_is_named_with_its_provider() -> None:
    """In the README, in examples and in docstrings: a bare name is refused once an account has two providers."""
    texts = (*BLOCKS, *re.findall(r"`ChatOpenAI\(.*?\)`", README))
    proxied = [text for text in texts if ("sdk.openai(" in text and "WHYOPS_API_KEY" in text) or "proxy_kwargs" in text]
    proxied += [path.read_text("utf-8") for path in (PROJECT / "examples").glob("*_proxy.py")]
    proxied += [(PROJECT / "src/whyops/integrations/langchain/_proxied.py").read_text("utf-8")]
    named = [re.findall(r'\bmodel="([^"]*)"', text) for text in proxied]
    assert len(named) == 5
    assert all(names and all(re.fullmatch(r"\w+/[\w.-]+", name) for name in names) for names in named)


def test_a_trace_completes_to_what_the_readme_lists() -> None:
    """The nine pairs of the table, and the few others that the sentence below it names: nothing of our own shows in a completion."""
    pairs = re.findall(r"^\| `(\w+)_sync\(", README, re.MULTILINE)
    others = re.findall(r"`(\w+)(?:\(\))?`", re.findall(r"A trace also has (.*?), which", README)[0])
    assert len(pairs) == 9
    trace = whyops.trace("t")
    assert {name for name in dir(trace) if not name.startswith("_")} == {*pairs, *(f"{name}_sync" for name in pairs), *others}
    assert [name for name in vars(trace) if not name.startswith("_")] == []


def test_the_map_names_every_room() -> None:
    """CONTRIBUTING names what lies at the top of the package, and no file that is not there."""
    package = PROJECT / "src" / "whyops"
    rooms = {f"{path.name}/" if path.is_dir() else path.name for path in package.iterdir()} - {"__pycache__/", "py.typed"}
    assert set(re.findall(r"^\| `([\w/.]+)` \|", CONTRIBUTING, re.MULTILINE)) >= rooms
    named = re.findall(r"`([\w/]+\.py)`", CONTRIBUTING)
    assert [name for name in named if not (package / name).exists() and not (PROJECT / name).exists()] == []


def test_the_page_of_events_names_what_is_sent() -> None:
    """Every member of the golden events, and no type that is none."""
    page = (PROJECT / "docs" / "events.md").read_text("utf-8")
    named = set(re.findall(r"`(?:\w+\.)?(\w+)`|\"(\w+)\"", page))
    words = {word for pair in named for word in pair}
    assert set(re.findall(r"^\| `(\w+)` \| .* \| ", page, re.MULTILINE)) >= set(get_args(EventType))
    for case, (_, _, event) in GOLDEN.items():
        content, metadata = event["content"], event.get("metadata", {})
        members = {*event, *(content if isinstance(content, dict) else content[0]), *metadata, *metadata.get("usage", {})}
        members |= {name for calls in (content.get("toolCalls", ()) if isinstance(content, dict) else ()) for name in calls}
        assert members - words == set(), case


def test_the_table_of_frameworks_is_the_tests() -> None:
    """What the page says is recorded is what the scenarios say, in the words of each."""
    namespace = runpy.run_path(str(PROJECT / "docs" / "make_frameworks.py"))
    assert (PROJECT / "docs" / "frameworks.md").read_text("utf-8") == namespace["page"](), "python docs/make_frameworks.py"
