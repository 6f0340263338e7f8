"""Answers in a form that is asked for."""

from __future__ import annotations

import contextlib
from typing import Any

from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import PydanticOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from tests.integrations.langchain.parts import ask, calls
from tests.integrations.langchain.running import Run
from tests.integrations.langchain.tools import find
from tests.integrations.scenario import scenario


class Report(BaseModel):
    """A report."""

    sky: int


class Other(BaseModel):
    """Another form."""

    text: str


def report(sky: Any, call_id: str = "1") -> AIMessage:
    return AIMessage("", tool_calls=[{"name": "Report", "args": {"sky": sky}, "id": call_id}])


@scenario(feature="Structured answer by function calling", recorded="The call's arguments, as the answer")
def function_calling(run: Run) -> None:
    model = run.model(report(7)).with_structured_output(Report)
    run.invoke(model, [HumanMessage("The sky?")])


@scenario(feature="Structured answer by function calling", recorded="The call's arguments, as the answer")
def with_the_raw_message(run: Run) -> None:
    model = run.model(report(7), report(8, "2")).with_structured_output(Report, include_raw=True)
    asked = HumanMessage("The sky?")
    raw = model.invoke([asked], run.config)["raw"]  # type: ignore[index]  # with include_raw
    model.invoke([asked, raw, HumanMessage("And now?")], run.config)


@scenario(feature="Structured answer by function calling", recorded="The answer that did not fit, and that its parsing failed")
def that_does_not_fit(run: Run) -> None:
    model = run.model(report("blue")).with_structured_output(Report, include_raw=True)
    with contextlib.suppress(ValueError):
        model.invoke([HumanMessage("The sky?")], run.config)


@scenario(
    feature="Structured answer of an agent (`ToolStrategy`)", recorded="The call, and what the agent told the model of it", streamed=True
)
def tool_strategy(run: Run) -> None:
    run.invoke(create_agent(run.model(report(7)), [], response_format=ToolStrategy(Report)), ask())


@scenario(
    feature="Structured answer of an agent (`ToolStrategy`)", recorded="The form that did not fit, why, and the one that did", streamed=True
)
def tool_strategy_tried_again(run: Run) -> None:
    model = run.model(report("blue"), report(7, "2"))
    run.invoke(create_agent(model, [find], response_format=ToolStrategy(Report)), ask())


@scenario(
    feature="Structured answer of an agent (`ToolStrategy`)",
    recorded="The tools' results, then the answer; and a turn after it",
    streamed=True,
)
def tool_strategy_after_tools(run: Run) -> None:
    model = run.model(calls(("find", {"order": "1"})), report(7), report(8, "2"))
    agent = create_agent(model, [find], response_format=ToolStrategy(Report), checkpointer=InMemorySaver())
    for text in ("The sky?", "And now?"):
        run.invoke(agent, ask(text), run.in_thread())


@scenario(
    feature="Structured answer of an agent (`ToolStrategy`)", recorded="Two answers at once, and that one was asked for", streamed=True
)
def tool_strategy_with_two_answers(run: Run) -> None:
    both = calls(("Report", {"sky": 7}), ("Other", {"text": "blue"}))
    run.invoke(create_agent(run.model(both, report(7)), [], response_format=ToolStrategy(Report | Other)), ask())


@scenario(
    feature="Structured answer of an agent (`ProviderStrategy`)", recorded="The answer's text; the form among the parameters", streamed=True
)
def provider_strategy(run: Run) -> None:
    run.invoke(create_agent(run.model('{"sky": 7}'), [find], response_format=ProviderStrategy(Report)), ask())


@scenario(feature="Structured answer in JSON", recorded="The answer's text, and the instructions in the prompt", streamed=True)
def output_parser(run: Run) -> None:
    parser = PydanticOutputParser(pydantic_object=Report)
    prompt = ChatPromptTemplate.from_messages([("system", "{form}"), ("human", "{text}")]).partial(form=parser.get_format_instructions())
    run.invoke(prompt | run.model('{"sky": 7}'), {"text": "The sky?"})
    (prompt | run.model('{"sky": 8}') | parser).invoke({"text": "And now?"}, run.config)
