"""More than is kept: the memory's bound, values that are cut, what can't be looked into."""

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from tests.integrations.langchain.parts import ask, calls
from tests.integrations.langchain.running import Run
from tests.integrations.langchain.tools import find
from tests.integrations.scenario import scenario
from whyops._recording import prompts

LONG = " ".join(f"word{number}" for number in range(400))


@scenario(feature="A history beyond the memory's bound", recorded="The messages that were forgotten, again", streamed=True, repeats=True)
def more_messages_than_remembered(run: Run) -> None:
    run.patch(prompts, "MOST_MESSAGES", 8)
    model = run.model()
    said: list[BaseMessage] = []
    for number in range(12):
        said.append(HumanMessage(f"Question {number}"))
        said.append(run.invoke(model, said[-6:] if number > 8 else said))


@scenario(feature="A history beyond the memory's bound", recorded="The messages that were forgotten, again", repeats=True)
def more_text_than_remembered(run: Run) -> None:
    run.patch(prompts, "MOST_CHARACTERS", 5_000)
    model = run.model()
    said: list[BaseMessage] = [SystemMessage(LONG)]
    for number in range(6):
        said.append(HumanMessage(f"{number} {LONG}"))
        said.append(run.invoke(model, said[:1] + said[-4:]))


@scenario(feature="A history beyond the memory's bound", recorded="Calls and results that were forgotten, as messages", repeats=True)
def more_calls_than_remembered(run: Run) -> None:
    run.patch(prompts, "MOST_MESSAGES", 6)
    model = run.model(*(calls(("find", {"order": str(number)})) for number in range(8)), "All have.")
    run.invoke(create_agent(model, [find]), ask())


@scenario(
    feature="Values beyond `max_value_bytes`",
    recorded="The beginning of a message, and that it was cut",
    gaps=("1 value cut",),
    client={"max_value_bytes": 1_024},
)
def a_long_question(run: Run) -> None:
    model = run.model()
    said: list[BaseMessage] = [HumanMessage(LONG)]
    said.append(run.invoke(model, said))
    run.invoke(model, [*said, HumanMessage("More")])


@scenario(feature="Values beyond `max_value_bytes`", recorded="Each message within its own bound", client={"max_value_bytes": 1_024})
def many_messages(run: Run) -> None:
    run.invoke(run.model(), [HumanMessage(f"{number} {LONG[:300]}") for number in range(8)])


@scenario(
    feature="Values beyond `max_value_bytes`",
    recorded="The beginning of a result, also in the prompt",
    gaps=("1 value cut",),
    client={"max_value_bytes": 1_024},
    streamed=True,
)
def a_long_result(run: Run) -> None:
    @tool
    def read(page: str) -> str:
        """Read a page."""
        return LONG

    run.invoke(create_agent(run.model(calls(("read", {"page": "1"})), "Read."), [read]), ask())


@scenario(
    feature="Values beyond `max_value_bytes`",
    recorded="The beginning of an answer, also in the next prompt",
    gaps=("1 value cut",),
    client={"max_value_bytes": 1_024},
)
def a_long_answer(run: Run) -> None:
    model = run.model(LONG)
    said: list[BaseMessage] = [HumanMessage("Tell.")]
    said.append(run.invoke(model, said))
    run.invoke(model, [*said, HumanMessage("More")])


@scenario(
    feature="Values beyond `max_value_bytes`",
    recorded="A long system prompt within its bound, beside messages that are whole",
    gaps=("2 values cut",),
    client={"max_value_bytes": 1_024},
)
def a_long_system_prompt(run: Run) -> None:
    agent = create_agent(run.model(), [find], system_prompt=LONG, checkpointer=InMemorySaver())
    for text in ("One?", "Two?"):
        run.invoke(agent, ask(text), run.in_thread())


@scenario(feature="Odd values in a message", recorded="What can't be looked into each time", repeats=True)
def what_cannot_be_looked_into(run: Run) -> None:
    odd: Any = HumanMessage([{"type": "media", "data": bytearray(3)}])
    model = run.model()
    for _ in range(2):
        run.invoke(model, [SystemMessage("Help."), odd])


@scenario(feature="Odd values in a message", recorded="Lone surrogates and NUL in the form that the service stores")
def odd_characters(run: Run) -> None:
    model = run.model()
    for text in ("a\ud800b", "a\x00b"):
        run.invoke(model, [HumanMessage(text)])


@scenario(feature="Odd values in a message", recorded="Whole numbers and fractions of arguments as they are", streamed=True)
def numbers_in_arguments(run: Run) -> None:
    @tool
    def add(one: int, other: float) -> str:
        """Add."""
        return str(one + other)

    model = run.model(AIMessage("", tool_calls=[{"name": "add", "args": {"one": 2**40, "other": 0.1}, "id": "1"}]), "So.")
    run.invoke(create_agent(model, [add]), ask())
