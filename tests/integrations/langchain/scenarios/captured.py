"""What is not to be recorded: secrets, what the user takes out, prompts, contents."""

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langgraph.checkpoint.memory import InMemorySaver

from tests.integrations.langchain.parts import ask, calls
from tests.integrations.langchain.running import Run
from tests.integrations.langchain.tools import find
from tests.integrations.scenario import scenario
from whyops.integrations.langchain import WhyOpsCallbackHandler

SECRET = "sk-proj-" + "a1B2c3D4e5F6" * 4


def without_ada(value: Any) -> Any:
    """Take a name out of all that is recorded."""
    if isinstance(value, str):
        return value.replace("Ada", "[name]")
    if isinstance(value, list):
        return [without_ada(each) for each in value]
    return {name: without_ada(each) for name, each in value.items()} if isinstance(value, dict) else value


def several_turns(run: Run, text: str) -> None:
    """Let an agent with a tool say and be told something, twice."""
    model = run.model(calls(("find", {"order": text})), f"It is {text}.", "Bye.")
    agent = create_agent(model, [find], system_prompt=f"Know {text}.", checkpointer=InMemorySaver())
    for said in (f"Where is {text}?", "Thanks"):
        run.invoke(agent, ask(said), run.in_thread())


@scenario(feature="Secrets", recorded="Each message without them, wherever it stands", streamed=True, gaps=("8 values redacted",))
def secrets(run: Run) -> None:
    several_turns(run, SECRET)


@scenario(feature="Secrets", recorded="Arguments under names of secrets, without their values", gaps=("3 values redacted",))
def secret_arguments(run: Run) -> None:
    model = run.model(AIMessage("", tool_calls=[{"name": "find", "args": {"order": "1", "password": "correct-horse-7"}, "id": "1"}]), "So.")
    run.invoke(create_agent(model, [find]), ask())


@scenario(
    feature="Own redaction (`redact=`)", recorded="Each message as the function returns it", streamed=True, client={"redact": without_ada}
)
def own_redaction(run: Run) -> None:
    several_turns(run, "Ada")


@scenario(
    feature="Own names of secrets (`redact_keys=`)",
    recorded="Arguments without the values under these names",
    client={"redact_keys": ["order"]},
    gaps=("3 values redacted",),
)
def own_names(run: Run) -> None:
    run.invoke(create_agent(run.model(calls(("find", {"order": "1234567"})), "So."), [find]), ask())


@scenario(
    feature="Prompts left out (`capture_prompts=False`)",
    recorded="A prompt whole, where a user speaks last in it",
    streamed=True,
    client={"capture_prompts": False},
    repeats=True,
)
def no_prompts(run: Run) -> None:
    several_turns(run, "1")


@scenario(
    feature="Prompts left out (`capture_prompts=False`)",
    recorded="A prompt whole, where a user speaks last in it",
    client={"capture_prompts": False},
    repeats=True,
)
def no_prompts_of_a_conversation(run: Run) -> None:
    model = run.model()
    said: list[BaseMessage] = [SystemMessage("Help.")]
    for text in ("One?", "Two?"):
        said.append(HumanMessage(text))
        said.append(run.invoke(model, said))


@scenario(
    feature="Prompts left out (`capture_prompts=False`)",
    recorded="All the same, where the handler asks for them",
    client={"capture_prompts": False},
)
def prompts_for_one_handler(run: Run) -> None:
    run.config["callbacks"] = [WhyOpsCallbackHandler(capture_prompts=True)]
    several_turns(run, "1")


@scenario(
    feature="Contents left out (`capture_content=False`)",
    recorded="Roles, tools and ids; of contents the size",
    client={"capture_content": False},
    gaps=("11 contents not captured",),
)
def no_contents(run: Run) -> None:
    several_turns(run, "1")


@scenario(
    feature="Contents left out (`capture_content=False`)",
    recorded="Roles; of contents the size",
    client={"capture_content": False},
    gaps=("4 contents not captured",),
)
def no_contents_of_a_conversation(run: Run) -> None:
    model = run.model()
    said: list[BaseMessage] = [HumanMessage("One?")]
    said.append(run.invoke(model, said))
    run.invoke(model, [*said, HumanMessage("Two?")])
