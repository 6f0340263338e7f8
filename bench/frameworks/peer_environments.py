"""An environment of its own for each SDK that is measured in an agent, with the frameworks beside it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FRAMEWORKS = ["langchain", "langgraph", "llama-index-core"]

REQUIREMENTS: dict[str, list[str]] = {
    "langsmith": ["langsmith"],
    "langfuse": ["langfuse", "openinference-instrumentation-llama-index"],
    "openinference": [
        "openinference-instrumentation-langchain",
        "openinference-instrumentation-llama-index",
        "opentelemetry-sdk",
        "opentelemetry-exporter-otlp-proto-http",
    ],
    "mlflow": ["mlflow", "opentelemetry-exporter-otlp-proto-http"],
    "opik": ["opik"],
}
"""What each has at its newest release, beside the frameworks. Langfuse asks for OpenInference's instrumentation of LlamaIndex."""

SCENARIOS = {
    "langgraph_agent": ("langsmith", "langfuse", "openinference", "mlflow", "opik"),
    "function_agent": ("langfuse", "openinference", "mlflow"),
    "langchain_token": ("langsmith", "langfuse", "openinference", "mlflow", "opik"),
}
"""Which of them records what: three record LlamaIndex."""


def prepare(folder: Path) -> dict[str, str]:
    """Make the environments that are missing; return the interpreter of each that could be made."""
    pythons = {}
    for name, requirements in REQUIREMENTS.items():
        python, ready = folder / name / "bin" / "python", folder / name / "ready"
        try:
            if not ready.exists():
                subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder / name)], check=True)
                pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
                subprocess.run([*pip, *FRAMEWORKS, *requirements], check=True, timeout=900)
                ready.touch()
            pythons[name] = str(python)
        except (subprocess.SubprocessError, OSError) as error:
            print(f"{name} could not be installed: {error}")
    return pythons


def version(python: str, name: str) -> str:
    """Return the release that an environment has of an SDK."""
    distribution = {"openinference": "openinference-instrumentation"}.get(name, name)
    code = f"from importlib.metadata import version; print(version({distribution!r}))"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
