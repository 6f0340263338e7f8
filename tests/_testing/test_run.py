"""What a test says of a run: each assertion holds for what it is about, and fails with a sentence and the run's steps."""

from __future__ import annotations

from collections.abc import Callable
from unittest import mock

import pytest

import whyops
from tests._render.recordings import Run as Recording
from whyops._trace.recorded import RecordedTrace
from whyops.testing import Run, record


def agent() -> Run:
    """Return a run: an order is looked up, twice, the refund fails, a human is asked."""
    made = Recording()
    made.add("user_message", [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is order 123?"}])
    made.model(None, [("search_orders", {"order_id": "123"})], usage={"promptTokens": 40, "completionTokens": 8})
    made.tool("search_orders", {"order_id": "123", "filters": {"state": "late", "page": 1}}, {"status": "late", "items": [1, 2]}, "s1")
    made.tool("search_orders", {"order_id": "124"}, {"status": "sent"}, "s2")
    made.tool("refund", {"order_id": "123", "amount": 0.1 + 0.2}, {"error": "TimeoutError: the bank is away"}, "s3")
    made.tool("escalate", {"to": "a human"}, "ok", "s4")
    made.model("I asked a colleague about order 123.", usage={"promptTokens": 60, "completionTokens": 12})
    return Run.of(RecordedTrace.from_events(made.events))


HOLDS: list[Callable[[Run], object]] = [
    lambda run: run.calls("refund").once(),
    lambda run: run.calls("search_orders").times(2).at_least(2).at_most(2).at_least(1),
    lambda run: run.calls("cancel").never(),
    lambda run: run.calls("search_orders").with_arguments(order_id="124").once(),
    lambda run: run.calls("search_orders").with_arguments(filters={"state": "late"}),
    lambda run: run.calls("refund").with_arguments(amount=pytest.approx(0.3), order_id=mock.ANY),
    lambda run: run.calls().times(4),
    lambda run: run.calls("search_orders").returning({"items": [1, 2]}).once(),
    lambda run: run.calls("escalate").returning("ok"),
    lambda run: run.calls("refund").failing("TimeoutError").failing(),
    lambda run: run.calls("search_orders").succeeding(),
    lambda run: run.calls("search_orders").before("refund"),
    lambda run: run.calls("escalate").after("refund").after_an_error().after_an_error("refund"),
    lambda run: run.called_in_order("search_orders", "refund", "escalate"),
    lambda run: run.called_in_order("search_orders", "search_orders", "escalate"),
    lambda run: run.called_only("search_orders", "refund", "escalate"),
    lambda run: run.tokens_at_most(120).model_calls_at_most(2).latency_at_most(60_000),
    lambda run: run.answer_contains("order 123", "colleague"),
]

FAILS: list[tuple[Callable[[Run], object], str, int]] = [
    (lambda run: run.calls("search_orders").once(), "search_orders was called twice; expected: once.", 2),
    (lambda run: run.calls("refund").never(), "refund was called once; expected: never.", 1),
    (lambda run: run.calls("refund").at_least(2), "refund was called once; expected: at least twice.", 1),
    (lambda run: run.calls("search_orders").at_most(1), "search_orders was called twice; expected: at most once.", 2),
    (lambda run: run.calls("serch_orders").once(), "serch_orders was never called; expected: once. Did you mean search_orders?", 0),
    (lambda run: run.calls("pay").once(), "pay was never called; expected: once. Called were: search_orders, refund, escalate.", 0),
    (lambda run: run.calls("refund").with_arguments(order_id="9"), 'refund was not called with order_id="9".', 1),
    (
        lambda run: run.calls("search_orders").with_arguments(order_id="124").with_arguments(filters={}),
        'search_orders with order_id="124" was not called with filters={}.',
        1,
    ),
    (lambda run: run.calls("escalate").returning("no"), 'escalate did not return "no".', 1),
    (lambda run: run.calls("escalate").failing(), "escalate did not fail.", 1),
    (lambda run: run.calls("refund").succeeding(), "refund did not succeed, in 1 call of 1.", 1),
    (lambda run: run.calls("refund").before("search_orders"), "refund was not called before search_orders.", 1),
    (lambda run: run.calls("refund").before("pay"), "pay was never called.", 0),
    (lambda run: run.calls("search_orders").after_an_error(), "search_orders was not called after an error.", 2),
    (lambda run: run.called_in_order("escalate", "refund"), "refund was not called after escalate.", 2),
    (lambda run: run.called_only("refund", "escalate"), "Called as well: search_orders; allowed: refund, escalate.", 2),
    (lambda run: run.no_errors(), "A step failed: TimeoutError: the bank is away", 1),
    (lambda run: run.tokens_at_most(100), "120 tokens were used; expected: at most 100.", 2),
    (lambda run: run.model_calls_at_most(1), "2 model calls; expected: at most 1.", 2),
    (lambda run: run.latency_at_most(1), "The run took", 1),
    (lambda run: run.answer_contains("refunded"), "The answer does not contain 'refunded': 'I asked a colleague about order 123.'", 1),
]


@pytest.mark.parametrize("say", HOLDS, ids=range(len(HOLDS)))
def test_it_holds(say: Callable[[Run], object]) -> None:
    """What is so is found to be so."""
    say(agent())


@pytest.mark.parametrize("say, sentence, marked", FAILS, ids=[sentence for _, sentence, _ in FAILS])
def test_it_fails(say: Callable[[Run], object], sentence: str, marked: int) -> None:
    """What is not so is said in a sentence, above the run's steps; those that it is about are marked."""
    with pytest.raises(AssertionError) as failed:
        say(agent())
    text = str(failed.value)
    assert text.startswith(sentence)
    assert 'search_orders(order_id="123"' in text
    assert sum(line.startswith("> ") for line in text.splitlines()) == marked


def test_a_run_without_an_answer() -> None:
    """It is said that there is none, and not that an empty one lacks a word."""
    with pytest.raises(AssertionError, match=r"^No model answered: 'refunded' was expected\."):
        Run.of(RecordedTrace.from_events([])).answer_contains("refunded")


def test_a_failure_reads_well() -> None:
    """The whole text, as a developer sees it."""
    with pytest.raises(AssertionError) as failed:
        agent().calls("refund").never()
    assert str(failed.value) == (
        "refund was called once; expected: never.\n"
        "\n"
        "  user  Where is order 123?\n"
        "    model openai/gpt-4o-mini  requests search_orders\n"
        '      search_orders(order_id="123", filters={"state": "late", "page": 1}) → {"status": "late", "items": [1, 2…\n'
        '    search_orders(order_id="124") → {"status": "sent"}\n'
        '>   refund(order_id="123", amount=0.30000000000000004) → ✗ TimeoutError: the bank is away\n'
        '    escalate(to="a human") → "ok"\n'
        "    model openai/gpt-4o-mini  I asked a colleague about order 123."
    )


def test_a_long_run_is_folded() -> None:
    """Its first and last steps are shown, and those near what is marked."""
    made = Recording()
    made.user("Go")
    for number in range(500):
        made.tool("poll", {"n": number}, "bad" if number == 250 else number, f"s{number}")
    with pytest.raises(AssertionError) as failed:
        Run.of(RecordedTrace.from_events(made.events)).calls("poll").with_arguments(n=250).never()
    text = str(failed.value)
    assert len(text.splitlines()) < 25
    assert '>   poll(n=250) → "bad"' in text
    assert "more steps" in text


def test_prompts() -> None:
    """What stood in the prompts, in any message."""
    with record() as run, whyops.trace("t") as trace:
        trace.user_message_sync([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}], call_id="c1")
        trace.llm_response_sync("gpt", "openai", "Hello", call_id="c1")
    run.prompt_contained("brief").no_prompt_contained("secret")
    with pytest.raises(AssertionError, match="No prompt of 1 model call contained 'secret'"):
        run.prompt_contained("secret")
    with pytest.raises(AssertionError, match="A prompt contained 'brief'"):
        run.no_prompt_contained("brief")


def test_a_prompt_that_is_not_recorded_can_not_be_told() -> None:
    """Then nobody can say that something was not in it."""
    with record() as run, whyops.trace("t") as trace:
        trace.llm_response_sync("gpt", "openai", "Hello", call_id="c1")
    with pytest.raises(AssertionError, match="not recorded whole"):
        run.no_prompt_contained("secret")


def test_it_looks_like_what_it_is() -> None:
    """As a text the run is its steps; as a sequence its calls are there."""
    run = agent()
    assert str(run).splitlines()[0] == "  user  Where is order 123?"
    assert [call.name for call in run.calls()] == ["search_orders", "search_orders", "refund", "escalate"]
    assert run.calls()[0].arguments == {"order_id": "123", "filters": {"state": "late", "page": 1}}
    assert not run.calls("cancel")
    assert repr(run.calls("refund")) == "<refund: 1 call>"
    assert [step.error for step in run.errors] == ["TimeoutError: the bank is away"]
    assert run.is_like(agent())
