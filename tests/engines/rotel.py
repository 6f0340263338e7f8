"""rotel: the small collector that stands before an engine. It hands on what comes, as it came, with its own tries again."""

from __future__ import annotations

from pathlib import Path

from .process import Process, free_port


def rotel(environment: Path, folder: Path, engine: str | None) -> Process:
    """Return a collector in front of an engine at this address; without one it throws away what it takes.

    It waits long for an answer: an engine may take several seconds.
    """
    port = free_port()
    (program,) = environment.glob("lib/python3*/site-packages/rotel/rotel-agent")
    settings = {
        "ROTEL_OTLP_HTTP_ENDPOINT": f"127.0.0.1:{port}",
        "ROTEL_OTLP_GRPC_ENDPOINT": f"127.0.0.1:{free_port()}",
        "ROTEL_EXPORTER": "otlp" if engine else "blackhole",
        "ROTEL_OTLP_EXPORTER_ENDPOINT": engine or "http://127.0.0.1:1",
        "ROTEL_OTLP_EXPORTER_PROTOCOL": "http",
        "ROTEL_OTLP_EXPORTER_CUSTOM_HEADERS": "x-mlflow-experiment-id=0",
        "ROTEL_OTLP_EXPORTER_REQUEST_TIMEOUT": "30s",
        "ROTEL_OTLP_EXPORTER_RETRY_INITIAL_BACKOFF": "500ms",
        "ROTEL_OTLP_EXPORTER_RETRY_MAX_BACKOFF": "1s",
    }
    return Process(folder, port, [str(program), "start"], settings)
