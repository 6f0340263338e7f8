"""The answer is begun for the model."""

from __future__ import annotations

from tests.integrations.llama_index.run import Run, assistant, system, user
from tests.integrations.scenario import scenario


@scenario(feature="A prefilled answer", recorded="The beginning, as a message of the model's", streamed=True)
def in_json(run: Run) -> None:
    llm, question = run.llm('"Tom"}', "1]"), user("Who is Tom?")
    for begun in ('{"name": ', "["):
        run.ask(llm, [system("Answer in JSON"), question, assistant(begun)])


@scenario(feature="A prefilled answer, in a conversation", recorded="The beginning, and later the whole answer", streamed=True)
def in_a_conversation(run: Run) -> None:
    llm, said = run.llm(), [user("Count.")]
    answer = run.ask(llm, [*said, assistant("One,")])
    run.ask(llm, [*said, assistant(f"One, {answer.content}"), user("Go on."), assistant("Five,")])


@scenario(feature="A prefilled answer that was given before", recorded="By the id of that answer", streamed=True)
def with_an_earlier_answer(run: Run) -> None:
    llm, said = run.llm("Once upon a time"), [user("Tell a story.")]
    begun = run.ask(llm, said)
    run.ask(llm, [*said, begun])
