"""A receiver of OpenTelemetry spans on loopback, as strict as Phoenix and MLflow together: what one refuses or drops, it refuses."""

from __future__ import annotations

import json
import threading
from collections import Counter
from types import TracebackType
from typing import Any, Literal

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from .answer import Answer, Raw
from .connection import Listener
from .faults import Fault, Faults
from .request import Request

TRACES = "/v1/traces"
_MAX_BODY = 20_000_000
_MOST_OBJECTS, _MOST_LISTS = 32, 48
_PARTS = {
    "text": {"type", "content"},
    "reasoning": {"type", "content"},
    "tool_call": {"type", "id", "name", "arguments"},
    "tool_call_response": {"type", "id", "response"},
}


class Refused(Exception):
    """The whole request is, with this status and for this reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class OtlpServer(Faults):
    """The receiver, listening while its `with` block runs. `stop` and `start` keep port and spans.

    Of a span that comes again the `kept` one stays: the first, as in Phoenix, or the last, as in MLflow. `partly` is what each answer says
    of spans that were not taken: how many, and why.
    """

    def __init__(self, *, kept: Literal["first", "last"] = "first", max_body: int = _MAX_BODY) -> None:
        super().__init__()
        self.port = 0
        self.kept = kept
        self.most = max_body
        self.requests: list[Request] = []
        self.partly: tuple[int, str] | None = None
        self.came: Counter[bytes] = Counter()
        """How often each span came, by its id."""
        self.projects: dict[bytes, str] = {}
        self._spans: dict[tuple[bytes, bytes], Span] = {}
        self._lock = threading.Lock()
        self._listener: Listener | None = None

    def __enter__(self) -> OtlpServer:  # noqa: PYI034  (`Self` is not in Python 3.10)
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.clear()
        self.stop()

    @property
    def url(self) -> str:
        """Give the address to send spans to."""
        return f"http://127.0.0.1:{self.port}{TRACES}"

    @property
    def spans(self) -> list[Span]:
        """Give the spans that are kept, in the order in which each came first."""
        return list(self._spans.values())

    @property
    def statuses(self) -> list[int | None]:
        """Give what each request was answered."""
        return [request.status for request in self.requests]

    def named(self, name: str) -> Span:
        """Give the only span of this name."""
        (span,) = [span for span in self.spans if span.name == name]
        return span

    def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._listener = Listener(self.port, 5.0, self._respond, 0)
        self.port = self._listener.server_port
        threading.Thread(target=self._listener.serve_forever, args=(0.02,), name="otlp-server", daemon=True).start()

    def stop(self) -> None:
        """Drop all connections and refuse new ones."""
        listener, self._listener = self._listener, None
        if listener is not None:
            self.release()
            listener.close()

    def _respond(self, request: Request) -> Answer | Raw | None:
        with self._lock:
            self.requests.append(request)
        fault = self.take(request)
        given = self._answer(request) if fault is None else self._meet(fault, request)
        request.status = given.status if given is not None else None
        return given

    def _meet(self, fault: Fault, request: Request) -> Answer | Raw | None:
        if fault.store:
            self._answer(request)
        fault.released.wait(fault.wait)
        return None if fault.wait is None else fault.answer

    def _answer(self, request: Request) -> Answer:
        try:
            self._take(request)
        except Refused as refusal:
            return Answer(refusal.status, {"detail": str(refusal)})
        answer = ExportTraceServiceResponse()
        if self.partly is not None:
            answer.partial_success.rejected_spans, answer.partial_success.error_message = self.partly
        return Answer(200, answer.SerializeToString(), {"Content-Type": "application/x-protobuf"})

    def _take(self, request: Request) -> None:
        if (request.method, request.path) != ("POST", TRACES):
            raise Refused(404, "Not Found")
        if request.headers.get("content-type") != "application/x-protobuf":
            raise Refused(415, "Unsupported content type")
        if "content-encoding" in request.headers:
            raise Refused(400, "No encoding is known here")
        if len(request.body) > self.most:
            raise Refused(413, "Too large")
        try:
            sent = ExportTraceServiceRequest.FromString(request.body)
        except DecodeError:
            raise Refused(400, "No request of spans") from None
        found = [(group, span) for group in sent.resource_spans for scope in group.scope_spans for span in scope.spans]
        if not found:
            raise Refused(400, "There are no spans")
        for _, span in found:
            check(span)
        with self._lock:
            for group, span in found:
                self.came[span.span_id] += 1
                self.projects[span.span_id] = values(group.resource.attributes)["service.name"]
                key = (span.trace_id, span.span_id)
                if self.kept == "last" or key not in self._spans:
                    self._spans[key] = span


def values(attributes: Any) -> dict[str, Any]:
    """Give attributes as what they hold, by name."""
    return {one.key: _value(one.value) for one in attributes}


def attributes_of(span: Span) -> dict[str, Any]:
    """Give a span's attributes, by name."""
    return values(span.attributes)


def check(span: Span) -> None:
    """Raise `Refused` for what a receiver refuses, drops, or can't show."""
    ids = (len(span.trace_id), len(span.span_id), len(span.parent_span_id or b"x" * 8))
    if ids != (16, 8, 8) or not any(span.trace_id) or not any(span.span_id):
        raise Refused(422, f"{span.name}: ids of the wrong length")
    if not 0 < span.start_time_unix_nano <= span.end_time_unix_nano:
        raise Refused(422, f"{span.name}: it ends before it begins")
    held = attributes_of(span)
    if len(held) != len(span.attributes):
        raise Refused(400, f"{span.name}: an attribute is there twice")
    if len(held["gen_ai.conversation.id"]) > 200:
        raise Refused(400, f"{span.name}: the conversation's id is too long")
    for name, value in held.items():
        if isinstance(value, str) and (name.startswith("gen_ai.") or name.endswith(".value")) and value[:1] in "[{":
            _check_depth(span, name, value)
    _check_model_call(span.name, held)
    if span.events and span.status.code != 2:
        raise Refused(400, f"{span.name}: an exception, and the status says nothing of it")


def _check_model_call(span: str, held: dict[str, Any]) -> None:
    for name in ("gen_ai.input.messages", "gen_ai.output.messages"):
        if name in held:
            _check_messages(json.loads(held[name]), is_output=name == "gen_ai.output.messages")
    if not {"gen_ai.response.model", "gen_ai.response.id"}.isdisjoint(held) and "output.value" not in held:
        raise Refused(400, f"{span}: what the model is called would be shown as its output")
    if "gen_ai.tool.definitions" in held:
        _check_definitions(json.loads(held["gen_ai.tool.definitions"]))


def _check_definitions(definitions: Any) -> None:
    if not isinstance(definitions, list) or not all(
        isinstance(one.get("name"), str) and one.get("type") == "function" for one in definitions
    ):
        raise Refused(400, "a tool's definition has no name, or another type")


def _check_messages(messages: Any, *, is_output: bool) -> None:
    if not isinstance(messages, list) or not messages:
        raise Refused(400, "messages are a list")
    for message in messages:
        if set(message) != {"role", "parts"} | ({"finish_reason"} if is_output else set()) or not isinstance(message["role"], str):
            raise Refused(400, f"a message has {sorted(message)}")
        for part in message["parts"]:
            if set(part) != _PARTS.get(part.get("type"), set()):
                raise Refused(400, f"a part has {sorted(part)}")
            if part["type"] in {"text", "reasoning"} and not isinstance(part["content"], str):
                raise Refused(400, "a text is none")
        if any(not isinstance(part["response"], str) for part in message["parts"] if part["type"] == "tool_call_response"):
            raise Refused(400, "a result is no text")
        if sum(part["type"] == "tool_call_response" for part in message["parts"]) > 1:
            raise Refused(400, "two results in one message")


def _check_depth(span: Span, name: str, value: str) -> None:
    try:
        objects, lists = _depth(json.loads(value))
    except ValueError:
        return
    if objects > _MOST_OBJECTS or lists > _MOST_LISTS:
        raise Refused(400, f"{span.name}: {name} is nested too deeply")


def _depth(value: Any) -> tuple[int, int]:
    if isinstance(value, dict):
        inner = [_depth(one) for one in value.values()] or [(0, 0)]
        return 1 + max(one for one, _ in inner), max(one for _, one in inner)
    if isinstance(value, list):
        inner = [_depth(one) for one in value] or [(0, 0)]
        return max(one for one, _ in inner), 1 + max(one for _, one in inner)
    return 0, 0


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        raise Refused(400, "an attribute holds nothing")
    held = getattr(value, kind)
    return [_value(one) for one in held.values] if kind == "array_value" else held
