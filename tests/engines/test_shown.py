"""What Phoenix and MLflow show of programs of users, read by their own APIs: both the same, each span once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from .conftest import Behind
from .process import eventually
from .shown import Message, Shown, outline

PROGRAMS = {
    "shop-support": "examples/quickstart.py",
    "langgraph": "examples/langchain_agent.py",
    "llama-index": "examples/llama_index_agent.py",
}
SPANS = {"shop-support": 17, "langgraph": 5, "llama-index": 5}


@pytest.fixture(scope="session", params=list(PROGRAMS))
def agent(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def spans(behind: Behind, agent: str) -> Sequence[Shown]:
    behind.run(agent, PROGRAMS[agent])
    return arrived(behind, agent, SPANS[agent])


def arrived(behind: Behind, agent: str, count: int) -> Sequence[Shown]:
    return eventually(lambda: behind.engine.spans(agent), lambda spans: len(spans) >= count, behind.engine.process.log)


def test_print(spans: Sequence[Shown], agent: str) -> None:
    print(outline(spans))
    for s in spans: print(s.session, s.prompt, s.answer)


def test_print_support(behind: Behind) -> None:
    behind.run("support", "tests/engines/programs/support.py", "chat-1")
    for s in arrived(behind, "support", 12): print(s)
    print(outline(arrived(behind, "support", 12)))
    print(behind.engine.sessions("support"))
    print(behind.engine.pages("support"))
