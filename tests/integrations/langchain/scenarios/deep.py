"""Deep agents: to-do lists, tasks for sub-agents, files."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("deepagents")

from deepagents import create_deep_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from tests.integrations.langchain.parts import ask, calls
from tests.integrations.langchain.running import Run
from tests.integrations.langchain.tools import find
from tests.integrations.scenario import scenario

TASK = {"description": "Where is order 1?", "subagent_type": "clerk"}


def clerk(run: Run, *answers: Any) -> Any:
    return {"name": "clerk", "description": "Finds.", "system_prompt": "Find.", "tools": [find], "model": run.model(*answers)}


@scenario(feature="Deep agents: to-do list", recorded="Each change of the list, and what the model is told of it", streamed=True)
def todos(run: Run) -> None:
    todo: Any = [{"content": "Look", "status": "in_progress"}]
    model = run.model(calls(("write_todos", {"todos": todo})), calls(("find", {"order": "1"})), "Done.")
    run.invoke(create_deep_agent(model, [find], system_prompt="Help."), ask())


@scenario(feature="Deep agents: tasks", recorded="The task, the sub-agent's own calls in it, and its answer as the result", streamed=True)
def task(run: Run) -> None:
    model = run.model(calls(("task", TASK)), "It has.")
    sub = clerk(run, calls(("find", {"order": "1"})), "Order 1 has shipped.")
    run.invoke(create_deep_agent(model, [], system_prompt="Help.", subagents=[sub]), ask())


@scenario(feature="Deep agents: tasks", recorded="A task of the general sub-agent", streamed=True)
def task_of_the_general_agent(run: Run) -> None:
    general = {"description": "Find 1.", "subagent_type": "general-purpose"}
    model = run.model(calls(("task", general)), "Order 1 has shipped.", "It has.")
    run.invoke(create_deep_agent(model, [find]), ask())


@scenario(feature="Deep agents: tasks", recorded="Two tasks at once, each with its own calls", streamed=True, concurrent=True, repeats=True)
def two_tasks(run: Run) -> None:
    model = run.model(calls(("task", TASK), ("task", {**TASK, "description": "Where is order 2?"})), "Both have.")
    run.invoke(create_deep_agent(model, [], subagents=[clerk(run)]), ask())


@scenario(feature="Deep agents: files", recorded="Each reading and writing as a tool's call", streamed=True)
def files(run: Run) -> None:
    model = run.model(
        calls(("write_file", {"file_path": "/notes.md", "content": "Order 1 has shipped.\n"})),
        calls(("read_file", {"file_path": "/notes.md"})),
        calls(("edit_file", {"file_path": "/notes.md", "old_string": "1", "new_string": "2"})),
        calls(("ls", {"path": "/"})),
        "Noted.",
    )
    run.invoke(create_deep_agent(model, []), ask())


@scenario(feature="Deep agents: files", recorded="A file that is not there, and what the model is told")
def no_such_file(run: Run) -> None:
    run.invoke(create_deep_agent(run.model(calls(("read_file", {"file_path": "/no.md"})), "There is none."), []), ask())


@scenario(feature="Deep agents: humans in the loop", recorded="The human's words, as the result of the call", streamed=True)
def rejected(run: Run) -> None:
    model = run.model(calls(("find", {"order": "1"})), "Well.")
    agent = create_deep_agent(model, [find], interrupt_on={"find": True}, checkpointer=InMemorySaver())
    run.invoke(agent, ask(), run.in_thread())
    run.invoke(agent, Command(resume={"decisions": [{"type": "reject", "message": "Not now."}]}), run.in_thread())
