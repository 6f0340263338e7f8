#!/usr/bin/env bash
# Traceloop's instrumentation of LangChain can't be undone: after `uninstrument()` each run is traced as before, prompts included.
#
# It wraps "BaseCallbackManager.__init__" in the module langchain_core.callbacks, and asks OpenTelemetry to unwrap that name there. A text
# names a module and a class for `unwrap`, so the attribute is looked for in the wrong place, and not finding it is no error. A service that
# turns tracing off, and a test that instruments for itself alone, go on sending what was asked and answered. whyops is not involved, and is
# not installed here.
#
# Versions: opentelemetry-instrumentation-langchain 0.62.4, opentelemetry-instrumentation 0.66b2, opentelemetry-sdk 1.45.2,
#           langchain-core 1.8.3.
# Output:   instrumented: 1 span; uninstrumented: 1 span more, with the prompt
# It ends with 1 if that has changed. It needs Python (3.10 to 3.14), and takes a minute.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
python="$folder/venv/bin/python"

cat > "$folder/undone.py" <<'PROGRAM'
import warnings

warnings.simplefilter("ignore")

from langchain_core.language_models import FakeListChatModel
from opentelemetry.instrumentation.langchain import LangchainInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))


def spans(question):
    exporter.clear()
    FakeListChatModel(responses=["Hello."]).invoke(question)
    return exporter.get_finished_spans()


instrumentor = LangchainInstrumentor()
instrumentor.instrument(tracer_provider=provider)
before = spans("Hi.")
instrumentor.uninstrument()
after = spans("A secret.")
told = ", with the prompt" if any("A secret." in str(dict(span.attributes)) for span in after) else ""
print(f"instrumented: {len(before)} span; uninstrumented: {len(after)} span more{told}")
PROGRAM

"$python" -m pip install --quiet opentelemetry-instrumentation-langchain==0.62.4 opentelemetry-instrumentation==0.66b2 \
    opentelemetry-sdk==1.45.2 langchain-core==1.8.3
seen=$("$python" "$folder/undone.py")
echo "$seen"
[ "$seen" = "instrumented: 1 span; uninstrumented: 1 span more, with the prompt" ]
