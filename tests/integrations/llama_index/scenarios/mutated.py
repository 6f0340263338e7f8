"""A message that was in a prompt is changed in place before it goes to the model again."""

from __future__ import annotations

from llama_index.core.base.llms.types import ChatMessage, TextBlock

from tests.integrations.llama_index.run import Run, assistant, system, user
from tests.integrations.llama_index.scripted import calls
from tests.integrations.scenario import scenario


@scenario(feature="A message mutated in place: its text", recorded="Both versions, each in its prompt", streamed=True)
def text(run: Run) -> None:
    llm, said = run.llm(), [system("Be kind."), user("Hi")]
    said.append(run.ask(llm, said))
    said[0].content = "Be rude."
    run.ask(llm, [*said, user("And?")])


@scenario(feature="A message mutated in place: a block more", recorded="Both versions, each in its prompt", streamed=True)
def a_block_more(run: Run) -> None:
    llm, question = run.llm(), user("Compare:")
    run.ask(llm, [question])
    question.blocks.append(TextBlock(text="cats"))
    run.ask(llm, [question])
    question.blocks[1] = TextBlock(text="dogs")
    run.ask(llm, [question])


@scenario(feature="A message mutated in place: a model's own answer", recorded="What it was made, where it is told again", streamed=True)
def an_answer(run: Run) -> None:
    llm, said = run.llm("The key is 1234."), [user("What is the key?")]
    said.append(run.ask(llm, said))
    said[1].content = "The key is hidden."
    run.ask(llm, [*said, user("Thanks")])


@scenario(feature="A message mutated in place: a call's arguments", recorded="Both versions, each in its prompt", streamed=True)
def arguments(run: Run) -> None:
    llm, asked = run.llm(), calls(("find", {"order": {"id": "1"}}))
    result = ChatMessage(role="tool", content="found", additional_kwargs={"tool_call_id": "call-0"})
    run.ask(llm, [user("Find it"), asked, result])
    asked.additional_kwargs["tool_calls"][0].tool_kwargs["order"]["id"] = "2"
    run.ask(llm, [user("Find it"), asked, result])


@scenario(feature="A message that is used again", recorded="Once", streamed=True)
def used_again(run: Run) -> None:
    llm, shared = run.llm(), user("Hi")
    for text_ in ("One", "Two"):
        run.ask(llm, [shared, assistant(text_), shared])
    shared.additional_kwargs["name"] = "ada"
    run.ask(llm, [shared])
