"""The instructions that models were given."""

from __future__ import annotations

from tests._trace.chosen import answers, asks, prompt, trace_of
from whyops._render.instructions import instructions

RULE = {"role": "system", "content": "Be kind."}
USER = {"role": "user", "content": "a?"}


def test_each_is_told_where_it_is_new() -> None:
    """Once, however often it is recorded; also where it is told beside a prompt, or only an answer has it."""
    trace = trace_of(
        prompt([RULE, USER], "1", [0, 1]),
        answers("!", "1"),
        prompt([RULE, USER], "2", [0, 1]),
        answers("!", "2"),
        prompt([{"role": "developer", "content": "Be short."}], "3", [0]),
        answers("!", "3"),
        {**asks("b?"), "metadata": {"systemPrompt": "Be quick."}},
        {**asks("c?"), "metadata": {"systemPrompt": "Be kind."}},
    )
    found = instructions(trace)
    assert [found.get(id(step)) for step in trace.walk()] == [["Be kind."], None, None, None, ["Be short."], ["Be quick."], None]
