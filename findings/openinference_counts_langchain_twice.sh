#!/usr/bin/env bash
# One call of a LangChain model is two model spans in two traces, each with all its tokens, where LangChain and OpenAI are instrumented.
#
# OpenInference's spans of LangChain are current nowhere, so the span of OpenAI's client finds no parent: it begins a trace of its own. Who
# instruments both, as one does for an agent that also asks the client itself, sees twice the calls and twice the cost, and nothing tells
# that the two are one. whyops is not involved, and is not installed here.
#
# Versions: openinference-instrumentation-langchain 0.1.80, openinference-instrumentation-openai 0.1.66, langchain-openai 1.7.4,
#           langchain-core 1.8.3, openai 2.54.0, opentelemetry-sdk 1.45.2.
# Output:   1 request of 110 tokens: 2 model spans in 2 traces, 220 tokens
# It ends with 1 if that has changed. It needs Python (3.10 to 3.14), and takes a minute.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
python="$folder/venv/bin/python"

cat > "$folder/twice.py" <<'PROGRAM'
import json
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

warnings.simplefilter("ignore")

from langchain_openai import ChatOpenAI
from openinference.instrumentation.langchain import LangChainInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

requests = []


class Model(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        requests.append(self.rfile.read(int(self.headers["content-length"])))
        choice = {"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        body = json.dumps({"id": "r", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
LangChainInstrumentor().instrument(tracer_provider=provider)
OpenAIInstrumentor().instrument(tracer_provider=provider)
server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
threading.Thread(target=server.serve_forever, daemon=True).start()
ChatOpenAI(model="m", base_url=f"http://127.0.0.1:{server.server_port}", api_key="x", max_retries=0).invoke("Hi.")
spans = [span for span in exporter.get_finished_spans() if span.attributes["openinference.span.kind"] == "LLM"]
tokens = sum(span.attributes["llm.token_count.total"] for span in spans)
traces = {span.context.trace_id for span in spans}
print(f"{len(requests)} request of 110 tokens: {len(spans)} model spans in {len(traces)} traces, {tokens} tokens")
PROGRAM

"$python" -m pip install --quiet openinference-instrumentation-langchain==0.1.80 openinference-instrumentation-openai==0.1.66 \
    langchain-openai==1.7.4 langchain-core==1.8.3 openai==2.54.0 opentelemetry-sdk==1.45.2
seen=$("$python" "$folder/twice.py")
echo "$seen"
[ "$seen" = "1 request of 110 tokens: 2 model spans in 2 traces, 220 tokens" ]
