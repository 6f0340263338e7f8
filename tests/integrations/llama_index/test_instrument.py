"""`instrument()`: once for the process, whoever calls it; nothing is left behind."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.callbacks import CallbackManager
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.llms import MockLLM

import whyops
from tests.integrations.llama_index.scripted import ScriptedLLM, in_turn
from tests.racing import quick_switches, together
from whyops._runtime import guard
from whyops.integrations.llama_index import WhyOpsCallbackHandler, _dispatch, instrument, proxy_kwargs
from whyops.testing import Captured, MemorySink, capture

ASKED = [ChatMessage(role="user", content="Hello?")]


def ask() -> None:
    MockLLM().chat([ChatMessage(role="user", content="Hello?")])


def types(captured: Captured) -> list[str]:
    return [event["eventType"] for event in captured.events]


def handlers() -> tuple[list[Any], list[Any]]:
    root = get_dispatcher()
    return list(root.span_handlers), list(root.event_handlers)


def test_importing_changes_nothing_and_uninstrument_leaves_the_dispatcher_as_it_was(recorded: Captured) -> None:
    """Also a second call of it."""
    before = handlers()
    instrumentation = instrument()
    assert handlers() != before
    instrumentation.uninstrument()
    instrumentation.uninstrument()
    assert all(one is other for now, then in zip(handlers(), before, strict=True) for one, other in zip(now, then, strict=True))
    ask()
    assert recorded.events == []


def test_instrumenting_twice_records_once(recorded: Captured) -> None:
    """The inner block's arguments hold inside it, and the outer one goes on after it."""
    with instrument(trace_id="outer"):
        with instrument(trace_id="inner"):
            ask()
        ask()
    assert [event["traceId"] for event in recorded.events] == ["inner", "inner", "outer", "outer"]
    assert types(recorded) == ["user_message", "llm_response"] * 2


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_calls_are_taken_back_in_any_order(recorded: Captured, order: tuple[int, ...]) -> None:
    """The latest that is still in force decides; a second `uninstrument` of the same one takes back no other."""
    before = handlers()
    instrumentations = [instrument(trace_id=str(number), llm_events=number != 1) for number in range(3)]
    open_ones = [0, 1, 2]
    expected = []
    for index in order:
        ask()
        expected += [str(open_ones[-1])] * (2 if open_ones[-1] != 1 else 0)
        for _ in range(2):
            instrumentations[index].uninstrument()
        open_ones.remove(index)
    ask()
    assert [event["traceId"] for event in recorded.events] == expected
    assert list(map(len, handlers())) == list(map(len, before))


def test_threads_may_instrument_at_once(recorded: Captured) -> None:
    """One that takes back its own leaves the dispatcher's handlers to another that has just come."""
    before = handlers()

    def instrumented() -> None:
        for _ in range(50):
            with instrument():
                ask()

    with quick_switches():
        together(*[instrumented] * 4)
    assert len(recorded.of_type("llm_response")) == 200
    assert list(map(len, handlers())) == list(map(len, before))


def test_the_classic_handler_stands_down(recorded: Captured) -> None:
    """With both active nothing is recorded twice, and the dispatcher's way has the say."""
    manager = CallbackManager([WhyOpsCallbackHandler(trace_id="classic")])
    with instrument(trace_id="dispatcher"):
        MockLLM(callback_manager=manager).chat(ASKED)
        asyncio.run(MockLLM(callback_manager=manager).achat([ChatMessage(role="user", content="Hello?")]))
    assert types(recorded) == ["user_message", "llm_response"] * 2
    assert {event["traceId"] for event in recorded.events} == {"dispatcher"}


def test_trace_and_user_of_the_arguments(recorded: Captured) -> None:
    """The argument wins over the trace that is current."""
    with instrument(trace_id="asked-for", external_user_id="u1"), whyops.trace("current"):
        ask()
    assert {(event["traceId"], event["externalUserId"]) for event in recorded.events} == {("asked-for", "u1")}


def test_a_client_of_ones_own() -> None:
    """Its events go where it sends them, whatever the default client is."""
    sink = MemorySink()
    with capture() as other, whyops.WhyOps(agent_name="mine", sink=sink, outbox="memory") as client:
        with instrument(client):
            ask()
        client.flush_sync()
        assert [event["agentName"] for event in sink.events] == ["mine", "mine"]
        assert other.events == []


def test_switched_off(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """`WHYOPS_DISABLED=1`: everything runs, nothing is recorded."""
    monkeypatch.setenv("WHYOPS_DISABLED", "1")
    with instrument():
        ask()
    assert not home.exists()


def test_a_fault_of_the_settings_reaches_the_log_and_not_the_app(caplog: pytest.LogCaptureFixture) -> None:
    """Several clients are open and none was chosen: said once, and the model answers."""
    with whyops.WhyOps(sink=MemorySink(), outbox="memory"), whyops.WhyOps(sink=MemorySink(), outbox="memory"), instrument():
        ask()
        WhyOpsCallbackHandler().start_trace("chat")
    assert "2 clients are open" in caplog.text
    assert len([record for record in caplog.records if record.name == "whyops"]) == 1
    caplog.clear()


class Hostile:
    """Fails whatever is done to it."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError("repr")


@pytest.mark.parametrize("content", [Hostile(), {"a": Hostile()}, float("nan"), "\ud800"], ids=["object", "inside", "nan", "surrogate"])
def test_no_object_makes_it_raise(content: Any, recorded: Captured) -> None:
    """Whatever a provider leaves in its raw answer."""
    with instrument():
        assert ScriptedLLM(script=in_turn("Hi."), raw=content).chat(ASKED).message.content == "Hi."
    assert types(recorded) == ["user_message", "llm_response"]


def test_state_ends_with_the_last_instrumentation(recorded: Captured) -> None:
    """What is open then is forgotten, and nothing stays current because of it."""
    with instrument():
        stream = ScriptedLLM(script=in_turn("Hi there.")).stream_chat(ASKED)
        next(stream)
        assert len(_dispatch._spans) == 1
    assert len(_dispatch._spans) == 0
    list(stream)
    assert types(recorded) == ["user_message"]
    assert whyops.current_trace() is None


def test_without_the_extra_one_sentence_says_how_to_get_it() -> None:
    """With the pip line."""
    code = "import sys; sys.modules['llama_index'] = sys.modules['llama_index.core'] = None; import whyops.integrations.llama_index"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert last == "ImportError: whyops.integrations.llama_index needs llama_index.core: pip install 'llama-index-core>=0.14.22'"


@pytest.fixture
def keyed() -> Iterator[whyops.WhyOps]:
    with whyops.WhyOps(api_key="whyops_k", agent_name="mine", sink=MemorySink(), outbox="memory") as client:
        yield client


@pytest.mark.parametrize("provider, address", [("openai", "api_base"), ("anthropic", "base_url")])
def test_the_keywords_that_point_a_model_at_the_proxy(provider: Any, address: str, keyed: whyops.WhyOps) -> None:
    """As LlamaIndex's classes call them."""
    kwargs = proxy_kwargs(keyed, provider)
    assert set(kwargs) == {address, "api_key", "default_headers"}
    assert kwargs[address].startswith("https://proxy.whyops.com")
    assert kwargs["default_headers"] == {"X-Agent-Name": "mine"}


def test_the_guard_is_on(recorded: Captured, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A fault of ours would be said, and cost an event: the other tests rely on that."""
    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr(_dispatch._spans, "hear", None)
    with instrument():
        ask()
    assert "could not be recorded" in caplog.text
    caplog.clear()


def test_the_current_trace_of_another_client_is_not_ours() -> None:
    """One tenant's events never go to another by accident; and an id that is asked for stays with the current trace's client."""
    mine, other = MemorySink(), MemorySink()
    with (
        whyops.WhyOps(agent_name="mine", sink=mine, outbox="memory") as client,
        whyops.WhyOps(agent_name="other", sink=other, outbox="memory") as current,
    ):
        with current.trace("current", external_user_id="u1"):
            with instrument(client):
                ask()
            with instrument(trace_id="asked-for"):
                ask()
        client.flush_sync()
        current.flush_sync()
    assert [event["traceId"] == "current" for event in mine.events] == [False, False]
    assert [(event["traceId"], event["externalUserId"]) for event in other.events] == [("asked-for", "u1")] * 2


def test_the_user_of_the_arguments_is_the_current_traces(recorded: Captured) -> None:
    """Where the trace names none, or another."""
    with instrument(external_user_id="u2"), whyops.trace("t"):
        ask()
    assert {event["externalUserId"] for event in recorded.events} == {"u2"}


def test_a_run_that_goes_on_in_another_process_stays_in_its_trace(recorded: Captured) -> None:
    """LlamaIndex carries what its handlers tell it; where a trace is current, that one counts."""
    with instrument():
        with whyops.trace("t", external_user_id="u1") as trace, trace.tool_span("start") as span:
            carried = json.loads(json.dumps(get_dispatcher().capture_propagation_context()))

        def elsewhere() -> None:
            get_dispatcher().restore_propagation_context(carried)
            ask()

        contextvars.Context().run(elsewhere)
        with whyops.trace("current"):
            contextvars.copy_context().run(elsewhere)
    answers = recorded.of_type("llm_response")
    assert [(event["traceId"], event["metadata"].get("parentSpanId")) for event in answers] == [("t", span.span_id), ("current", None)]
    assert answers[0]["externalUserId"] == "u1"
