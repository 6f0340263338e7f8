"""What README, CONTRIBUTING and the pages under docs/ say is true of the code beside them."""

from __future__ import annotations

import inspect
import re
import runpy
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest

import whyops
from tests.acceptance.test_golden_wire import GOLDEN
from tests.interpreter import STRICT
from tests.snippets import PAGES, PROJECT, environment_of_a_reader, of_language
from whyops._cli._main import _parsed, main
from whyops._cli.completion import options_of
from whyops._outbox.segment import FORMAT
from whyops._store.schema import STEPS
from whyops.types import EventType

README = (PROJECT / "README.md").read_text("utf-8")
CONTRIBUTING = (PROJECT / "CONTRIBUTING.md").read_text("utf-8")
BLOCKS = {name: snippet.text for name, snippet in of_language("python").items()}


def test_the_readme_is_short() -> None:
    """It is read in a few minutes: what is longer is a page under docs/."""
    assert len(README.splitlines()) <= 150


def test_each_link_leads_somewhere() -> None:
    """Each link of README and of a page to a file, as the forge shows them; `nox -s docs` looks at the built pages' links, too."""
    links = [
        (name, (PROJECT if name == "README.md" else PROJECT / "docs") / target)
        for name, page in PAGES.items()
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)", page)
    ]
    assert len(links) > 50
    assert [(name, target.name) for name, target in links if not target.exists()] == []


def test_the_page_of_files_names_their_versions() -> None:
    """The version of the store's form and of the outbox's, as they are written now."""
    page = PAGES["storage.md"]
    assert f"is the version of its form, now {len(STEPS)}." in page
    assert f"| `format` | {FORMAT}." in page


def test_each_example_is_on_their_page() -> None:
    """Under its name, with its text."""
    examples = sorted(path.name for path in (PROJECT / "examples").glob("*.py"))
    assert sorted(re.findall(r"^## (.*)$", PAGES["examples.md"], re.MULTILINE)) == examples
    assert sorted(re.findall(r'--8<-- "examples/(.*)"', PAGES["examples.md"])) == examples


def test_the_first_code_in_the_readme_gives_a_readable_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The ten lines record what the README says, and `whyops show` tells it."""
    environment = environment_of_a_reader(tmp_path / "home")
    subprocess.run([*STRICT, "-c", BLOCKS["README.md:0"]], env=environment, check=True)
    assert main(["--home", str(tmp_path / "home"), "show", "last"]) == 0
    shown = capsys.readouterr().out
    for text in ("user_12345", "Where is order 123?", "search_orders", "shipped", "gpt-4o-mini"):
        assert text in shown


def test_a_model_behind_the_proxy_is_named_with_its_provider() -> None:
    """In the documents, in examples and in docstrings: a bare name is refused once an account has two providers."""
    texts = (*BLOCKS.values(), *re.findall(r"`ChatOpenAI\(.*?\)`", PAGES["langchain.md"]))
    proxied = [text for text in texts if ("sdk.openai(" in text and "WHYOPS_API_KEY" in text) or "proxy_kwargs" in text]
    proxied += [path.read_text("utf-8") for path in (PROJECT / "examples").glob("*_proxy.py")]
    proxied += [(PROJECT / "src/whyops/integrations/langchain/_proxied.py").read_text("utf-8")]
    named = [re.findall(r'\bmodel="([^"]*)"', text) for text in proxied]
    assert len(named) == 5
    assert all(names and all(re.fullmatch(r"\w+/[\w.-]+", name) for name in names) for names in named)


def test_a_trace_completes_to_what_the_documents_list() -> None:
    """The nine pairs of the table, and the few others that the sentence below it names: nothing of our own shows in a completion."""
    pairs = re.findall(r"^\| `(\w+)_sync\(", PAGES["recording.md"], re.MULTILINE)
    others = re.findall(r"`(\w+)(?:\(\))?`", re.findall(r"A trace also has (.*?), which", PAGES["recording.md"])[0])
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


def test_the_page_of_commands_names_each_with_its_options() -> None:
    """Each command has a row, in which each of its options stands, unless the row says that the command takes the filters of `list`."""
    page = PAGES["commands.md"]
    rows = {row.split("`")[1].split(" ")[1]: row for row in page.splitlines() if row.startswith("| `whyops ")}
    completed = _parsed(["completion", "bash"]).commands
    options = {name: {option for option in options_of(parser) if option.startswith("--")} for name, parser in completed.items()}
    filters = {f"--{name}" for name in ("errors", "user", "tool", "agent", "node", "since", "until")}
    assert set(rows) == set(options)
    for name, row in rows.items():
        unsaid = {"--help", "--home"} | (filters if "the filters of `list`" in row else set())
        assert [option for option in sorted(options[name] - unsaid) if not re.search(rf"`[^`]*{option}\b[^`]*`", row)] == [], name
        assert set(re.findall(r"(--[a-z-]+)", row)) <= options[name], name


def test_the_page_of_settings_names_each() -> None:
    """Each argument of the client's, and each variable of the environment that is read for settings."""
    page = PAGES["settings.md"]
    arguments = set(inspect.signature(whyops.WhyOps).parameters)
    files = (PROJECT / "src" / "whyops" / "_config").glob("*.py")
    variables = {name for file in files for name in re.findall(r"\b(?:WHYOPS|OTEL)(?:_[A-Z]+)+", file.read_text("utf-8"))}
    assert len(variables) > 15
    assert [name for name in sorted(arguments | variables) if not re.search(rf"`{name}[`=]", page)] == []


def test_the_pages_name_the_oldest_releases_that_are_taken() -> None:
    """Policy and installation say of each package what pyproject.toml asks for."""
    tomllib: Any = pytest.importorskip("tomllib")
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    rows = re.findall(r"^\| ([\w, -]+) \| ([\d., ]+) \|", PAGES["policy.md"], re.MULTILINE)
    said = {name: oldest for names, releases in rows for name, oldest in zip(names.split(", "), releases.split(", "), strict=True)}
    for extra, (requirement,) in project["optional-dependencies"].items():
        name, oldest = requirement.split(">=")
        assert said[name] == oldest
        assert f"| `{extra}` | {name} {oldest} or newer |" in PAGES["getting_started.md"]
    for requirement in project["dependencies"][:2]:
        name, oldest = requirement.split(">=")
        assert said[name] == oldest


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
