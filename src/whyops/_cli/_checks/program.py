"""Checks of what is installed, what is turned off, and what else records the same calls."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import metadata

from ..._config import environment
from ..._render.terminal.doctor_table import Finding

SHOWN = ("httpx", "pydantic", "openai", "anthropic", "langchain-core", "langgraph", "llama-index-core")
OTHERS = re.compile(
    r"openinference-instrumentation-.+|opentelemetry-instrumentation-(?:openai|anthropic|langchain|llamaindex|llama-index)"
    r"|traceloop-sdk|langfuse|agentops|opik|weave|logfire|ddtrace"
)
TRACERS = {
    "LANGSMITH_TRACING": "LangSmith",
    "LANGCHAIN_TRACING_V2": "LangSmith",
    "LANGFUSE_PUBLIC_KEY": "Langfuse",
    "AGENTOPS_API_KEY": "AgentOps",
}
USUAL_URLS = ("OPENAI_BASE_URL", "OPENAI_API_BASE")


def check_program() -> Iterator[Finding]:
    """Check the environment, and which packages are installed."""
    if environment.is_disabled():
        yield Finding("bad", "switch", "WHYOPS_DISABLED is set: nothing is recorded", "Remove it from the environment.")
    described = (distribution.metadata for distribution in metadata.distributions())  # each look parses it anew
    installed = {re.sub(r"[-_.]+", "-", fields["Name"] or "").lower(): fields["Version"] for fields in described}
    versions = [
        f"whyops {installed.get('whyops', '?')}",
        f"Python {'.'.join(map(str, sys.version_info[:3]))}",
        *(f"{name} {installed[name]}" for name in SHOWN if name in installed),
    ]
    yield Finding("good", "versions", ", ".join(versions))
    yield from _others(installed)
    yield from check_pairs(installed)
    if url := next(filter(environment.text, USUAL_URLS), None):
        yield Finding(
            "note",
            "streaming",
            f"{url} is set",
            "LangChain's ChatOpenAI then omits token counts from streamed answers: pass stream_usage=True.",
        )


def check_pairs(installed: dict[str, str]) -> Iterator[Finding]:
    """Check the packages that are installed for those that don't go together. `installed` has versions by name, as pip writes names."""
    pydantic, llama_index = (_release(installed.get(name)) for name in ("pydantic", "llama-index-core"))
    if pydantic >= (2, 14) and (0,) < llama_index <= (0, 14, 25):
        pair = f"llama-index-core {installed['llama-index-core']} with pydantic {installed['pydantic']}"
        told = f"{pair}: agents forget their memory between runs"
        yield Finding("note", "packages", told, "It is so without whyops, too: pip install 'pydantic<2.14', or a newer llama-index-core.")


def _release(version: str | None) -> tuple[int, ...]:
    """Return a version's numbers, up to the first part that is none; of one that is not there no number."""
    return tuple(int(number) for number in re.split(r"[^0-9.]", version or "")[0].split(".") if number)


def _others(installed: dict[str, str]) -> Iterator[Finding]:
    active = sorted({f"{name} is turned on in the environment" for variable, name in TRACERS.items() if environment.text(variable)})
    beside = sorted(f"{name} is installed" for name in installed if OTHERS.fullmatch(name))
    if active or beside:
        remedy = "They may also record these calls; whyops does not conflict with them."
        yield Finding("note", "others", ", ".join([*active, *beside]), remedy)
