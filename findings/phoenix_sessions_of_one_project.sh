#!/usr/bin/env bash
# Phoenix lists a session in one project alone, the one that named it first, although spans of two projects name it.
#
# Two projects each get a trace with the same `session.id`. Each has its own span, but the second one's list of sessions is empty: its trace
# is in the session of the first. So where two agents, with a project each, share a conversation, or two have one of the same name by chance,
# one of them has no session. No error is told.
# whyops is not involved, and is not installed here.
#
# Version: arize-phoenix 20.26.1.
# Output:  spans: 1 and 1; traces in the session: 2 and 0
# It ends with 1 if that has changed. It needs Python (3.10 to 3.14) on Linux or macOS, and takes some minutes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
python="$folder/venv/bin/python"
"$python" -m pip install --quiet --disable-pip-version-check arize-phoenix==20.26.1 opentelemetry-proto

cat > "$folder/ask.py" <<'PROGRAM'
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def named(**values):
    return [{"key": name.replace("__", "."), "value": {"stringValue": value}} for name, value in values.items()]


def request(project, number):
    span = {"traceId": f"{number:032x}", "spanId": f"{number:016x}", "name": "a", "kind": 1, "attributes": named(session__id="chat-1")}
    span |= {"startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000001000000000"}
    resource = {"attributes": named(openinference__project__name=project)}
    sent = ExportTraceServiceRequest()
    ids = {name: bytes.fromhex(span.pop(name)) for name in ("traceId", "spanId")}
    ParseDict({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}, sent)
    made = sent.resource_spans[0].scope_spans[0].spans[0]
    made.trace_id, made.span_id = ids["traceId"], ids["spanId"]
    return sent.SerializeToString()


def ask(path, body=None):
    headers = {"Content-Type": "application/x-protobuf"}
    with urllib.request.urlopen(urllib.request.Request(url + path, body, headers), timeout=30) as answer:
        return answer.read()


def listed(path):
    try:
        return json.loads(ask(path))["data"]
    except urllib.error.HTTPError:
        return []


def until(there):
    end = time.monotonic() + 180
    while time.monotonic() < end:
        try:
            if there():
                return
        except OSError:
            pass
        time.sleep(0.5)
    raise SystemExit("it did not come")


port = free_port()
url = f"http://127.0.0.1:{port}"
environment = {
    **os.environ,
    "PHOENIX_HOST": "127.0.0.1",
    "PHOENIX_PORT": str(port),
    "PHOENIX_GRPC_PORT": str(free_port()),
    "PHOENIX_WORKING_DIR": sys.argv[1],
    "PHOENIX_TELEMETRY_ENABLED": "false",
}
program = os.path.join(os.path.dirname(sys.executable), "phoenix")
phoenix = subprocess.Popen([program, "serve"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    until(lambda: ask("/healthz") is not None)
    for number, project in enumerate(("one", "two"), start=1):
        ask("/v1/traces", request(project, number))
        until(lambda project=project: listed(f"/v1/projects/{project}/spans"))
    time.sleep(2)
    spans = [len(listed(f"/v1/projects/{project}/spans")) for project in ("one", "two")]
    traces = [sum(len(session["traces"]) for session in listed(f"/v1/projects/{project}/sessions")) for project in ("one", "two")]
finally:
    phoenix.kill()
print(f"spans: {spans[0]} and {spans[1]}; traces in the session: {traces[0]} and {traces[1]}")
PROGRAM

mkdir "$folder/data"
seen=$("$python" "$folder/ask.py" "$folder/data")
echo "$seen"
[ "$seen" = "spans: 1 and 1; traces in the session: 2 and 0" ]
