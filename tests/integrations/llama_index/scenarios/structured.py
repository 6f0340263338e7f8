"""An answer in a form."""

from __future__ import annotations

import contextlib
from typing import Any

from llama_index.core import PromptTemplate, VectorStoreIndex
from llama_index.core.base.llms.types import ChatMessage
from pydantic import BaseModel

from tests.integrations.llama_index.run import Run, user
from tests.integrations.llama_index.scripted import NODES, calls, embedding
from tests.integrations.scenario import scenario


class Pet(BaseModel):
    """A pet."""

    name: str
    legs: int


TOM = {"name": "Tom", "legs": 4}


def in_form() -> ChatMessage:
    return calls(("Pet", TOM))


@scenario(feature="`structured_predict`", recorded="The prompt, and the answer as one: no call of a tool", streamed=True)
def predicted(run: Run) -> None:
    llm, prompt = run.llm(in_form(), in_form()), PromptTemplate("Who is {name}?")
    for name in ("Tom", "Tim"):
        if run.streamed:
            *_, pet = llm.stream_structured_predict(Pet, prompt, name=name)
        else:
            pet = llm.structured_predict(Pet, prompt, name=name)
        assert pet == Pet(**TOM)


@scenario(feature="`astructured_predict`", recorded="The prompt, and the answer as one: no call of a tool", streamed=True)
def predicted_async(run: Run) -> None:
    llm, prompt = run.llm(in_form()), PromptTemplate("Who is Tom?")

    async def ask() -> None:
        if run.streamed:
            *_, pet = [each async for each in await llm.astream_structured_predict(Pet, prompt)]
        else:
            pet = await llm.astructured_predict(Pet, prompt)
        assert pet == Pet(**TOM)

    run.wait(ask())


@scenario(feature="`as_structured_llm`", recorded="The prompt, once, and the answer", streamed=True)
def a_structured_model(run: Run) -> None:
    llm = run.llm(in_form(), in_form()).as_structured_llm(Pet)
    for text in ("Who is Tom?", "Who else?"):
        answer: Any = run.ask(llm, [user(text)])
        assert '"Tom"' in answer.content


@scenario(feature="An agent's `output_cls`", recorded="The agent's prompts, and the one that brings the answer into the form")
def of_an_agent(run: Run) -> None:
    (response,) = run.go(run.agent("Tom is a cat.", in_form(), output_cls=Pet), "Who is Tom?")
    assert response.structured_response == TOM


@scenario(feature="A query engine with a structured model", recorded="The prompt with what was found, and the answer")
def of_a_query(run: Run) -> None:
    index = VectorStoreIndex(NODES, embed_model=embedding())
    llm = run.llm(in_form()).as_structured_llm(Pet)
    response = index.as_query_engine(llm=llm).query("Who is Tom?")
    assert "Tom" in str(response)


@scenario(feature="A form that the answer does not fit", recorded="The answer, and what was said of it")
def that_does_not_fit(run: Run) -> None:
    agent = run.agent("Tom is a cat.", calls(("Pet", {"name": "Tom"})), output_cls=Pet)
    with contextlib.suppress(Exception):  # some versions raise, some answer without the form
        run.go(agent, "Who is Tom?")
