#!/usr/bin/env bash
# A stream of OpenAI's that is not read to its end stays OpenTelemetry's current span, and is never ended.
#
# OpenTelemetry's instrumentation attaches the span of a streamed call to the caller's context until the stream is over. A reader that
# stops earlier (`break` at a stop word, a client that went away) leaves it there, also once the stream is deleted: whatever the thread does
# next, for other users too, is a child of that span and in its trace. The span itself is not exported. Closing the stream
# (`with client.chat.completions.create(…) as stream:`) helps. OpenInference's instrumentation attaches nothing, and ends the span when the
# stream is deleted. whyops is not involved, and is not installed here.
#
# Versions: opentelemetry-instrumentation-openai-v2 2.4b0, opentelemetry-util-genai 1.1b0, opentelemetry-sdk 1.45.2, openai 2.54.0;
#           openinference-instrumentation-openai 0.1.66.
# Output:   opentelemetry: the next request is in the trace of the stream; spans of the model exported: 0
#           opentelemetry, closed: the next request is in a trace of its own; spans of the model exported: 1
#           openinference: the next request is in a trace of its own; spans of the model exported: 1
# It ends with 1 if that has changed. It needs Python (3.10 to 3.14), and takes a minute.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
python="$folder/venv/bin/python"

cat > "$folder/stream.py" <<'PROGRAM'
import importlib
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from openai import OpenAI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


class Model(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for text in "abc":
            choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
            chunk = {"id": "r", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")


instrumentation, closes = sys.argv[1], sys.argv[2] == "closed"
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
importlib.import_module(instrumentation).OpenAIInstrumentor().instrument(tracer_provider=provider)
server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = OpenAI(base_url=f"http://127.0.0.1:{server.server_port}", api_key="x")
stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], stream=True)
next(iter(stream))
if closes:
    stream.close()
del stream
with provider.get_tracer("server").start_as_current_span("the next request") as span:
    where = "a trace of its own" if span.parent is None else "the trace of the stream"
made = [span for span in exporter.get_finished_spans() if span.name != "the next request"]
print(f"the next request is in {where}; spans of the model exported: {len(made)}")
PROGRAM

"$python" -m pip install --quiet opentelemetry-instrumentation-openai-v2==2.4b0 opentelemetry-util-genai==1.1b0 opentelemetry-sdk==1.45.2 \
    openai==2.54.0 openinference-instrumentation-openai==0.1.66
fault=0
check() {
    seen=$("$python" "$folder/stream.py" "$2" "$3")
    echo "$1: $seen"
    [ "$seen" = "$4" ] || fault=1
}
check "opentelemetry" opentelemetry.instrumentation.openai_v2 left \
    "the next request is in the trace of the stream; spans of the model exported: 0"
check "opentelemetry, closed" opentelemetry.instrumentation.openai_v2 closed \
    "the next request is in a trace of its own; spans of the model exported: 1"
check "openinference" openinference.instrumentation.openai left \
    "the next request is in a trace of its own; spans of the model exported: 1"
exit "$fault"
