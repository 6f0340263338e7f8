"""The instructions change from one call to the next."""

from __future__ import annotations

from llama_index.core import VectorStoreIndex
from llama_index.core.agent.workflow import AgentWorkflow
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.chat_engine import ContextChatEngine, SimpleChatEngine

from tests.integrations.llama_index.run import Run, buffer, system, user
from tests.integrations.llama_index.scripted import NODES, embedding
from tests.integrations.scenario import scenario


@scenario(feature="A changed system prompt", recorded="Each version, once; the rest of the prompt by its ids", streamed=True)
def changed(run: Run) -> None:
    llm, said = run.llm(), [user("Hi")]
    for text in ("Be short.", "Be long.", "Be short."):
        said += [run.ask(llm, [system(text), *said]), user(f"After {text}")]


@scenario(feature="An agent's changed system prompt", recorded="The new one, in the same trace")
def changed_on_the_agent(run: Run) -> None:
    agent = run.agent(system_prompt="You are a clerk.")
    run.go(agent, "Hi")
    agent.system_prompt = "You are a judge."
    run.go(agent, "Hi")


@scenario(feature="Instructions behind the user's words", recorded="In their place", streamed=True)
def behind_the_question(run: Run) -> None:
    llm = run.llm()
    answer = run.ask(llm, [user("Where is my order?"), system("Answer in one line.")])
    run.ask(llm, [user("Where is my order?"), answer, user("And the other?"), system("Answer in two lines.")])


@scenario(feature="A system prompt alone", recorded="It, though nobody asks", streamed=True)
def alone(run: Run) -> None:
    run.ask(run.llm(), [system("Write a poem.")])


@scenario(feature="An AgentWorkflow's state prompt", recorded="What the user says as the model is told it, with the state")
def of_the_state(run: Run) -> None:
    flow = AgentWorkflow(
        agents=[run.agent(name="clerk", description="A clerk.")],
        root_agent="clerk",
        initial_state={"left": 3},
        state_prompt="State: {state}. {msg}",
    )
    run.go(flow, "What is left?", "Thanks")


@scenario(feature="A chat engine's prefix messages", recorded="Those of each turn", streamed=True)
def of_a_chat_engine(run: Run) -> None:
    engine = SimpleChatEngine.from_defaults(llm=run.llm(), memory=buffer(), system_prompt="Be kind.")
    run.talk(engine, "Hi")
    engine._prefix_messages = [ChatMessage(role="system", content="Be brief.")]
    run.talk(engine, "And?")


@scenario(feature="A context chat engine", recorded="The system prompt with what was found, new for each question", streamed=True)
def with_what_was_found(run: Run) -> None:
    index = VectorStoreIndex(NODES, embed_model=embedding())
    retriever = index.as_retriever(similarity_top_k=1)
    engine = ContextChatEngine.from_defaults(retriever, llm=run.llm(), memory=buffer(), system_prompt="You know animals.")
    run.talk(engine, "What do cats do?", "And dogs?")
