"""Agents: each prompt of the loop, with what tools have given."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from llama_index.core.agent.workflow import CodeActAgent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.tools import FunctionTool

import whyops
from tests.integrations.llama_index.run import Run, assistant, buffer, user
from tests.integrations.llama_index.scripted import calls
from tests.integrations.scenario import scenario

NOT_MADE = ("1 tool call was requested but not recorded",)


def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


def look_up(word: str) -> str:
    """Look a word up."""
    return f"{word} is a word"


@scenario(feature="A `FunctionAgent`", recorded="Each prompt of the loop, calls and results by their ids", streamed=True)
def function_agent(run: Run) -> None:
    script = (calls(("look_up", {"word": "cat"})), calls(("add", {"a": 3}), ("add", {"a": 4})), "Three.")
    run.go(run.agent(*script, tools=[add, look_up], system_prompt="Reckon."), "What is a cat?")


@scenario(feature="An agent's second turn", recorded="What is new; the rest by its ids", streamed=True)
def two_turns(run: Run) -> None:
    agent = run.agent(calls(("look_up", {"word": "cat"})), "A word.", "Bye.", tools=[look_up])
    run.go(agent, "What is a cat?", "Thanks", memory=buffer())


@scenario(feature="An agent that is given a history", recorded="The history, once")
def with_a_history(run: Run) -> None:
    run.go(run.agent(system_prompt="Help."), "And now?", chat_history=[user("Hi"), assistant("Hello.")])


@scenario(feature="A `ReActAgent`", recorded="Each prompt of the loop, with the observations", streamed=True)
def react(run: Run) -> None:
    said = (
        'Thought: I must look.\nAction: look_up\nAction Input: {"word": "cat"}',
        "Thought: done.\nAnswer: A word.",
        "Thought: k.\nAnswer: Bye",
    )
    run.go(run.react(*said, tools=[look_up]), "What is a cat?", "Thanks", memory=buffer())


@scenario(feature="A `CodeActAgent`", recorded="Each prompt of the loop, with the code's output", streamed=True)
def code_act(run: Run) -> None:
    def execute(code: str) -> str:
        """Run code."""
        return f"ran {len(code)} characters"

    llm = run.llm("<execute>\nprint(1)\n</execute>", "It printed 1.")
    # It streams in every version; the model tells no other way from it.
    run.go(CodeActAgent(code_execute_fn=execute, llm=llm), "Print 1")


@scenario(feature="A tool that fails", recorded="The error, and what the model is told of it")
def failing_tool(run: Run) -> None:
    def broken(word: str) -> str:
        """Fail."""
        raise ValueError(f"no {word}")

    run.go(run.agent(calls(("broken", {"word": "cat"})), "It failed.", tools=[broken]), "What is a cat?")


@scenario(feature="A tool that the agent does not have", recorded="What the model is told of it")
def unknown_tool(run: Run) -> None:
    run.go(run.agent(calls(("nothing", {"word": "cat"})), "I can't.", tools=[look_up]), "What is a cat?")


@scenario(feature="A tool that returns directly", recorded="Its result, and no further prompt")
def directly(run: Run) -> None:
    tool = FunctionTool.from_defaults(look_up, return_direct=True)
    run.go(run.agent(calls(("look_up", {"word": "cat"})), "Never.", tools=[tool]), "What is a cat?")


@scenario(feature="A tool with `@whyops.tool`", recorded="Once, as the agent's call")
def decorated(run: Run) -> None:
    run.go(run.agent(calls(("add", {"a": 1})), "Three.", tools=[whyops.tool(add)]), "1 + 2?")


@scenario(
    feature="An agent that is stopped at `max_iterations`",
    recorded="The error, each prompt until then, and which call was not made",
    gaps=NOT_MADE,
)
def too_many(run: Run) -> None:
    agent = run.agent(*[calls(("look_up", {"word": "cat"}))] * 4, tools=[look_up])
    with pytest.raises(Exception, match="iterations"):
        run.go(agent, "What is a cat?", max_iterations=2)


@scenario(
    feature='`early_stopping_method="generate"`',
    recorded="The prompt that asks for the answer, and which call was not made",
    gaps=NOT_MADE,
)
def generated_at_the_end(run: Run) -> None:
    agent = run.agent(calls(("look_up", {"word": "cat"})), calls(("look_up", {"word": "dog"})), "A word.", tools=[look_up])
    agent.early_stopping_method = "generate"
    run.go(agent, "What is a cat?", max_iterations=2)


@scenario(feature="A tool's result that is no text", recorded="The result, and the text that the model is told")
def results_that_are_no_text(run: Run) -> None:
    def order() -> dict[str, object]:
        """Give an order."""
        return {"id": 1, "lines": [{"sku": "a"}]}

    run.go(run.agent(calls(("order", {}), ("add", {"a": 1})), "Fine.", tools=[order, add]), "Order")


def asked_by_hand(run: Run, tool: Callable[..., object]) -> None:
    """Ask a model, call the tool that it asks for, and tell it the result."""
    llm, said = run.llm(calls(("look_up", {"word": "cat"})), "A word."), [user("What is a cat?")]
    said.append(run.ask(llm, said))
    said.append(ChatMessage(role="tool", content=str(tool(word="cat")), additional_kwargs={"tool_call_id": "call-0"}))
    run.ask(llm, said)


@scenario(
    feature="A loop of one's own, with a `FunctionTool`", recorded="The call, and the message that tells of its result", streamed=True
)
def by_hand_with_a_tool(run: Run) -> None:
    asked_by_hand(run, FunctionTool.from_defaults(look_up))


@scenario(feature="A loop of one's own, with `@whyops.tool`", recorded="The call, and the message that tells of its result")
def by_hand_with_a_decorated_function(run: Run) -> None:
    asked_by_hand(run, whyops.tool(look_up))


@scenario(feature="A loop of one's own, with a plain function", recorded="The message that tells of its result")
def by_hand_with_a_plain_function(run: Run) -> None:
    asked_by_hand(run, look_up)


@scenario(feature="`predict_and_call`", recorded="The prompt, and the call that the model asked for")
def predicted_and_called(run: Run) -> None:
    llm = run.llm(calls(("look_up", {"word": "cat"})))
    assert str(llm.predict_and_call([FunctionTool.from_defaults(look_up)], "What is a cat?")) == "cat is a word"
