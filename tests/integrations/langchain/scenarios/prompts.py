"""What a prompt is made of: instructions that change, prefills, examples, names, messages that were changed in place."""

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import dynamic_prompt
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, FunctionMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate, FewShotChatMessagePromptTemplate, MessagesPlaceholder
from langchain_core.runnables.history import RunnableWithMessageHistory
from langgraph.checkpoint.memory import InMemorySaver

from tests.integrations.langchain.parts import ask, calls
from tests.integrations.langchain.running import Run
from tests.integrations.langchain.tools import failing, find
from tests.integrations.scenario import scenario


@scenario(feature="Conversation", recorded="Each message once; then by its id", streamed=True)
def plain_turns(run: Run) -> None:
    model = run.model()
    said: list[BaseMessage] = [SystemMessage("Help.")]
    for text in ("Hello", "Hello", "And now?"):
        said.append(HumanMessage(text))
        said.append(run.invoke(model, said))


@scenario(feature="Conversation", recorded="A prompt that is a text, as the user's message", streamed=True)
def a_text(run: Run) -> None:
    run.invoke(run.model(), "Hello")


@scenario(feature="Conversation", recorded="Each message once; then by its id", streamed=True)
def history_of_a_session(run: Run) -> None:
    history = InMemoryChatMessageHistory()
    prompt = ChatPromptTemplate.from_messages([("system", "Help."), MessagesPlaceholder("history"), ("human", "{text}")])
    chain = RunnableWithMessageHistory(prompt | run.model(), lambda _: history, input_messages_key="text", history_messages_key="history")
    for text in ("Hello", "And now?"):
        run.invoke(chain, {"text": text}, {"configurable": {"session_id": "s"}})


@scenario(feature="Changed system prompt", recorded="The new one; the rest by ids", streamed=True)
def changed_system_prompt(run: Run) -> None:
    model = run.model()
    question = HumanMessage("Hello")
    answer = run.invoke(model, [SystemMessage("Be short."), question])
    run.invoke(model, [SystemMessage("Be long."), question, answer, HumanMessage("More")])


@scenario(feature="Changed system prompt", recorded="Each one once, whichever is in force", streamed=True)
def system_prompts_in_turns(run: Run) -> None:
    model = run.model()
    for language in ("English", "German", "English", "German"):
        run.invoke(model, [SystemMessage(f"Speak {language}."), HumanMessage("Hello")])


@scenario(feature="Changed system prompt", recorded="The one of the moment", streamed=True)
def dynamic_system_prompt(run: Run) -> None:
    @dynamic_prompt
    def counting(request: Any) -> str:
        return f"There are {len(request.messages)} messages."

    model = run.model(calls(("find", {"order": "1"})), "It has.")
    run.invoke(create_agent(model, [find], middleware=[counting]), ask("Where is 1?"))


@scenario(feature="Changed system prompt", recorded="Instructions at the end of a prompt, where they stand", streamed=True)
def system_prompt_at_the_end(run: Run) -> None:
    model = run.model()
    answer = run.invoke(model, [HumanMessage("Hello"), SystemMessage("Be short.")])
    run.invoke(model, [HumanMessage("Hello"), answer, HumanMessage("More"), SystemMessage("Be short.")])


@scenario(feature="Changed tools", recorded="The tools offered, where they are others than before", streamed=True)
def changed_tools(run: Run) -> None:
    model = run.model()
    for tools in ([find], [find, failing], [find]):
        run.invoke(model.bind_tools(tools), [HumanMessage("Hello")])


@scenario(feature="Prefill", recorded="The beginning of the answer, as the assistant's message", streamed=True)
def prefill(run: Run) -> None:
    model = run.model()
    question = HumanMessage("A list, in JSON.")
    run.invoke(model, [question, AIMessage("[")])
    run.invoke(model, [question, AIMessage("{")])


@scenario(feature="Prefill", recorded="The answer so far, by its id", streamed=True)
def continued_answer(run: Run) -> None:
    model = run.model("It began", "and ended.")
    question = HumanMessage("Tell.")
    run.invoke(model, [question, run.invoke(model, [question])])


@scenario(feature="Prefill", recorded="The beginning of the answer, as the assistant's message", streamed=True)
def prefill_in_a_template(run: Run) -> None:
    chain = ChatPromptTemplate.from_messages([("human", "{text}"), ("ai", "Sure:")]) | run.model()
    for text in ("One", "Two"):
        run.invoke(chain, {"text": text})


@scenario(feature="Few-shot examples", recorded="Each example once, also where two are alike", streamed=True)
def few_shot(run: Run) -> None:
    examples = [("human", "2+2"), ("ai", "4"), ("human", "2+3"), ("ai", "5"), ("human", "{sum}")]
    chain = ChatPromptTemplate.from_messages(examples) | run.model()
    for sum_ in ("3+3", "2+2"):
        run.invoke(chain, {"sum": sum_})


@scenario(feature="Few-shot examples", recorded="Each example once", streamed=True)
def few_shot_template(run: Run) -> None:
    one = ChatPromptTemplate.from_messages([("human", "{sum}"), ("ai", "{is}")])
    examples: Any = FewShotChatMessagePromptTemplate(examples=[{"sum": "1+1", "is": "2"}, {"sum": "1+2", "is": "3"}], example_prompt=one)
    chain = ChatPromptTemplate.from_messages([("system", "Add."), examples, ("human", "{sum}")]) | run.model()
    for sum_ in ("3+3", "4+4"):
        run.invoke(chain, {"sum": sum_})


@scenario(feature="Few-shot examples", recorded="Examples with tool calls and their results, where no tool ran", streamed=True)
def few_shot_with_tools(run: Run) -> None:
    model = run.model("It has.", "It has, too.")
    examples = [HumanMessage("Where is 9?"), calls(("find", {"order": "9"})), ToolMessage("order 9 is lost", tool_call_id="call-find-0")]
    for text in ("Where is 1?", "Where is 2?"):
        run.invoke(model, [*examples, AIMessage("It is lost."), HumanMessage(text)])


@scenario(feature="Few-shot examples", recorded="Two examples that are alike, told by one", streamed=True, repeats=True)
def examples_that_are_alike(run: Run) -> None:
    examples = [("human", "2+2"), ("ai", "4"), ("human", "2+2"), ("ai", "4"), ("human", "{sum}")]
    chain = ChatPromptTemplate.from_messages(examples) | run.model()
    for sum_ in ("3+3", "2+2"):
        run.invoke(chain, {"sum": sum_})


@scenario(feature="A message changed in place", recorded="As it was in each call", streamed=True)
def changed_parts(run: Run) -> None:
    model = run.model()
    first = HumanMessage([{"type": "text", "text": "One"}, {"type": "image_url", "image_url": {"url": "https://x.org/1.png"}}])
    answer = run.invoke(model, [first])
    first.content[1]["image_url"]["url"] = "https://x.org/2.png"  # type: ignore[index]
    run.invoke(model, [first, answer, HumanMessage("Now?")])
    answer.content = "I never said so."
    run.invoke(model, [first, answer, HumanMessage("And now?")])


@scenario(feature="A message changed in place", recorded="The call as it was chosen, and as it was told later", streamed=True)
def changed_arguments(run: Run) -> None:
    model = run.model(calls(("find", {"order": "1"})))
    asked = run.invoke(model, [HumanMessage("Find 1")])
    find.invoke({**asked.tool_calls[0], "args": dict(asked.tool_calls[0]["args"]), "type": "tool_call"}, run.config)
    asked.tool_calls[0]["args"]["order"] = "2"
    run.invoke(model, [HumanMessage("Find 1"), asked, ToolMessage("order 2 is lost", tool_call_id="call-find-0")])


@scenario(feature="A message changed in place", recorded="As it was in each call", streamed=True)
def changed_system_message(run: Run) -> None:
    model = run.model()
    rules = SystemMessage("Be short.")
    run.invoke(model, [rules, HumanMessage("Hello")])
    rules.content = "Be long."
    run.invoke(model, [rules, HumanMessage("More")])


@scenario(feature="A message changed in place", recorded="As it was in each call", streamed=True)
def changed_question(run: Run) -> None:
    model = run.model()
    question = HumanMessage("Hello")
    for text in ("Hello?", "Hello!", "Hello?"):
        question.content = text
        run.invoke(model, [question])


@scenario(feature="Names of messages", recorded="Who speaks, where a message names it", streamed=True)
def named_speakers(run: Run) -> None:
    model = run.model("Hi Ada.", "Hi Bob.")
    answer = run.invoke(model, [HumanMessage("Hello", name="ada")])
    answer.name = "clerk"
    run.invoke(model, [HumanMessage("Hello", name="ada"), answer, HumanMessage("Me too", name="bob")])


@scenario(feature="Names of messages", recorded="The agent's name, beside its answer's id", streamed=True)
def named_agent(run: Run) -> None:
    agent = create_agent(run.model(calls(("find", {"order": "1"})), "It has.", "Bye."), [find], name="clerk")
    state = run.invoke(agent, ask())
    run.invoke(agent, {"messages": [*state["messages"], HumanMessage("Thanks")]})


@scenario(feature="Messages of any role", recorded="The role as it is")
def other_roles(run: Run) -> None:
    messages: list[BaseMessage] = [ChatMessage("Hello", role="critic"), FunctionMessage("3", name="count"), HumanMessage("Well?")]
    run.invoke(run.model(), messages)


@scenario(feature="Tool calls that can't be read", recorded="Their text, as the model wrote it")
def invalid_tool_calls(run: Run) -> None:
    wrong: Any = {"name": "find", "args": '{"order": ', "id": "call-1", "error": "no JSON"}
    model = run.model(AIMessage("", invalid_tool_calls=[wrong]), "Sorry.")
    asked = run.invoke(model, [HumanMessage("Find 1")])
    run.invoke(model, [HumanMessage("Find 1"), asked, ToolMessage("That is no JSON.", tool_call_id="call-1", status="error")])


@scenario(feature="A long conversation", recorded="Each message once; a prompt by the beginning of the one before", streamed=True)
def many_turns(run: Run) -> None:
    graph: Any = create_agent(run.model(), [], checkpointer=InMemorySaver())
    for number in range(12):
        run.invoke(graph, ask(f"Question {number}"), run.in_thread())
