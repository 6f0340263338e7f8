"""What the model is reminded of is less than what was said: cleared, trimmed or summarised."""

from __future__ import annotations

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.memory import ChatSummaryMemoryBuffer, Memory, StaticMemoryBlock

from tests.integrations.llama_index.run import Run, buffer, system, user
from tests.integrations.scenario import scenario


@scenario(feature="A cleared chat memory (`engine.reset()`)", recorded="The new prompt without what was before", streamed=True)
def cleared(run: Run) -> None:
    engine = SimpleChatEngine.from_defaults(llm=run.llm(), memory=buffer(), system_prompt="Be kind.")
    run.talk(engine, "Hi", "Still there?")
    engine.reset()
    run.talk(engine, "Hi")


@scenario(feature="A cleared history, by hand", recorded="The new prompt without what was before")
def cleared_by_hand(run: Run) -> None:
    llm, said = run.llm(), [system("Help."), user("One")]
    for text in ("Two", "Three"):
        said += [run.ask(llm, said), user(text)]
    run.ask(llm, [said[0], said[-1]])


@scenario(feature="An agent's cleared memory", recorded="The new prompt without what was before")
def of_an_agent(run: Run) -> None:
    agent, memory = run.agent(), buffer()
    run.go(agent, "Hi", "Still there?", memory=memory)
    memory.reset()
    run.go(agent, "Who are you?", memory=memory)


@scenario(feature="A memory with a token limit (`ChatMemoryBuffer`)", recorded="Those messages that were left", streamed=True)
def trimmed(run: Run) -> None:
    engine = SimpleChatEngine.from_defaults(llm=run.llm(), memory=buffer(12))
    run.talk(engine, "One two three.", "Four five six.", "Seven eight nine.", "Ten.")


@scenario(feature="A trimmed history, by hand", recorded="Those messages that were left, by their ids", streamed=True)
def trimmed_by_hand(run: Run) -> None:
    llm = run.llm()
    said: list[ChatMessage] = []
    for number in range(6):
        said.append(user(f"Question {number}"))
        said.append(run.ask(llm, [system("Help."), *said[-3:]]))


@scenario(feature="An agent whose memory has a token limit", recorded="Those messages that were left")
def trimmed_of_an_agent(run: Run) -> None:
    memory = buffer(8)
    run.go(run.agent(), "One two three.", "Four five six.", "Seven eight nine.", memory=memory)


@scenario(feature="A summarised history (`ChatSummaryMemoryBuffer`)", recorded="The summary, and the call that makes it", streamed=True)
def summarised(run: Run) -> None:
    memory = ChatSummaryMemoryBuffer.from_defaults(llm=run.llm("A summary."), token_limit=10)
    engine = SimpleChatEngine.from_defaults(llm=run.llm(), memory=memory)
    run.talk(engine, "One two three four.", "Five six seven eight.", "Nine ten.")


@scenario(feature="A summarised history, by hand", recorded="The summary, and the call that makes it")
def summarised_by_hand(run: Run) -> None:
    llm, said = run.llm(), [system("Help.")]
    for number in range(3):
        said.append(user(f"Question {number}"))
        said.append(run.ask(llm, said))
    summary = run.ask(llm, [*said, user("Summarise that.")])
    run.ask(llm, [system(f"Help. So far: {summary.content}"), user("And now?")])


@scenario(feature="An agent's summarised memory", recorded="The summary, and the call that makes it", streamed=True)
def summarised_of_an_agent(run: Run) -> None:
    memory = ChatSummaryMemoryBuffer.from_defaults(llm=run.llm("A summary."), token_limit=10)
    run.go(run.agent(), "One two three four.", "Five six seven eight.", "Nine ten.", memory=memory)


@scenario(feature="`Memory` with blocks", recorded="What a block puts into the prompt, as it stands there", streamed=True)
def with_blocks(run: Run) -> None:
    block = StaticMemoryBlock(name="facts", static_content="The user is called Ada.")
    memory = Memory.from_defaults(session_id="s", token_limit=60, chat_history_token_ratio=0.2, memory_blocks=[block])
    agent = run.agent(system_prompt="Be kind.")

    async def talk() -> None:
        for text in ("One two three four.", "Five six.", "Seven."):
            await agent.run(text, memory=memory)
        await memory.sql_store._async_engine.dispose()

    run.wait(talk())
