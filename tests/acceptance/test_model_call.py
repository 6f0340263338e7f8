"""Model calls that are made directly arrive at the service, and are read back as they were recorded."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import whyops
from tests.acceptance.test_read_back import KEY, compare
from tests.server import StrictServer
from tests.server.providers import chat, messages, responses
from whyops._find import find_trace
from whyops._service.reader import ServiceReader


def ask_often(trace: whyops.Trace) -> None:
    """Make a call in each of the ways in which one can end."""
    prompt: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is order 7?"}]
    called = chat.calls(("c1", "find", {"id": 7}))
    with trace.model_call("gpt-4o-mini", "openai", prompt, tools=[{"name": "find"}], params={"temperature": 0}) as call:
        call.answer(chat.answer(None, "tool_calls", tool_calls=called, reasoning_content="Let me see."))
    prompt += [{"role": "assistant", "content": None, "tool_calls": called}, {"role": "tool", "tool_call_id": "c1", "content": "here"}]
    with trace.model_call("gpt-4o-mini", "openai", prompt, tools=[{"name": "find"}]) as call:
        for _ in call.stream([{"choices": [{"delta": {"content": text}}]} for text in ("It is ", "here.")]):
            pass
    with trace.model_call("claude", "anthropic", prompt) as call:
        call.answer(messages.answer(messages.thinking("Hm."), messages.text("I can't."), stop_reason="refusal"))
    with trace.model_call("gpt-5", "openai", "And now?") as call:
        call.answer(responses.answer(status="failed", error={"code": "server_error", "message": "The model is away."}))
    with trace.model_call("gpt-5", "openai", "And now?"):
        pass
    with contextlib.suppress(ValueError), trace.model_call("gpt-5", "openai", "And now?"):
        raise ValueError("no")
    with trace.model_call("embedder", "openai", ["Where?"], embed=True) as call:
        call.answer({"data": [{"embedding": [0.5, 0.25]}], "usage": {"total_tokens": 2}})


def test_what_the_service_gives_back_is_what_was_recorded(home: Path, tmp_path: Path) -> None:
    """Each event is stored, and the trace is shown the same from here and from there, its prompts put together again."""
    with StrictServer() as server:
        settings = {"analyse_base_url": server.url, "proxy_base_url": server.proxy_url, "keep_local": True}
        with whyops.WhyOps(api_key=KEY, agent_name="agent", home=home, **settings) as sdk:
            ask_often(sdk.trace("trace-1"))
            assert sdk.flush_sync().rejected == 0
        assert {request.status for request in server.ingested} == {201}
        assert compare(server, home, tmp_path / "elsewhere") == ["trace-1"]
        here, there = find_trace("trace-1", home, None), find_trace("trace-1", tmp_path / "elsewhere", ServiceReader(server.url, KEY))
        for trace in (here, there):
            calls = trace.model_calls
            assert [len(call.prompt or ()) for call in calls] == [2, 4, 4, 1, 1, 1]
            assert [call.interrupted for call in calls] == [None, None, None, None, "no answer recorded", None]
            assert [bool(call.error) for call in calls] == [False, False, False, True, False, True]
            assert sum(call.missing for call in calls) == 0
