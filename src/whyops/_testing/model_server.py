"""A server on loopback that answers official clients as the models of a recorded run did: OpenAI chat and Responses, Anthropic messages."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ..errors import WhyOpsError
from .stored_answers import Answer

Data = dict[str, Any]


class ModelServer:
    """Answers each request with the next recorded answer, streamed where that is asked for."""

    def __init__(self, answers: Callable[[], Answer]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, answers))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True, name="whyops-replay")
        self._thread.start()

    @property
    def url(self) -> str:
        """Its address, which both providers' clients take as `base_url`."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, answers: Callable[[], Answer], *connection: Any) -> None:
        self._answers = answers
        super().__init__(*connection)  # it answers the connection's requests

    def do_POST(self) -> None:
        """Answer in the form of the API whose path is asked."""
        request = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        path = self.path.partition("?")[0]
        form = next((form for end, form in _FORMS.items() if path.endswith(end)), None)
        if form is None:
            self._send(404, "application/json", json.dumps({"error": {"message": f"The replay has no model behind {path}."}}))
            return
        try:
            answer = self._answers()
        except WhyOpsError as error:
            self._send(400, "application/json", json.dumps({"error": {"type": "replay", "message": str(error)}}))
            return
        whole, streamed = form
        if request.get("stream"):
            self._send(200, "text/event-stream", "".join(streamed(answer)))
        else:
            self._send(200, "application/json", json.dumps(whole(answer)))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the library says what it takes)
        """Say nothing."""

    def _send(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _event(data: Data | str, name: str | None = None) -> str:
    text = data if isinstance(data, str) else json.dumps(data)
    return f"{f'event: {name}' + chr(10) if name else ''}data: {text}\n\n"


def _chat_calls(answer: Answer) -> list[Data]:
    return [
        {"index": place, "id": one.id, "type": "function", "function": {"name": one.name, "arguments": json.dumps(one.arguments)}}
        for place, one in enumerate(answer.asked)
    ]


def _chat_head(answer: Answer, kind: str) -> Data:
    return {"id": "chatcmpl-replay", "object": kind, "created": 0, "model": answer.model}


def _chat_usage(answer: Answer) -> Data:
    total = answer.prompt_tokens + answer.completion_tokens
    return {"prompt_tokens": answer.prompt_tokens, "completion_tokens": answer.completion_tokens, "total_tokens": total}


def _chat_finish(answer: Answer) -> str:
    return "tool_calls" if answer.asked else answer.finish_reason or "stop"


def _chat(answer: Answer) -> Data:
    calls = [{name: value for name, value in call.items() if name != "index"} for call in _chat_calls(answer)]
    message = {"role": "assistant", "content": answer.text or None, "refusal": None, **({"tool_calls": calls} if calls else {})}
    choice = {"index": 0, "message": message, "finish_reason": _chat_finish(answer), "logprobs": None}
    return {**_chat_head(answer, "chat.completion"), "choices": [choice], "usage": _chat_usage(answer)}


def _chat_stream(answer: Answer) -> Iterator[str]:
    head = _chat_head(answer, "chat.completion.chunk")
    calls = _chat_calls(answer)
    delta = {"role": "assistant", "content": answer.text or None, **({"tool_calls": calls} if calls else {})}
    yield _event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    yield _event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": _chat_finish(answer)}]})
    yield _event({**head, "choices": [], "usage": _chat_usage(answer)})
    yield _event("[DONE]")


def _responses(answer: Answer) -> Data:
    text = {"type": "output_text", "text": answer.text, "annotations": []}
    said = [{"type": "message", "id": "msg_replay", "role": "assistant", "status": "completed", "content": [text]}] if answer.text else []
    called = [
        {
            "type": "function_call",
            "id": f"fc_{place}",
            "call_id": one.id,
            "name": one.name,
            "arguments": json.dumps(one.arguments),
            "status": "completed",
        }
        for place, one in enumerate(answer.asked)
    ]
    return {
        "id": "resp_replay",
        "object": "response",
        "created_at": 0,
        "model": answer.model,
        "status": "completed",
        "output": [*said, *called],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": answer.prompt_tokens,
            "output_tokens": answer.completion_tokens,
            "total_tokens": answer.prompt_tokens + answer.completion_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }


def _responses_stream(answer: Answer) -> Iterator[str]:
    whole = _responses(answer)
    events: list[Data] = [{"type": "response.created", "response": {**whole, "status": "in_progress", "output": []}}]
    for place, item in enumerate(whole["output"]):
        empty = {**item, "content": []} if item["type"] == "message" else {**item, "arguments": ""}
        events.append({"type": "response.output_item.added", "output_index": place, "item": empty})
        events += _parts(item, place)
        events.append({"type": "response.output_item.done", "output_index": place, "item": item})
    events.append({"type": "response.completed", "response": whole})
    for number, event in enumerate(events):
        yield _event({**event, "sequence_number": number}, event["type"])


def _parts(item: Data, place: int) -> list[Data]:
    at = {"item_id": item["id"], "output_index": place}
    if item["type"] == "function_call":
        return [
            {"type": "response.function_call_arguments.delta", **at, "delta": item["arguments"]},
            {"type": "response.function_call_arguments.done", **at, "arguments": item["arguments"], "name": item["name"]},
        ]
    part = item["content"][0]
    at["content_index"] = 0
    return [
        {"type": "response.content_part.added", **at, "part": {**part, "text": ""}},
        {"type": "response.output_text.delta", **at, "delta": part["text"], "logprobs": []},
        {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []},
        {"type": "response.content_part.done", **at, "part": part},
    ]


def _messages(answer: Answer) -> Data:
    said = [{"type": "text", "text": answer.text}] if answer.text else []
    called = [{"type": "tool_use", "id": one.id, "name": one.name, "input": one.arguments} for one in answer.asked]
    return {
        "id": "msg_replay",
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [*said, *called],
        "stop_reason": "tool_use" if called else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": answer.prompt_tokens, "output_tokens": answer.completion_tokens},
    }


def _messages_stream(answer: Answer) -> Iterator[str]:
    whole = _messages(answer)
    begun = {**whole, "content": [], "stop_reason": None, "usage": {**whole["usage"], "output_tokens": 0}}
    events: list[Data] = [{"type": "message_start", "message": begun}]
    for place, block in enumerate(whole["content"]):
        is_text = block["type"] == "text"
        empty = {**block, "text": ""} if is_text else {**block, "input": {}}
        delta = (
            {"type": "text_delta", "text": block["text"]}
            if is_text
            else {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        )
        events.append({"type": "content_block_start", "index": place, "content_block": empty})
        events.append({"type": "content_block_delta", "index": place, "delta": delta})
        events.append({"type": "content_block_stop", "index": place})
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    events.append({"type": "message_delta", "delta": ended, "usage": {"output_tokens": answer.completion_tokens}})
    events.append({"type": "message_stop"})
    for event in events:
        yield _event(event, event["type"])


_FORMS: dict[str, tuple[Callable[[Answer], Data], Callable[[Answer], Iterator[str]]]] = {
    "/chat/completions": (_chat, _chat_stream),
    "/responses": (_responses, _responses_stream),
    "/messages": (_messages, _messages_stream),
}
"""By the end of an API's path: the answer whole, and streamed."""
