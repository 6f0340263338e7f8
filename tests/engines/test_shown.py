"""What Phoenix and MLflow show of programs of users, read by their own APIs: the same in both, each span once."""

from __future__ import annotations

from pathlib import Path

import pytest

from .behind import Behind
from .shown import outline

PROGRAMS = {
    "shop-support": ["examples/quickstart.py"],
    "langgraph": ["examples/langchain_agent.py"],
    "llama-index": ["examples/llama_index_agent.py"],
    "support": ["tests/engines/programs/support.py"],
}
SPANS = {"shop-support": 17, "langgraph": 5, "llama-index": 5, "support": 12}
EXPECTED = Path(__file__).parent / "expected"


@pytest.mark.parametrize("way", ["through a collector", "directly"])
@pytest.mark.parametrize("program", list(PROGRAMS))
def test_a_run_is_shown(behind: Behind, program: str, way: str) -> None:
    """Tree, kinds, prompts and answers, arguments and results, errors, tokens and users are the program's, by whichever way they came."""
    address = None if way == "through a collector" else behind.engine.process.url
    spans = behind.sent(program, *PROGRAMS[program], *([way] if program == "support" else []), count=SPANS[program], address=address)
    assert outline(spans) == (EXPECTED / f"{program}.txt").read_text("utf-8")


def test_a_conversation_is_a_session(behind: Behind, agent: str) -> None:
    """Turns of one trace of ours are traces of one session there, and the others' are others."""
    names = [f"{agent} {number}" for number in range(2)]  # Phoenix has a session's name once, for all agents
    for name in names:
        spans = behind.sent(agent, "tests/engines/programs/support.py", name, count=12)
        assert {span.session for span in spans} == {name}
        assert len({span.trace for span in spans}) == 2
    assert behind.engine.sessions(agent) == dict.fromkeys(names, 2)
