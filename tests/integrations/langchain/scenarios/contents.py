"""Messages of more than text: images, files, sounds, citations, reasoning."""

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool

from tests.integrations.langchain.parts import ask, calls
from tests.integrations.langchain.running import Run
from tests.integrations.langchain.tools import find
from tests.integrations.scenario import scenario

SMALL = "aGVsbG8="
LARGE = "iVBORw0KGgo" * 1_000


def asked_about(run: Run, *parts: Any) -> None:
    """Ask about something, and once more."""
    model = run.model()
    said: list[BaseMessage] = [HumanMessage([{"type": "text", "text": "What is it?"}, *parts])]
    said.append(run.invoke(model, said))
    run.invoke(model, [*said, HumanMessage("And now?")])


@scenario(feature="Images", recorded="The image's address", streamed=True)
def image_by_address(run: Run) -> None:
    asked_about(run, {"type": "image_url", "image_url": {"url": "https://example.org/1.png"}})


@scenario(feature="Images", recorded="A small image as it is", streamed=True)
def small_image(run: Run) -> None:
    asked_about(run, {"type": "image", "base64": SMALL, "mime_type": "image/png"})


@scenario(feature="Images", recorded="Of a large one kind and length", streamed=True)
def large_image(run: Run) -> None:
    asked_about(run, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{LARGE}"}})


@scenario(feature="Images", recorded="Of a large one kind and length, in Anthropic's form too")
def large_image_of_anthropic(run: Run) -> None:
    asked_about(run, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": LARGE}})


@scenario(feature="Images", recorded="An image that a tool gave, in the result and in the prompt", streamed=True)
def image_of_a_tool(run: Run) -> None:
    @tool
    def look(place: str) -> Any:
        """Look."""
        return [{"type": "text", "text": "There:"}, {"type": "image", "base64": SMALL, "mime_type": "image/png"}]

    run.invoke(create_agent(run.model(calls(("look", {"place": "out"})), "A tree."), [look]), ask())


@scenario(feature="Files and sounds", recorded="Name and kind, of large data the length")
def files_and_sounds(run: Run) -> None:
    file = {"type": "file", "base64": LARGE, "mime_type": "application/pdf", "filename": "a.pdf"}
    asked_about(run, file, {"type": "audio", "base64": SMALL, "mime_type": "audio/wav"})


@scenario(feature="Text in parts", recorded="One text", streamed=True)
def text_in_parts(run: Run) -> None:
    asked_about(run, {"type": "text", "text": " Tell"}, " me.")


@scenario(feature="Text in parts", recorded="One text, with the cache's marks left out", streamed=True)
def cached_parts(run: Run) -> None:
    model = run.model()
    rules = SystemMessage([{"type": "text", "text": "Help.", "cache_control": {"type": "ephemeral"}}])
    for text in ("One?", "Two?"):
        run.invoke(model, [rules, HumanMessage(text)])


@scenario(feature="Reasoning", recorded="Apart from the answer; the next prompt by ids")
def reasoning(run: Run) -> None:
    parts: Any = [{"type": "thinking", "thinking": "Let me see.", "signature": "s"}, {"type": "text", "text": "So."}]
    model = run.model(AIMessage(parts))
    said: list[BaseMessage] = [HumanMessage("Why?")]
    said.append(run.invoke(model, said))
    run.invoke(model, [*said, HumanMessage("And now?")])


@scenario(feature="Reasoning", recorded="Apart from the answer, before its tool calls")
def reasoning_before_tools(run: Run) -> None:
    parts: Any = [
        {"type": "thinking", "thinking": "Let me see.", "signature": "s"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "1", "name": "find", "input": {"order": "1"}},
    ]
    model = run.model(AIMessage(parts, tool_calls=[{"name": "find", "args": {"order": "1"}, "id": "1"}]), "It has.")
    run.invoke(create_agent(model, [find]), ask())


@scenario(feature="Citations", recorded="Beside the answer; in the next prompt as they stand there")
def citations(run: Run) -> None:
    parts: Any = [{"type": "text", "text": "Lamps.", "citations": [{"cited_text": "Lamps", "document_title": "Lamps"}]}]
    model = run.model(AIMessage(parts))
    said: list[BaseMessage] = [HumanMessage("What?")]
    said.append(run.invoke(model, said))
    run.invoke(model, [*said, HumanMessage("And now?")])


@scenario(feature="Refusals", recorded="As the answer, marked; in the next prompt as it stands there")
def refusal(run: Run) -> None:
    model = run.model(AIMessage("", additional_kwargs={"refusal": "No."}), "Sorry.")
    said: list[BaseMessage] = [HumanMessage("Do it.")]
    said.append(model.invoke(said, run.config))
    run.kept[-1].answer = "No."
    run.invoke(model, [*said, HumanMessage("Why?")])


@scenario(feature="Tools of the provider", recorded="As calls with their results; in the next prompt as they stand there")
def server_tools(run: Run) -> None:
    parts: Any = [
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "lamps"}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"url": "https://example.org/lamps"}]},
        {"type": "text", "text": "Found."},
    ]
    model = run.model(AIMessage(parts))
    said: list[BaseMessage] = [HumanMessage("Search.")]
    said.append(run.invoke(model, said))
    run.invoke(model, [*said, HumanMessage("And now?")])


@scenario(feature="Artifacts", recorded="Beside the result; of the prompt the text that the model is told", streamed=True)
def artifact(run: Run) -> None:
    @tool(response_format="content_and_artifact")
    def fetch(page: str) -> Any:
        """Fetch."""
        return f"page {page}", {"rows": [1, 2, 3]}

    run.invoke(create_agent(run.model(calls(("fetch", {"page": "1"})), "Read."), [fetch]), ask())


@scenario(
    feature="Results that are no text", recorded="The object as the result; the text that the model is told in the prompt", streamed=True
)
def object_as_result(run: Run) -> None:
    @tool
    def count(what: str) -> Any:
        """Count."""
        return {"what": what, "count": 3}

    run.invoke(create_agent(run.model(calls(("count", {"what": "lamps"})), "Three."), [count]), ask())


@scenario(feature="Results that are no text", recorded="Parts of text, as one text", streamed=True)
def parts_as_result(run: Run) -> None:
    @tool
    def read(page: str) -> Any:
        """Read."""
        return [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]

    run.invoke(create_agent(run.model(calls(("read", {"page": "1"})), "Read."), [read]), ask())


@scenario(feature="Results that are no text", recorded="An empty result, as it is", streamed=True)
def no_result(run: Run) -> None:
    @tool
    def forget(what: str) -> None:
        """Forget."""

    @tool
    def own(what: str) -> Any:
        """Tell."""
        return ToolMessage("", tool_call_id="call-own-1")

    model = run.model(calls(("forget", {"what": "it"}), ("own", {"what": "it"})), "Forgotten.")
    run.invoke(create_agent(model, [forget, own]), ask())
