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
    installed = {_normal(fields["Name"] or ""): fields["Version"] for fields in described}
    python = ".".join(map(str, sys.version_info[:3]))
    told = [
        f"whyops {installed.get('whyops', '?')}",
        f"Python {python}",
        *(f"{name} {installed[name]}" for name in SHOWN if name in installed),
    ]
    yield Finding("good", "versions", ", ".join(told))
    yield from _others(installed)
    if any(map(environment.text, USUAL_URLS)):
        remedy = "LangChain's ChatOpenAI then omits token counts from streamed answers: pass stream_usage=True."
        yield Finding("note", "streaming", f"{next(filter(environment.text, USUAL_URLS))} is set", remedy)


def _others(installed: dict[str, str]) -> Iterator[Finding]:
    active = sorted({name for variable, name in TRACERS.items() if environment.text(variable)})
    beside = sorted(name for name in installed if OTHERS.fullmatch(name))
    if active or beside:
        told = [*(f"{name} is turned on in the environment" for name in active), *(f"{name} is installed" for name in beside)]
        remedy = "They may also record these calls; whyops does not conflict with them."
        yield Finding("note", "others", ", ".join(told), remedy)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
