"""The middlewares of `create_agent`: humans in the loop, limits, selection of tools, to-do lists, personal data."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    HumanInTheLoopMiddleware,
    LLMToolEmulator,
    LLMToolSelectorMiddleware,
    ModelCallLimitMiddleware,
    PIIMiddleware,
    TodoListMiddleware,
    ToolCallLimitMiddleware,
    after_model,
    before_model,
    wrap_tool_call,
)
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from tests.integrations.langchain.parts import ask, calls
from tests.integrations.langchain.running import Run
from tests.integrations.langchain.tools import find, price
from tests.integrations.scenario import scenario


def decided(run: Run, *decisions: dict[str, Any]) -> None:
    """Let an agent ask a human about its call of a tool, and go on as that one decides."""
    model = run.model(calls(*(("find", {"order": str(number)}) for number in range(1, len(decisions) + 1))), "So.", "Bye.")
    asks = HumanInTheLoopMiddleware(interrupt_on={"find": True})
    agent = create_agent(model, [find], middleware=[asks], checkpointer=InMemorySaver())
    run.invoke(agent, ask("Where is 1?"), run.in_thread())
    run.invoke(agent, Command(resume={"decisions": list(decisions)}), run.in_thread())
    run.invoke(agent, ask("Thanks"), run.in_thread())


@scenario(feature="Human in the loop", recorded="The call, once it is approved", streamed=True)
def approved(run: Run) -> None:
    decided(run, {"type": "approve"})


@scenario(feature="Human in the loop", recorded="The call as the model chose it, and as the human changed it", streamed=True)
def edited(run: Run) -> None:
    decided(run, {"type": "edit", "edited_action": {"name": "find", "args": {"order": "7"}}})


@scenario(feature="Human in the loop", recorded="The human's words, as the result of the call", streamed=True)
def rejected(run: Run) -> None:
    decided(run, {"type": "reject", "message": "Not now."})


@scenario(feature="Human in the loop", recorded="Of two calls the one that ran, and why the other did not", streamed=True)
def approved_and_rejected(run: Run) -> None:
    decided(run, {"type": "approve"}, {"type": "reject", "message": "Not this one."})


@scenario(feature="Call limits", recorded="The answer that the middleware gives instead", streamed=True)
def model_call_limit(run: Run) -> None:
    model = run.model(calls(("find", {"order": "1"})), calls(("find", {"order": "2"})), "So.")
    run.invoke(create_agent(model, [find], middleware=[ModelCallLimitMiddleware(run_limit=2)]), ask())


@scenario(feature="Call limits", recorded="What the model is told in place of the result", streamed=True)
def tool_call_limit(run: Run) -> None:
    model = run.model(calls(("find", {"order": "1"})), calls(("find", {"order": "2"})), "So.")
    run.invoke(create_agent(model, [find], middleware=[ToolCallLimitMiddleware(run_limit=1)]), ask())


@scenario(feature="Call limits", recorded="What the model is told in place of the second result", streamed=True)
def tool_call_limit_of_one_tool(run: Run) -> None:
    model = run.model(calls(("find", {"order": "1"}), ("find", {"order": "2"})), "So.")
    run.invoke(create_agent(model, [find, price], middleware=[ToolCallLimitMiddleware(tool_name="find", run_limit=1)]), ask())


@scenario(feature="Tool selector", recorded="The selection's own call, and the tools that it left")
def tool_selector(run: Run) -> None:
    selector = run.model(AIMessage("", tool_calls=[{"name": "ToolSelectionResponse", "args": {"tools": ["find"]}, "id": "s"}]))
    selected = LLMToolSelectorMiddleware(model=selector, max_tools=1)
    model = run.model(calls(("find", {"order": "1"})), "It has.")
    selector.answers.insert(1, AIMessage("", tool_calls=[{"name": "ToolSelectionResponse", "args": {"tools": ["find"]}, "id": "s2"}]))
    run.invoke(create_agent(model, [find, price], middleware=[selected]), ask("Where is 1?"))


@scenario(feature="Emulated tools", recorded="The emulation's own call, and its answer as the result", streamed=True)
def tool_emulator(run: Run) -> None:
    emulator = LLMToolEmulator(tools=["find"], model=run.model("order 1 is here"))
    run.invoke(create_agent(run.model(calls(("find", {"order": "1"})), "Here."), [find], middleware=[emulator]), ask())


@scenario(feature="To-do list", recorded="Each change of the list, as a tool's call", streamed=True)
def todo_list(run: Run) -> None:
    todo: Any = [{"content": "Look", "status": "in_progress"}]
    done: Any = [{"content": "Look", "status": "completed"}]
    model = run.model(calls(("write_todos", {"todos": todo})), calls(("write_todos", {"todos": done})), "Done.")
    run.invoke(create_agent(model, [find], middleware=[TodoListMiddleware()]), ask())


@scenario(feature="Personal data", recorded="The prompt as the model sees it: without it", streamed=True)
def personal_data_in_a_question(run: Run) -> None:
    hidden = PIIMiddleware("email", strategy="redact")
    run.invoke(create_agent(run.model(), [], middleware=[hidden]), ask("Write to ada@example.org."))


@scenario(feature="Personal data", recorded="The prompt as the model sees it: masked", streamed=True)
def personal_data_in_a_result(run: Run) -> None:
    hidden = PIIMiddleware("ip", strategy="mask", apply_to_tool_results=True)
    model = run.model(calls(("find", {"order": "192.168.0.17"})), "Found.")
    run.invoke(create_agent(model, [find], middleware=[hidden]), ask())


@scenario(feature="Personal data", recorded="The answer as the model gave it, and as the next prompt has it", streamed=True)
def personal_data_in_an_answer(run: Run) -> None:
    hidden = PIIMiddleware("email", strategy="hash", apply_to_output=True)
    agent = create_agent(run.model("Write to bob@example.org.", "Bye."), [], middleware=[hidden], checkpointer=InMemorySaver())
    for text in ("Whom?", "Thanks"):
        run.invoke(agent, ask(text), run.in_thread())


@scenario(feature="Replaced results", recorded="What the tool gave, and what the model was told", streamed=True)
def replaced_result(run: Run) -> None:
    @wrap_tool_call
    def shorter(request: Any, handler: Any) -> Any:
        told = handler(request)
        return ToolMessage("shipped", tool_call_id=told.tool_call_id, name=told.name)

    run.invoke(create_agent(run.model(calls(("find", {"order": "1"})), "So."), [find], middleware=[shorter]), ask())


@scenario(feature="Replaced results", recorded="A middleware's answer in place of the tool's", streamed=True)
def answered_by_a_middleware(run: Run) -> None:
    @wrap_tool_call
    def denied(request: Any, handler: Any) -> Any:
        return ToolMessage("That is not allowed.", tool_call_id=request.tool_call["id"], name="find", status="error")

    run.invoke(create_agent(run.model(calls(("find", {"order": "1"})), "So."), [find], middleware=[denied]), ask())


@scenario(feature="Replaced results", recorded="The call as it ran, with other arguments", streamed=True)
def other_arguments(run: Run) -> None:
    @wrap_tool_call
    def other(request: Any, handler: Any) -> Any:
        return handler(request.override(tool_call={**request.tool_call, "args": {"order": "7"}}))

    run.invoke(create_agent(run.model(calls(("find", {"order": "1"})), "So."), [find], middleware=[other]), ask())


@scenario(feature="Own middleware", recorded="What it adds to the prompt", streamed=True)
def added_before_the_model(run: Run) -> None:
    @before_model
    def hint(state: Any, runtime: Any) -> Any:
        return {"messages": [SystemMessage(f"So far {len(state['messages'])}.")]}

    model = run.model(calls(("find", {"order": "1"})), "So.")
    run.invoke(create_agent(model, [find], middleware=[hint]), ask())


@scenario(feature="Own middleware", recorded="The model's answer, and the one that replaced it in the next prompt", streamed=True)
def changed_after_the_model(run: Run) -> None:
    @after_model
    def polite(state: Any, runtime: Any) -> Any:
        last = state["messages"][-1]
        return {"messages": [AIMessage(f"{last.content} Please.", id=last.id)]}

    agent = create_agent(run.model(), [], middleware=[polite], checkpointer=InMemorySaver())
    for text in ("One?", "Two?"):
        run.invoke(agent, ask(text), run.in_thread())


@scenario(feature="Own middleware", recorded="The model's first answer, and the second that it was asked for", streamed=True)
def asked_again(run: Run) -> None:
    @after_model(can_jump_to=["model"])
    def again(state: Any, runtime: Any) -> Any:
        if len(state["messages"]) > 2:
            return None
        return {"messages": [HumanMessage("Are you sure?")], "jump_to": "model"}

    run.invoke(create_agent(run.model(), [], middleware=[again]), ask())


class OtherModel(AgentMiddleware[Any, Any]):
    """Asks a stronger model once the conversation is long."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        return handler(request.override(model=self.model) if len(request.messages) > 2 else request)


@scenario(feature="Changed model", recorded="The model of each call, with the same prompt by ids", streamed=True, needs="langchain>=1.1")
def other_model(run: Run) -> None:
    strong = OtherModel(run.model("Strong.", model_name="strong-1"))
    agent = create_agent(run.model(calls(("find", {"order": "1"}))), [find], middleware=[strong])
    run.invoke(agent, ask())


@scenario(feature="Tools of a middleware", recorded="Each call with its result, the shell's as any other's", needs="langchain>=1.1")
def file_search(run: Run) -> None:
    from langchain.agents.middleware import FilesystemFileSearchMiddleware  # noqa: PLC0415  (not in all versions)

    search = FilesystemFileSearchMiddleware(root_path=str(Path(__file__).parent), use_ripgrep=False)
    model = run.model(calls(("glob_search", {"pattern": "middlewares.py"})), "There.")
    run.invoke(create_agent(model, [], middleware=[search]), ask())


@scenario(feature="Call limits", recorded="The error that ends the run")
def limit_that_raises(run: Run) -> None:
    model = run.model(calls(("find", {"order": "1"})), calls(("find", {"order": "2"})))
    limit = ModelCallLimitMiddleware(run_limit=1, exit_behavior="error")
    with contextlib.suppress(Exception):
        run.invoke(create_agent(model, [find], middleware=[limit]), ask())
