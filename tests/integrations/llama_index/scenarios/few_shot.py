"""Examples in the prompt that nobody has said."""

from __future__ import annotations

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.prompts import ChatPromptTemplate, PromptTemplate

from tests.integrations.llama_index.run import Run, assistant, system, user
from tests.integrations.llama_index.scripted import calls
from tests.integrations.scenario import scenario

EXAMPLES = [user("2 + 2"), assistant("4"), user("2 + 3"), assistant("5")]


@scenario(feature="Few-shot examples", recorded="Each once, and then by its id", streamed=True)
def by_hand(run: Run) -> None:
    llm = run.llm()
    for question in ("1 + 1", "2 + 2", "4"):
        run.ask(llm, [system("Reckon."), *EXAMPLES, user(question)])


@scenario(feature="Few-shot examples of a chat template", recorded="Each as it was filled in", streamed=True)
def of_a_template(run: Run) -> None:
    template = ChatPromptTemplate([system("Speak {language}."), user("{word}"), assistant("{word}!"), user("{question}")])
    llm = run.llm()
    for language in ("Latin", "Greek", "Latin"):
        run.ask(llm, template.format_messages(language=language, word="Ave", question="And?"))


@scenario(feature="`predict` with a template", recorded="The prompt as it was filled in", streamed=True)
def predicted(run: Run) -> None:
    llm, template = run.llm(), PromptTemplate("What is a {animal}?")
    for animal in ("cat", "dog"):
        assert llm.predict(template, animal=animal) if not run.streamed else list(llm.stream(template, animal=animal))


@scenario(feature="Few-shot examples with tool calls", recorded="Calls, results and ids, though no tool ran", streamed=True)
def with_tools(run: Run) -> None:
    result = ChatMessage(role="tool", content="4", additional_kwargs={"tool_call_id": "call-0", "name": "add"})
    llm, shown = run.llm(), [user("2 + 2"), calls(("add", {"a": 2, "b": 2})), result, assistant("4")]
    for question in ("1 + 1", "3 + 3"):
        run.ask(llm, [*shown, user(question)])


@scenario(feature="Messages with names", recorded="The names", streamed=True)
def with_names(run: Run) -> None:
    llm = run.llm()
    said = [user("Hi", name="ada"), user("Hi", name="bob"), assistant("Both of you!", name="clerk")]
    run.ask(llm, [*said, user("Bye", name="ada")])
    run.ask(llm, [*said, user("Bye", name="bob")])
