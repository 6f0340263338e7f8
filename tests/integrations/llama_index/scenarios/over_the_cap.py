"""More than is remembered, or more than one value may hold."""

from __future__ import annotations

from unittest.mock import patch

from tests.integrations.llama_index.run import Run, assistant, system, user
from tests.integrations.scenario import scenario
from whyops._recording import prompts


@scenario(feature="More messages than are remembered", recorded="Those that were forgotten again", streamed=True, repeats=True)
def messages(run: Run) -> None:
    llm, said = run.llm(), [system("Help.")]
    with patch.object(prompts, "MOST_MESSAGES", 8):
        for number in range(12):
            said.append(user(f"Question {number}"))
            said.append(run.ask(llm, said))


@scenario(feature="More text than is remembered", recorded="What was forgotten again", repeats=True)
def characters(run: Run) -> None:
    llm, said = run.llm(), [system("Help.")]
    with patch.object(prompts, "MOST_CHARACTERS", 1_000):
        for number in range(8):
            said.append(user(f"{number}" * 200))
            said.append(run.ask(llm, said))


@scenario(
    feature="A message longer than `max_value_bytes`",
    recorded="Its beginning, once, with how long it was",
    streamed=True,
    client={"max_value_bytes": 2_000},
    gaps=("1 value cut",),
)
def a_long_message(run: Run) -> None:
    llm, long = run.llm(), user("x" * 5_000)
    for text in ("One", "Two"):
        run.ask(llm, [system("Help."), long, assistant("Yes?"), user(text)])


@scenario(
    feature="An answer longer than `max_value_bytes`",
    recorded="Its beginning, with how long it was; a later prompt says the same",
    streamed=True,
    client={"max_value_bytes": 2_000},
    gaps=("1 value cut",),
)
def a_long_answer(run: Run) -> None:
    llm, said = run.llm(f"long {'y' * 5_000}"), [user("Go on.")]
    said.append(run.ask(llm, said))
    run.ask(llm, [*said, user("Shorter.")])


@scenario(feature="A prompt of 60 messages in six calls", recorded="Each message once")
def a_long_prompt(run: Run) -> None:
    llm, said = run.llm(), [user(f"Line {number}") for number in range(60)]
    for _ in range(6):
        said.append(run.ask(llm, said))
