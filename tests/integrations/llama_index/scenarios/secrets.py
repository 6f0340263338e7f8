"""What must not leave the process is not in a prompt."""

from __future__ import annotations

from llama_index.core.base.llms.types import ChatMessage

from tests.integrations.llama_index.run import Run, system, user
from tests.integrations.llama_index.scripted import calls
from tests.integrations.scenario import scenario

KEY = "sk-proj-" + "a1B2c3D4e5F6" * 4


@scenario(
    feature="A secret in a prompt",
    recorded="The prompt without it",
    streamed=True,
    gaps=("2 values redacted",),
)
def in_a_prompt(run: Run) -> None:
    llm, said = run.llm(), [system(f"The key is {KEY}."), user("Hi")]
    said.append(run.ask(llm, said))
    run.ask(llm, [*said, user("And?")])


@scenario(
    feature="A name to hide (`redact_keys`)",
    recorded="The call's arguments without its value",
    streamed=True,
    client={"redact_keys": ["iban"]},
    gaps=("1 value redacted",),
)
def by_its_name(run: Run) -> None:
    result = ChatMessage(role="tool", content="paid", additional_kwargs={"tool_call_id": "call-0"})
    run.ask(run.llm(), [user("Pay"), calls(("pay", {"iban": "DE12 3456", "amount": 3})), result])


@scenario(
    feature="A secret in an answer", recorded="The answer without it, here and in later prompts", streamed=True, gaps=("1 value redacted",)
)
def in_an_answer(run: Run) -> None:
    llm, said = run.llm(f"It is {KEY} now."), [user("What is the key?")]
    said.append(run.ask(llm, said))
    run.ask(llm, [*said, user("Thanks")])
