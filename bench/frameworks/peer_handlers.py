"""What other SDKs have listen, each as its documentation says; they are imported by name, as each is in an environment of its own."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from handlers import Listening

URL = "BENCH_URL"
"""The environment variable that names the service on loopback, which takes all that they send."""


def _of_llama_index(scenario: str) -> bool:
    return scenario == "function_agent"


class Langfuse(Listening):
    """Langfuse's client and its handler for LangChain; for LlamaIndex it asks for OpenInference's instrumentation."""

    def listen(self) -> None:
        """Set the client up, and hand its handler over."""
        self._client = import_module("langfuse").Langfuse(public_key="pk-lf-bench", secret_key="sk-lf-bench", base_url=os.environ[URL])  # noqa: S106  (the stub takes any)
        if _of_llama_index(self.scenario):
            import_module("openinference.instrumentation.llama_index").LlamaIndexInstrumentor().instrument()
        else:
            self.callbacks = [import_module("langfuse.langchain").CallbackHandler()]

    def deliver(self) -> None:
        """Flush the client."""
        self._client.flush()


class LangSmith(Listening):
    """LangSmith's tracer."""

    def listen(self) -> None:
        """Hand a tracer over, with a client of its own."""
        self._client: Any = import_module("langsmith").Client(api_url=os.environ[URL], api_key="lsv2_pt_bench")
        tracer = import_module("langchain_core.tracers.langchain").LangChainTracer
        self.callbacks = [tracer(client=self._client, project_name="bench")]

    def deliver(self) -> None:
        """Wait for what the tracer and the client still hold."""
        self.callbacks[0].wait_for_futures()
        self._client.flush()


class OpenInference(Listening):
    """OpenInference's instrumentation, with OpenTelemetry's batch processor and exporter."""

    def listen(self) -> None:
        """Instrument the framework."""
        sdk, export = import_module("opentelemetry.sdk.trace"), import_module("opentelemetry.sdk.trace.export")
        exporter = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter").OTLPSpanExporter
        self._provider: Any = sdk.TracerProvider()
        self._provider.add_span_processor(export.BatchSpanProcessor(exporter(endpoint=os.environ[URL] + "/v1/traces")))
        name, kind = ("llama_index", "LlamaIndexInstrumentor") if _of_llama_index(self.scenario) else ("langchain", "LangChainInstrumentor")
        getattr(import_module(f"openinference.instrumentation.{name}"), kind)().instrument(tracer_provider=self._provider)

    def deliver(self) -> None:
        """Flush the provider."""
        self._provider.force_flush(60_000)


class Opik(Listening):
    """Opik's tracer for LangChain."""

    def listen(self) -> None:
        """Hand a tracer over."""
        os.environ |= {"OPIK_URL_OVERRIDE": os.environ[URL] + "/opik/api", "OPIK_API_KEY": "bench", "OPIK_WORKSPACE": "bench"}
        self.callbacks = [import_module("opik.integrations.langchain").OpikTracer(project_name="bench")]

    def deliver(self) -> None:
        """Flush the tracer."""
        self.callbacks[0].flush()


class MLflow(Listening):
    """MLflow's autologging, which sends OpenTelemetry spans where the environment names a receiver."""

    def listen(self) -> None:
        """Switch it on for the framework."""
        os.environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = os.environ[URL] + "/v1/traces"
        os.environ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] = "http/protobuf"
        os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{self.home}.db"
        import_module("mlflow")
        import_module("mlflow.llama_index" if _of_llama_index(self.scenario) else "mlflow.langchain").autolog()

    def deliver(self) -> None:
        """Flush what exports its spans."""
        import_module("mlflow").flush_trace_async_logging()


PEERS: dict[str, type[Listening]] = {
    "langsmith": LangSmith,
    "langfuse": Langfuse,
    "openinference": OpenInference,
    "mlflow": MLflow,
    "opik": Opik,
}
"""By the name of the environment that each is in."""
