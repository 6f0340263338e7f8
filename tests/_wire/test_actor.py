"""Who acts in an event."""

from __future__ import annotations

from typing import Any

import pytest

from whyops._wire.actor import Actor


@pytest.mark.parametrize(
    "metadata, name, places",
    [
        ({}, "", set()),
        ({"agent": "desk", "langgraph_node": "model", "langgraph_subgraph": "front"}, "desk", {"model", "front"}),
        ({"lc_agent_name": "desk", "step": "run_agent_step"}, "desk", {"run_agent_step"}),
        ({"langgraph_node": "plan"}, "plan", {"plan"}),
        ({"langgraph_node": "model", "langgraph_subgraph": "a/b"}, "a/b/model", {"a", "b", "model"}),
        ({"middleware": "summary", "agent": "desk", "langgraph_node": "x"}, "summary (middleware)", {"summary", "x"}),
        ({"lc_source": "summary"}, "summary (middleware)", {"summary"}),
        ({"query_engine": "Engine"}, "Engine", {"Engine"}),
        ({"query_engine": "Engine", "step": "ask"}, "ask", {"Engine", "ask"}),
        ({"query_engine": "Engine", "postprocessor": "Rerank", "agent": "desk"}, "Rerank", {"Engine", "Rerank"}),
        ({"agent": 7, "step": "", "langgraph_node": None}, "", set()),
    ],
)
def test_who_acts(metadata: dict[str, Any], name: str, places: set[str]) -> None:
    """A middleware or a postprocessor before an agent, that before a node within those around it, that before an engine; only by texts."""
    actor = Actor.of(metadata)
    assert (actor.name, actor.places) == (name, places)
