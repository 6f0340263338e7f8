"""One step, with all that is known of it."""

from __future__ import annotations

import pytest

from tests._render.recordings import Run, conversation
from tests._render.terminal.test_tree import HOSTILE
from whyops._render.terminal.one_step import render_step
from whyops._render.terminal.width import width_of
from whyops._trace.recorded import RecordedTrace


def shown(number: int, run: Run | None = None, width: int = 80) -> str:
    text = render_step(RecordedTrace.from_events(conversation() if run is None else run.events), number, width=width, color=False)
    assert text is not None
    assert max(map(width_of, text.splitlines())) <= max(width, 24)
    return text


def test_a_failed_call() -> None:
    """The whole text of one: where it stands, what went wrong, its values, each whole."""
    assert shown(7) == (
        "session-123                                                         step 7 of 12\n"
        "in 1  user Where is order 123? And can I still get the money back for the other…\n"
        "in 3  model openai/gpt-4o-mini\n"
        "\n"
        "✗ refund_order\n"
        "  Mon 23 Nov 2026 18:14:06 UTC · 12 ms\n"
        "  span s4\n"
        "  ~ 1 value redacted\n"
        "  shop.PaymentError: paid by voucher\n"
        "\n"
        "Arguments\n"
        '  {"order_id": "119", "amount": 12.5}\n'
        "\n"
        "Stack\n"
        "  Traceback (most recent call last):\n"
        '    File "shop.py", line 3, in refund_order\n'
        "  shop.PaymentError: paid by voucher\n"
    )


def test_a_model_names_its_prompt_and_what_is_inside() -> None:
    """The numbers are those that `--prompt` and `--step` take."""
    text = shown(3)
    assert "its prompt: --prompt 1\n" in text
    assert text.endswith("2 steps inside\n  4  tool search_orders\n  7  tool refund_order\n")
    assert '~ requested, but not recorded: notify(who="shop")' in text


def test_an_open_call_says_so() -> None:
    """What has no result says why."""
    assert "no response recorded" in shown(12)


@pytest.mark.parametrize("number", [0, 13, -1])
def test_no_such_step(number: int) -> None:
    """A number that no step has gives nothing."""
    assert render_step(RecordedTrace.from_events(conversation()), number, width=80, color=False) is None


@pytest.mark.parametrize("width", [5, 30, 160])
def test_nothing_is_cut_and_nothing_controls_the_terminal(width: int) -> None:
    """Every value is there to its end, in printable characters, at any width."""
    run = Run()
    run.tool(f"look{HOSTILE}", {"at": f"{HOSTILE}{'x' * 3000}END"}, {"error": HOSTILE}, f"s{HOSTILE}")
    text = shown(1, run, width)
    assert "END" in text.replace("\n", "").replace(" ", "")
    assert [char for char in text if not char.isprintable() and char != "\n"] == []
