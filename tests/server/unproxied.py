"""The scripted model as a provider offers it, for both providers: no proxy stands before it, and nothing of ours may reach it."""

from __future__ import annotations

import re
from collections.abc import Callable

from . import model
from .answer import Answer
from .model import Turn
from .request import Request
from .server import StrictServer

KEY_PREFIX = "sk-"
_OURS = re.compile(r"x-(agent-name|trace-id|thread-id|external-user-id)|.*whyops.*|traceparent")
_DEPLOYMENT = re.compile(r"/openai/deployments/[^/]+")


def completions(turn: Turn) -> Answer:
    """Answer `completions`, as it was before there was chat."""
    whole = {"id": "text-1", "object": "text_completion", "created": 1, "model": turn.body.get("model", "")}
    choice = {"index": 0, "text": f"You said: {turn.body['prompt']}", "finish_reason": "stop", "logprobs": None}
    return Answer(200, {**whole, "choices": [choice], "usage": model.CHAT_USAGE})


_MODELS: dict[str, Callable[[Turn], Answer]] = {
    "/v1/chat/completions": model.chat,
    "/v1/responses": model.responses,
    "/v1/completions": completions,
    "/v1/embeddings": model.embeddings,
    "/v1/messages": model.messages,
}


class ModelProvider(StrictServer):
    """Answers as OpenAI, Azure and Anthropic do, to a provider's key, and refuses any header of ours. Faults are the strict server's."""

    turn: type[Turn] = Turn

    def answer(self, request: Request) -> Answer:
        """Answer a request that meets no fault."""
        if not str(request.headers.get("api-key", request.key)).startswith(KEY_PREFIX):
            return Answer(401, {"error": {"message": "Incorrect API key provided", "type": "invalid_request_error"}})
        if any(_OURS.fullmatch(name) for name in request.headers):
            return Answer(400, {"error": {"message": f"Unknown headers in {sorted(request.headers)}", "type": "invalid_request_error"}})
        path = _DEPLOYMENT.sub("/v1", request.path)
        if (request.method, path) == ("GET", "/v1/models"):
            return Answer(200, {"object": "list", "data": [{"id": "m-1", "object": "model"}], "has_more": False})
        if request.method != "POST" or path not in _MODELS:
            return Answer(200, {"input_tokens": 3})
        turn = self.turn(request.json(), "")
        return model.refusal(turn, in_anthropics_form=path == "/v1/messages") or _MODELS[path](turn)
