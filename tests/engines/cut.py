"""What stands between a sender and a receiver, and cuts the connection once the receiver has taken a request: its answer is lost."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

_KEPT = {"content-encoding", "content-type", "x-mlflow-experiment-id"}


class Cut:
    """Hands requests on to `receiver` while its `with` block runs, and keeps back the answers to the first `answers` of them."""

    def __init__(self, receiver: str, answers: int) -> None:
        self.receiver = receiver
        self.taken: list[bytes] = []
        """The bodies of requests that the receiver has taken, and whose answer was lost."""
        self.answered: list[bytes] = []
        self._answers = answers
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._lock = threading.Lock()

    def __enter__(self) -> Cut:  # noqa: PYI034  (`Self` is not in Python 3.10)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Give the address of what stands between."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def is_lost(self, body: bytes) -> bool:
        """Tell whether the answer to a request that was taken gets lost."""
        with self._lock:
            lost = len(self.taken) < self._answers
            (self.taken if lost else self.answered).append(body)
        return lost


def _handler(cut: Cut) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name: value for name, value in self.headers.items() if name.lower() in _KEPT}
            answer = httpx.post(cut.receiver + self.path, content=body, headers=headers, timeout=60)
            if answer.is_success and cut.is_lost(body):
                self.close_connection = True
                return
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers.get("content-type", "text/plain"))
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
