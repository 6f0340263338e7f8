"""Test an agent: what it did is something one can assert. Run it as a program: it needs pytest alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import whyops
from whyops.testing import Run, record, repeat, replay

ORDERS = {"123": "delivered damaged", "124": "on its way"}


@whyops.tool
def search_orders(order_id: str) -> dict[str, str]:
    """Look an order up."""
    return {"order_id": order_id, "status": ORDERS[order_id]}


@whyops.tool
def refund(order_id: str) -> str:
    """Pay an order back."""
    return f"refund of {order_id} sent"


def support(order_id: str) -> str:
    """Stand for an agent: look the order up, and refund it if that is due."""
    with whyops.trace() as trace:
        trace.user_message_sync([{"role": "user", "content": f"Where is order {order_id}?"}])
        status = search_orders(order_id)["status"]
        text = refund(order_id) if "damaged" in status else f"It is {status}."
        trace.llm_response_sync("scripted-1", "openai", text)
    return text


def test_what_it_called(whyops_run: Run) -> None:
    """The fixture records the test's run; each assertion shows the run where it fails."""
    support("123")
    whyops_run.calls("search_orders").once().with_arguments(order_id="123").before("refund")
    whyops_run.called_only("search_orders", "refund").no_errors().answer_contains("refund of 123")


def test_what_it_must_not_call() -> None:
    """Without the fixture: a block."""
    with record() as run:
        support("124")
    run.calls("refund").never()


def test_a_failure_shows_the_run() -> None:
    """What is wrong, and where: this is the text of the failed assertion."""
    with record() as run:
        support("123")
    with pytest.raises(AssertionError) as failed:
        run.calls("refund").never()
    print(failed.value)


def test_two_runs() -> None:
    """Two that decide otherwise are not alike; `run.matches(file)` compares with a golden run, and shows where the two part."""
    with record() as run:
        support("123")
    with record() as other:
        support("124")
    assert not run.is_like(other)


def test_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a replay tools give back what they gave in a recorded run, and never run: here the orders are gone."""
    with record() as run:
        support("123")
    monkeypatch.setitem(ORDERS, "123", "lost")
    with replay(run):
        assert support("123") == "refund of 123 sent"


def test_a_model_that_is_not_the_same_each_time() -> None:
    """In how many of ten runs a tool was called."""
    repeat(10, lambda: support("123")).at_least(9, "search_orders").at_most(10, "refund")


if __name__ == "__main__":
    settings = ["-c", os.devnull, "--rootdir", str(Path(__file__).parent)]  # none: those of this clone need more than pytest
    command = [sys.executable, "-m", "pytest", __file__, "-q", "-s", "-p", "no:cacheprovider", *settings]
    raise SystemExit(subprocess.run(command, check=False).returncode)
