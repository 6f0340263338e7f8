"""`list`, `show`, `status`, `export` and `load_trace` tell the same of a recording, whatever it is made of."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import whyops
from whyops._cli._main import main
from whyops._find import find_trace
from whyops._store.reader import StoreReader
from whyops._store.sink import SqliteSink
from whyops._trace.recorded import RecordedTrace, Totals

KINDS = (
    *("user_message", "llm_response", "llm_thinking", "embedding_request", "embedding_response"),
    *("tool_call_request", "tool_call_response", "tool_result", "error", "agent_handover"),
)

numbers = st.sampled_from([0, 1, 7, 100, -1, 2.5, True, None, "3", 2**31, 2**70])
usages = st.one_of(
    st.none(),
    st.just("much"),
    st.dictionaries(st.sampled_from(["promptTokens", "completionTokens", "totalTokens", "cacheReadTokens", "other"]), numbers, max_size=5),
)
results = st.sampled_from([None, {}, "text", {"result": 1}, {"error": "no"}, {"error": ""}, {"error": None}, {"interrupted": "Cancelled"}])
contents = st.one_of(
    st.sampled_from([None, "text", [], {}, [{"role": "user", "content": "hi"}], {"message": "no"}, {"message": ""}]),
    st.fixed_dictionaries({"toolResults": results, "usage": usages}),
    st.fixed_dictionaries({"toolCalls": st.sampled_from([[], [{"name": "f", "arguments": {}}], "f"]), "output": results}),
)


def as_a_step(event: dict[str, object]) -> dict[str, object]:
    """Let all events of one span, and those of none that have no time, say that they are no tool's."""
    is_one = event.get("spanId") == "c" or ("spanId" not in event and "timestamp" not in event)
    metadata = event.get("metadata")
    return {**event, "metadata": {**(metadata if isinstance(metadata, dict) else {}), "stands_for": "step"}} if is_one else event


events = st.fixed_dictionaries(
    {"eventType": st.sampled_from(KINDS), "content": contents},
    optional={
        "spanId": st.sampled_from(["a", "b", "c", "", 7]),
        "timestamp": st.sampled_from([*(f"2026-11-23T18:14:0{second}.5Z" for second in range(5)), "yesterday", None]),
        "idempotencyKey": st.sampled_from(["", 7, *(f"k-{number}" for number in range(9))]),
        "metadata": st.fixed_dictionaries(
            {}, optional={"usage": usages, "tool": st.sampled_from(["f", "", 7]), "parentSpanId": st.sampled_from(["a", "b", "c"])}
        ),
    },
).map(as_a_step)


numbered = itertools.count()
"""A trace of its own for each example, in one store: to make a store takes longer than all else."""


def assert_all_agree(home: Path, trace_id: str, exported: Iterable[str | bytes]) -> Totals:
    listed = next(summary for summary in StoreReader(home).summaries() if summary.trace_id == trace_id)
    shown = find_trace(trace_id, home, None).totals
    assert RecordedTrace.from_events(map(json.loads, exported)).totals == shown
    assert (listed.events, listed.calls, listed.errors) == (shown.events, shown.calls, shown.errors)
    assert (listed.tokens_in + listed.tokens_out, listed.tokens_out) == (shown.usage.total, shown.usage.completion)
    return shown


@pytest.fixture
def printed(capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., str]:
    """Give what runs a command and returns what it prints."""

    def run(*words: str) -> str:
        capfdbinary.readouterr()
        assert main(words) == 0
        return capfdbinary.readouterr().out.decode()

    return run


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(events, min_size=1, max_size=12), st.integers(1, 5), st.randoms(use_true_random=False))
def test_of_any_lines(home: Path, lines: list[dict[str, object]], batch: int, order: random.Random) -> None:
    """Doubled, in any order, in batches of any size, from clients that leave out or mistake anything."""
    trace_id = f"run-{next(numbered)}"
    repeated = [*lines, *order.sample(lines, len(lines) // 3)]
    order.shuffle(repeated)
    encoded = [json.dumps({"traceId": trace_id, **event}).encode() + b"\n" for event in repeated]
    with closing(SqliteSink(home)) as sink:
        for start in range(0, len(encoded), batch):
            sink.send(encoded[start : start + batch])
    assert_all_agree(home, trace_id, StoreReader(home).lines(trace_id))


def chooses(trace: whyops.Trace) -> None:
    trace.llm_response_sync(
        "m", "p", "x", tool_calls=[{"name": "f", "arguments": "{}"}], usage={"totalTokens": 100, "completionTokens": 20}
    )


def calls(trace: whyops.Trace) -> None:
    with trace.tool_span("f", {"a": 1}) as span:
        span.result = {"error": "no"}


def fails(trace: whyops.Trace) -> None:
    with pytest.raises(ValueError, match="no"), trace, trace.tool_span("f"):
        raise ValueError("no")


def is_cancelled(trace: whyops.Trace) -> None:
    with pytest.raises(KeyboardInterrupt), trace.tool_span("f"):
        raise KeyboardInterrupt


def answers_a_request(trace: whyops.Trace) -> None:
    span = trace.tool_call_request_sync("f", [{"name": "f", "arguments": {}}])
    trace.tool_result_sync("f", {"error": "no"}, span_id=span)


def answers_twice(trace: whyops.Trace) -> None:
    span = trace.tool_call_request_sync("f", [])
    for _ in range(2):
        trace.tool_call_response_sync("f", span, [], {"error": "no"})
    trace.error_sync("no", span_id=span)


def answers_alone(trace: whyops.Trace) -> None:
    trace.tool_call_response_sync("f", "alone", [], {"error": "no"})


def embeds(trace: whyops.Trace) -> None:
    trace.embedding_request_sync(["x"])
    trace.embedding_response_sync("m", "p", 1, 3, total_tokens=55)


def goes_wrong(trace: whyops.Trace) -> None:
    trace.error_sync("no", span_id="nowhere")
    trace.user_message_sync([{"role": "user", "content": "hi"}], metadata={"usage": {"promptTokens": 3, "totalTokens": 9}})  # type: ignore[typeddict-unknown-key]  (an odd place)


ACTS = (chooses, calls, fails, is_cancelled, answers_a_request, answers_twice, answers_alone, embeds, goes_wrong)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(ACTS), min_size=1, max_size=9))
def test_of_what_is_recorded(home: Path, printed: Callable[..., str], acts: list[Callable[[whyops.Trace], None]]) -> None:
    """With `status`, which counts the events of all traces together; `load_trace` reads what `show` does."""
    trace_id = f"run-{next(numbered)}"
    with whyops.WhyOps(home=home) as sdk:
        trace = sdk.trace(trace_id)
        for act in acts:
            act(trace)
    shown = assert_all_agree(home, trace_id, printed("--home", str(home), "export", trace_id).splitlines())
    totals = json.loads(printed("--home", str(home), "show", trace_id, "--json"))["totals"]
    assert (totals["events"], totals["toolCalls"], totals["errors"]) == (shown.events, shown.calls, shown.errors)
    (local,) = json.loads(printed("--home", str(home), "status", "--json"))
    everything = sum(summary.events for summary in StoreReader(home).summaries())
    assert (local["recorded"], local["delivered"], local["waiting"]) == (everything, everything, 0)
