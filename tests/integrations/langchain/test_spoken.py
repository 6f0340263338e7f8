"""What of a run's inputs and outputs is somebody's words, in each form in which LangChain takes a message."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.types import Command

from whyops.integrations.langchain import _spoken


@pytest.mark.parametrize(
    "last",
    [
        *("Hi", ("user", "Hi"), ("human", "Hi"), {"role": "user", "content": "Hi"}, {"type": "human", "content": "Hi"}),
        *(HumanMessage("Hi"), ChatMessage(role="user", content="Hi"), HumanMessage([{"type": "text", "text": "Hi"}])),
    ],
)
def test_a_question_in_any_form(last: Any) -> None:
    """As the only input, as the last message of a list, or of a state."""
    assert _spoken.question_in(last, is_graph=True) == "Hi"
    if not isinstance(last, str):
        assert _spoken.question_in([SystemMessage("Be kind."), last], is_graph=False) == "Hi"
        assert _spoken.question_in({"messages": [last]}, is_graph=True) == "Hi"


@pytest.mark.parametrize(
    "inputs",
    [
        *(None, "", 3, {}, [], {"messages": []}, {"messages": None}, [AIMessage("Hi")], {"messages": [ToolMessage("x", tool_call_id="1")]}),
        *({"a": "x", "b": "y"}, [1, 2], ("a", "b"), Command(resume="yes"), object()),
    ],
)
def test_what_is_no_question(inputs: Any) -> None:
    """Where nobody speaks, or the user is not the last one who does."""
    assert _spoken.question_in(inputs, is_graph=False) is None


def test_a_single_text_by_name_is_a_chains_question_and_a_graphs_state() -> None:
    """A prompt's variable holds what was asked; a graph's field holds anything."""
    assert _spoken.question_in({"question": "Hi"}, is_graph=False) == "Hi"
    assert _spoken.question_in({"question": "Hi"}, is_graph=True) is None


@pytest.mark.parametrize("message", [AIMessage("Yes."), ("ai", "Yes."), ("assistant", "Yes."), {"role": "assistant", "content": "Yes."}])
def test_an_answer_in_any_form(message: Any) -> None:
    """Of a node: in an update, a Command, or several of them; of a run: at the end of its messages."""
    update = {"messages": [("user", "Hi"), message]}
    gives: list[Any] = [update, {"messages": message}, Command(update=update), [Command(update=update)], [update], [message]]
    for outputs in gives:
        assert [_spoken.words_of(told) for told in _spoken.told_by_node(outputs)] == ["Yes."]
    assert _spoken.answer_in(update) == "Yes."


@pytest.mark.parametrize("outputs", [None, {}, [], 3, "x", {"messages": []}, Command(goto="x"), [None], {"number": 1}])
def test_a_node_that_says_nothing(outputs: Any) -> None:
    """Gives no message."""
    assert list(_spoken.told_by_node(outputs)) == []


def test_what_a_run_gives_besides_words() -> None:
    """A value stays a value; a message in which somebody else speaks, or which only asks for tools, is no answer."""
    assert _spoken.answer_in({"number": 1}) == {"number": 1}
    assert _spoken.answer_in(7) == 7
    assert _spoken.answer_in({"messages": [HumanMessage("Hi")]}) is None
    assert _spoken.answer_in([AIMessage("", tool_calls=[{"name": "pay", "args": {}, "id": "1"}])]) is None
