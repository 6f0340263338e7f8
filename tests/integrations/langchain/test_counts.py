"""What an agent's run makes this package do does not grow unseen: so many encodings, and nothing is worked out again for each trace."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import CodeType
from typing import Any
from uuid import UUID

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from tests.integrations.langchain.parts import Scripted, ask, calls
from tests.integrations.langchain.tools import find
from tests.profiled import counted_calls
from whyops._encoding.encoder import Encoder
from whyops._recording.prompts import _spread_tools
from whyops.integrations.langchain import WhyOpsCallbackHandler
from whyops.integrations.langchain._translate import said


def counted(*functions: Callable[..., Any]) -> AbstractContextManager[Counter[CodeType]]:
    """Count the calls of these functions in this thread, and in those that start meanwhile, by their code."""
    codes = {function.__code__ for function in functions}  # type: ignore[attr-defined]  # they are written in Python
    return counted_calls(lambda frame: frame.f_code if frame.f_code in codes else None, new_threads=True)


def run_agent(handler: WhyOpsCallbackHandler, thread: str) -> None:
    """Let an agent choose a tool's call, and answer."""
    agent = create_agent(Scripted(answers=[calls(("find", {"order": "17"})), "It has shipped."]), [find])
    agent.invoke(ask("Where is order 17?"), {"callbacks": [handler], "configurable": {"thread_id": thread}})


def test_each_part_of_an_event_is_encoded_once(handler, captured):
    """Content and labels of prompt and two answers; of the tool's call arguments, labels and result, as its end has the start's labels."""
    run_agent(handler, "the first")
    before = len(captured.events)
    with counted(Encoder.encode) as found:
        run_agent(handler, "the second")
    assert len(captured.events) - before == 5
    assert found[Encoder.encode.__code__] == 2 * 3 + 3


def counted_in_all() -> AbstractContextManager[Counter[str]]:
    """Count the calls of this package's functions in this thread, and in those that start meanwhile."""
    return counted_calls(lambda frame: "calls" if frame.f_globals.get("__name__", "").startswith("whyops.") else None, new_threads=True)


def test_a_run_takes_so_many_calls_of_ours(handler, captured):
    """Two models' calls, a tool's and three nodes; Python before 3.12 counts each comprehension as a call."""
    run_agent(handler, "the first")
    with counted_in_all() as found:
        run_agent(handler, "the second")
    assert captured.events
    assert found["calls"] <= 1_060


def test_a_message_that_was_in_the_last_prompt_takes_few_calls(handler, captured):
    """Its seal is looked at, and its id found: no more for each message of a long prompt."""

    def calls_for(prompt: list[Any]) -> int:
        for _ in range(2):
            run_id = uuid.uuid4()
            with counted_in_all() as found:
                handler.on_chat_model_start({}, [prompt], run_id=run_id, metadata={"thread_id": "long"})
            handler.on_llm_end(LLMResult(generations=[[ChatGeneration(message=AIMessage("Yes."))]]), run_id=run_id)
        return found["calls"]

    prompt: list[Any] = [SystemMessage("Help."), *(AIMessage(f"Answer {number}.") for number in range(300)), HumanMessage("And?")]
    few, many = calls_for([prompt[0], *prompt[201:]]), calls_for(prompt)
    assert captured.events
    assert (many - few) / 200 < 3.1


def test_an_answer_and_a_tools_message_are_taken_apart_once(handler, captured):
    """When they are told: the prompts in which they stand then, the very same objects, know them by their seals."""
    with counted(said) as found:
        run_agent(handler, "one")
    assert found[said.__code__] == len(["the question", "the call", "the tool's message", "the answer"])
    assert captured.events


def test_tool_schemas_are_taken_apart_once_for_all_traces(handler, captured):
    """Another trace in which the same tools are offered, though in other objects, looks them up by their bytes."""
    run_agent(handler, "the first")
    misses = _spread_tools.cache_info().misses
    run_agent(handler, "the second")
    assert _spread_tools.cache_info().misses == misses
    assert captured.events


def test_no_uuid_is_hashed(handler, captured):
    """Runs are looked up by the number of their id; LangChain and LangGraph hash what they hash without this package, too."""
    with counted(UUID.__hash__) as alone:
        run_agent(_Quiet(), "alone")
    with counted(UUID.__hash__) as found:
        run_agent(handler, "recorded")
    assert found == alone
    assert captured.events


class _Quiet(WhyOpsCallbackHandler):
    """Takes note of nothing."""

    def _starts(self, *_: Any) -> None:
        """Leave the run out."""
