#!/usr/bin/env bash
# rotel drops spans that it has accepted, when the connection to the next receiver closes before an answer came.
#
# After an answer 503 rotel sends a batch again, as it should. Where the receiver closes the connection without an answer, as one does that is
# restarted, rotel logs "Exporting failed, dropping data": the batch is lost, although whoever sent it was told 200 long before.
# whyops is not involved, and is not installed here.
#
# Version: rotel 0.0.1a15.
# Output:  after an answer 503: sent again
#          after no answer: dropped
# It ends with 1 if that has changed. It needs Python (3.10 to 3.14) on Linux or macOS, and takes half a minute.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
python="$folder/venv/bin/python"
"$python" -m pip install --quiet --disable-pip-version-check rotel==0.0.1a15

cat > "$folder/ask.py" <<'PROGRAM'
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

SPAN = {"traceId": "0" * 31 + "1", "spanId": "0" * 15 + "1", "name": "a", "kind": 1, "startTimeUnixNano": "1000", "endTimeUnixNano": "2000"}
REQUEST = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [SPAN]}]}]}).encode()
came = []


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        came.append(self.path)
        if sys.argv[1] == "503" or len(came) > 1:
            self.send_response(503 if len(came) == 1 else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()
        self.close_connection = True

    def log_message(self, *_):
        pass


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def post(url):
    for _ in range(100):
        try:
            request = urllib.request.Request(url, REQUEST, {"Content-Type": "application/json"})
            return urllib.request.urlopen(request).status
        except OSError:
            time.sleep(0.1)


receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=receiver.serve_forever, daemon=True).start()
port = free_port()
environment = {
    **os.environ,
    "ROTEL_OTLP_HTTP_ENDPOINT": f"127.0.0.1:{port}",
    "ROTEL_OTLP_GRPC_ENDPOINT": f"127.0.0.1:{free_port()}",
    "ROTEL_OTLP_EXPORTER_ENDPOINT": f"http://127.0.0.1:{receiver.server_port}",
    "ROTEL_OTLP_EXPORTER_PROTOCOL": "http",
}
(program,) = Path(sys.prefix).glob("lib/python3*/site-packages/rotel/rotel-agent")
rotel = subprocess.Popen([program, "start"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    assert post(f"http://127.0.0.1:{port}/v1/traces") == 200
    until = time.monotonic() + 10
    while len(came) < 2 and time.monotonic() < until:
        time.sleep(0.1)
finally:
    rotel.kill()
assert came
print("sent again" if len(came) > 1 else "dropped")
PROGRAM

fault=0
for expected in "503 sent again" "none dropped"; do
    read -r answer what <<< "$expected"
    seen=$("$python" "$folder/ask.py" "$answer")
    if [ "$answer" = 503 ]; then echo "after an answer 503: $seen"; else echo "after no answer: $seen"; fi
    [ "$seen" = "$what" ] || fault=1
done
exit "$fault"
