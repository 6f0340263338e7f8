"""Each piece of code in README and the pages under docs/ runs, in a session of nox."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interpreter import STRICT
from tests.snippets import PAGES, PROJECT, SNIPPETS, ScriptedModels, Snippet, environment_of_a_reader, of_language

PYTHON = of_language("python")
SHELL = {name: snippet for name, snippet in of_language("bash").items() if not re.search(r"pip install|nox -s", snippet.text)}
"""What installs something is run by `nox -s newcomer`; a session of nox is run by CI, or is for hours in which nothing else runs."""

NOT_RUN = {"": "what is printed, or a picture", "json": "settings of another program", "text": "what is printed, or a picture"}
"""What may stand behind a fence besides `python` and `bash`, and why that does not run."""

RECEIVER = "http://localhost:4318"
ADDRESSES = re.compile(r"http://localhost:(?:4318|5000|6006)")
"""Where OpenTelemetry's receivers are in the documents. One of the tests stands there."""

SERVED: dict[str, str] = {
    "agents": "otel_frameworks(framework='openai_agents')",
    "celery": "servers",
    "fakeredis": "servers",
    "fastapi": "examples",
    "flask": "examples",
    "google.adk": "otel_frameworks(framework='google_adk')",
    "langchain_core": "examples",
    "langchain_mcp_adapters": "examples",
    "langgraph": "examples",
    "llama_index.core": "examples",
    "llama_index.tools.mcp": "mcp(release='with_llama_index')",
    "mcp": "examples",
    "openai": "examples",
    "openinference.instrumentation.openai_agents": "otel_frameworks(framework='openai_agents')",
    "openinference.instrumentation.smolagents": "otel_frameworks(framework='smolagents')",
    "opentelemetry.sdk": "examples",
    "pydantic_ai": "otel_frameworks(framework='pydantic_ai')",
    "ray": "servers",
    "rq": "servers",
    "smolagents": "otel_frameworks(framework='smolagents')",
    "starlette": "examples",
    "strands": "otel_frameworks(framework='strands')",
}
"""The session of nox in which the snippets with a package run. Where the package is not installed, they are passed over."""

OF_OURS = {
    "asgi": "starlette",
    "langchain": "langchain_core",
    "llama_index": "llama_index.core",
    "mcp": "mcp",
    "opentelemetry": "opentelemetry.sdk",
    "wsgi": None,
}
"""What each of our integrations is for."""

SHOWN = {
    "engines.md:0": ["Where is order 123?"],
    "getting_started.md:0": ["Where is order 123?", "It has shipped."],
    "langchain.md:0": ["Where is order 123?", "It has shipped."],
    "mcp_tools.md:1": ['where_is(order_id="123")', 'last_scan(parcel="P-7")', "Lübeck"],
    "mcp_tools.md:2": ['where_is(order_id="123")', 'last_scan(parcel="P-7")', "Lübeck"],
    "mcp_tools.md:3": ['where_is(order_id="123")', 'last_scan(parcel="P-7")', "Lübeck"],
    "opentelemetry.md:0": ['where_is(order_id="123")', "in Lübeck"],
    "opentelemetry.md:1": ["Where is order 123?", "success (no tool calls)"],
    "opentelemetry.md:2": ["Where is order 123?", "You said: Where is order 123?", "gpt-4o-mini"],
    "opentelemetry.md:3": ["Where is order 123?", "final_answer", "gpt-4o-mini"],
    "opentelemetry.md:4": ["Where is order 123?", "gpt-4o-mini", "3+7 in"],
    "opentelemetry.md:5": ["Where is order 123?", "You said: Where is order 123?", "gemini-2.5-flash"],
    "processes.md:3": ["Order 7?"],
    "processes.md:5": ["Order 7?"],
    "processes.md:6": ["double(number=7)", "14"],
    "processes.md:7": ["Order 7?"],
    "README.md:0": ["user_12345", "Where is order 123?", "search_orders", "shipped", "gpt-4o-mini"],
    "README.md:1": ["Where is order 123?", "It has shipped."],
}
"""What `whyops show last` tells after a snippet that is about a trace."""


def needed(snippet: Snippet) -> list[str]:
    """Give the names of the packages that a snippet imports, as they are known in `SERVED`."""
    imported = re.findall(r"^ *(?:from|import) ([\w.]+)", snippet.text, re.MULTILINE)
    ours = [OF_OURS[name] for name in re.findall(r"^from whyops\.integrations\.(\w+)", snippet.text, re.MULTILINE)]
    theirs = [name for name in imported if name.split(".")[0] not in {*sys.stdlib_module_names, "whyops"}]
    known = [max((name for name in SERVED if f"{each}.".startswith(f"{name}.")), key=len, default=each) for each in theirs]
    of_the_page = {other.title.removesuffix(".py") for other in PYTHON.values() if other.title}
    return sorted({each for each in (*known, *ours) if each is not None} - {"opentelemetry", *of_the_page})


def is_installed(module: str) -> bool:
    """Tell whether a module can be found; only the packages around it are loaded."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def placed(name: str, text: str, folder: Path) -> Path:
    """Write the files of the snippet's page that have a name, and the snippet itself, and return that."""
    for other in PYTHON.values():
        if other.title and other.page == name.partition(":")[0]:
            (folder / other.title).write_text(other.text, "utf-8")
    script = folder / "snippet.py"
    script.write_text(text, "utf-8")
    return script


def ran(folder: Path, *command: str, **variables: str) -> str:
    """Run a command as a reader does, in a folder, and return what it printed."""
    environment = environment_of_a_reader(folder / "home", COLUMNS="100", **variables)
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shown(folder: Path) -> str:
    """Give what `whyops show last` tells, in one line."""
    return " ".join(ran(folder, sys.executable, "-m", "whyops", "show", "last", "--full").replace("│", " ").split())


def test_each_fence_says_what_it_is() -> None:
    """So that no piece of code is passed over: it is `python`, `bash`, an example's text, or none that runs."""
    for snippet in SNIPPETS:
        language = snippet.language.split(" ")[0]
        assert language in {"python", "bash", *NOT_RUN} or snippet.text.strip().startswith('--8<-- "examples/'), snippet
        if language == "":
            assert not re.search(r"^(?:whyops|python|pip|export|[A-Z_]+=\S+) ", snippet.text, re.MULTILINE), snippet


@pytest.mark.parametrize("name", PYTHON)
def test_a_session_runs_it(name: str) -> None:
    """Each package that a snippet imports is in the environment of one session of nox."""
    packages = needed(PYTHON[name])
    assert [package for package in packages if package not in SERVED] == []
    sessions = {SERVED[package] for package in packages} - {"examples"}
    assert len(sessions) <= 1, packages


def test_the_sessions_are_there() -> None:
    """What README, CONTRIBUTING, the pages and the workflows call is a session of nox."""
    texts = [*PAGES.values(), (PROJECT / "CONTRIBUTING.md").read_text("utf-8"), (PROJECT / ".ci" / "run").read_text("utf-8")]
    texts += [path.read_text("utf-8") for path in (PROJECT / ".github" / "workflows").glob("*.yml")]
    sessions = set(re.findall(r"^@nox\.session.*?^def (\w+)", (PROJECT / "noxfile.py").read_text("utf-8"), re.MULTILINE | re.DOTALL))
    named = {word for text in texts for words in re.findall(r"nox -s ([a-z_]+(?: [a-z_]+)*)", text) for word in words.split()}
    named |= {session.partition("(")[0] for session in SERVED.values()}
    assert named - sessions == set()
    run_by_ci = (PROJECT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    assert [session for session in SERVED.values() if f"- {session}\n" not in run_by_ci] == []


@pytest.mark.examples
@pytest.mark.parametrize("name", PYTHON)
def test_it_runs(name: str, tmp_path: Path) -> None:
    """Each snippet is a whole program; one that holds a test is run by pytest. Those with a key of WhyOps send nothing here."""
    snippet = PYTHON[name]
    packages = needed(snippet)
    for package in packages:
        if not is_installed(package):
            pytest.skip(f"{package} is not installed")
    interpreter = (sys.executable,) if {SERVED[package] for package in packages} - {"examples"} else STRICT
    by_pytest = ("-m", "pytest", "-q", "-p", "no:cacheprovider") if re.search("^def test_", snippet.text, re.MULTILINE) else ()
    with ScriptedModels() as models:
        variables = {**models.environment, "RAY_AUTH_MODE": "disabled", "WHYOPS_TRUST_SECRET": "one-secret-for-all"}
        variables["WHYOPS_DISABLED"] = "1" if "api_key=" in snippet.text else ""
        if RECEIVER not in snippet.text:
            ran(tmp_path, *interpreter, *by_pytest, str(placed(name, snippet.text, tmp_path)), **variables)
        else:
            sent_to_a_receiver(tmp_path, (*interpreter, str(placed(name, snippet.text, tmp_path))), variables)
    for text in SHOWN.get(name, ()):
        assert text in shown(tmp_path)


def sent_to_a_receiver(folder: Path, command: tuple[str, ...], variables: dict[str, str]) -> None:
    """Run a command whose file, or whose text, names a receiver of spans, and see that some arrive there."""
    pytest.importorskip("opentelemetry.proto")
    from tests.server.otlp import OtlpServer  # noqa: PLC0415  (not installed everywhere)

    with OtlpServer() as receiver:
        address = receiver.url.removesuffix("/v1/traces")
        for script in folder.glob("snippet.*"):
            script.write_text(ADDRESSES.sub(address, script.read_text("utf-8")), "utf-8")
        ran(folder, *command, **variables)
        assert receiver.spans


@pytest.mark.examples
@pytest.mark.parametrize("name", SHELL)
def test_it_runs_in_a_shell(name: str, tmp_path: Path) -> None:
    """Each snippet of commands does, where the quickstart has recorded a run."""
    ran(tmp_path, *STRICT, str(PROJECT / "examples" / "quickstart.py"))
    script = tmp_path / "snippet.sh"
    script.write_text(SHELL[name].text, "utf-8")
    if ADDRESSES.search(SHELL[name].text):
        sent_to_a_receiver(tmp_path, ("bash", "-e", str(script)), {})
    else:
        ran(tmp_path, "bash", "-e", str(script))
