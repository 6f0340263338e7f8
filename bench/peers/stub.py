"""A service on loopback that takes whatever any of the SDKs sends, answers after a given delay, and counts only when asked to.

A process of its own. It prints its port, then takes one command a line: `reset DELAY` forgets what came and sets the delay of each answer
in seconds; `count` prints as JSON how many requests and bytes came since, and how many calls had arrived whole.
"""

from __future__ import annotations

import gzip
import importlib
import json
import re
import socket
import sys
import threading
import time
from typing import BinaryIO

ARGUMENT = re.compile(rb"order-(\d{5})")
RESULT = re.compile(rb"result-(\d{5})")
"""Each call has a number of its own in its argument and another text with it in its result: it arrived when both did."""

SAVED = b'{"id":"3f0e8c1a-7b52-4c6e-9f43-0d6c1b9a2e55","status":"saved","stepId":1,"spanId":"%b"}'

LANGSMITH = {
    "version": "0.13.0",
    "instance_flags": {"zstd_compression_enabled": True},
    "batch_ingest_config": {
        "use_multipart_endpoint": True,
        "scale_up_qsize_trigger": 1000,
        "scale_up_nthreads_limit": 16,
        "scale_down_nempty_trigger": 4,
        "size_limit": 100,
        "size_limit_bytes": 20971520,
    },
}
ANSWERS: dict[str, bytes] = {
    "/api/entities": b'{"agents":[{"id":"a","name":"bench"}],"pagination":{"total":1,"count":100,"page":1,"totalPages":1,"hasMore":false}}',
    "/api/entities/init": b'{"success":true,"agentId":"a","agentVersionId":"v","status":"existing","versionHash":"h"}',
    "/info": json.dumps(LANGSMITH).encode(),
    "/v1/info": b'{"project_name":"bench","project_url":"http://127.0.0.1/"}',
}


class Stub:
    """What came, and how to answer it."""

    def __init__(self) -> None:
        self.delay = 0.0
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    def serve(self, connection: socket.socket) -> None:
        """Answer the requests of one connection, one after the other."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as stream:
            while request := read_request(stream):
                path, headers, body = request
                self.requests.append(request)
                if self.delay:
                    time.sleep(self.delay)
                try:
                    connection.sendall(answer(path, headers, body))
                except OSError:
                    return

    def count(self) -> dict[str, int]:
        """Return what came since the last reset, and is not about the SDK itself."""
        asked, results, sent = set[bytes](), set[bytes](), 0
        requests = [request for request in self.requests if request[2]]
        for _, headers, body in requests:
            sent += len(body)
            plain = decoded(headers.get("content-encoding", ""), body)
            asked.update(ARGUMENT.findall(plain))
            results.update(RESULT.findall(plain))
        return {"requests": len(requests), "bytes": sent, "arrived": len(asked & results)}


def read_request(stream: BinaryIO) -> tuple[str, dict[str, str], bytes] | None:
    """Return path, headers and body of the next request, or None at the end of the connection."""
    try:
        words = stream.readline().decode("latin-1").split(" ")
        if len(words) != 3:
            return None
        headers: dict[str, str] = {}
        while line := stream.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        if "chunked" in headers.get("transfer-encoding", ""):
            return words[1], headers, read_chunks(stream)
        return words[1], headers, stream.read(int(headers.get("content-length", "0")))
    except OSError:
        return None


def read_chunks(stream: BinaryIO) -> bytes:
    """Return a body that comes in chunks."""
    chunks = []
    while size := int(stream.readline().strip() or b"0", 16):
        chunks.append(stream.read(size))
        stream.readline()
    stream.readline()
    return b"".join(chunks)


def answer(path: str, headers: dict[str, str], body: bytes) -> bytes:
    """Return what the service of that path would say when all is well."""
    if path.endswith(("/v1/traces", "/v1/metrics", "/v1/logs")):
        return response(
            "200 OK", headers.get("content-type", "application/x-protobuf"), b"{}" if "json" in headers["content-type"] else b""
        )
    if path in {"/api/events", "/api/events/ingest"}:
        events = json.loads(decoded(headers.get("content-encoding", ""), body))
        events = events if isinstance(events, list) else [events]  # whyops 0.1.1 sends one at a time
        return response("201 Created", "application/json", b"[%b]" % b",".join(SAVED % event["spanId"].encode() for event in events))
    if path.startswith("/runs"):
        return response("202 Accepted", "application/json", b"{}")
    return response("200 OK", "application/json", ANSWERS.get(path.partition("?")[0], b"{}"))


def response(status: str, content_type: str, body: bytes) -> bytes:
    """Return an answer as it goes over the wire."""
    return f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def decoded(encoding: str, body: bytes) -> bytes:
    """Return a body as it was before it was compressed."""
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "zstd":
        zstandard = importlib.import_module("zstandard")  # only the session that runs the peers has it

        plain: bytes = zstandard.ZstdDecompressor().decompressobj().decompress(body)
        return plain
    return body


def main() -> None:
    """Serve until the commands end."""
    stub = Stub()
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)

    def accept() -> None:
        while True:
            threading.Thread(target=stub.serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "reset":
            stub.requests.clear()
            stub.delay = float(arguments[0])
            print("{}", flush=True)
        else:
            print(json.dumps(stub.count()), flush=True)


if __name__ == "__main__":
    main()
