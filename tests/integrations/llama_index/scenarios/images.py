"""Images and other parts that are no text."""

from __future__ import annotations

import base64
from typing import Any

from llama_index.core.base.llms.types import AudioBlock, ChatMessage, DocumentBlock, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool, ToolOutput

from tests.integrations.llama_index.run import Run, user
from tests.integrations.llama_index.scripted import calls
from tests.integrations.scenario import scenario

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def with_parts(*blocks: Any) -> ChatMessage:
    return ChatMessage(role="user", blocks=[TextBlock(text="What is this?"), *blocks])


@scenario(feature="An image", recorded="Its data, once", streamed=True)
def small(run: Run) -> None:
    llm, said = run.llm(), [with_parts(ImageBlock(image=PIXEL, image_mimetype="image/png"))]
    said.append(run.ask(llm, said))
    run.ask(llm, [*said, user("And now?")])


@scenario(feature="A large image", recorded="Its kind and length; the same image is known again", streamed=True)
def large(run: Run) -> None:
    llm, said = run.llm(), [with_parts(ImageBlock(image=PIXEL + bytes(6_000), image_mimetype="image/png"))]
    said.append(run.ask(llm, said))
    run.ask(llm, [*said, user("And now?")])


@scenario(feature="An image by its address", recorded="The address")
def by_address(run: Run) -> None:
    run.ask(run.llm(), [with_parts(ImageBlock(url="https://example.com/cat.png"))])


@scenario(feature="Sound and documents", recorded="Kind, length and name")
def other_parts(run: Run) -> None:
    document = DocumentBlock(data=base64.b64encode(b"%PDF" + bytes(6_000)), title="paper.pdf", document_mimetype="application/pdf")
    run.ask(run.llm(), [with_parts(AudioBlock(audio=base64.b64encode(b"RIFF" + bytes(6_000)), format="wav"), document)])


@scenario(feature="An image for an agent", recorded="In the agent's prompts, once", streamed=True)
def for_an_agent(run: Run) -> None:
    def look_up(word: str) -> str:
        """Look a word up."""
        return f"{word} is a word"

    agent = run.agent(calls(("look_up", {"word": "pixel"})), "A pixel.", tools=[look_up])

    async def ask() -> None:
        await agent.run(with_parts(ImageBlock(image=PIXEL, image_mimetype="image/png")))

    run.wait(ask())


@scenario(feature="A tool that gives an image", recorded="The result, and the message in which the model is told it")
def of_a_tool(run: Run) -> None:
    def photograph() -> ToolOutput:
        blocks = [TextBlock(text="A photo:"), ImageBlock(image=PIXEL, image_mimetype="image/png")]
        return ToolOutput(tool_name="photograph", raw_input={}, raw_output="photo", blocks=blocks)

    tool = FunctionTool.from_defaults(photograph, name="photograph", description="Take a photo.")
    run.go(run.agent(calls(("photograph", {})), "A pixel.", tools=[tool]), "Take one")


@scenario(feature="An image that is changed in place", recorded="Both, each in its prompt", streamed=True)
def mutated(run: Run) -> None:
    llm, image = run.llm(), ImageBlock(image=PIXEL, image_mimetype="image/png")
    said = [with_parts(image)]
    run.ask(llm, said)
    image.image = base64.b64encode(PIXEL[::-1])
    run.ask(llm, said)
