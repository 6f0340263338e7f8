"""Who acts in an event: an agent, a node of a graph or the step of a workflow, a middleware, a query engine, as a framework tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .values import as_text

_TELLING = frozenset(
    {"agent", "lc_agent_name", "langgraph_node", "step", "middleware", "lc_source", "langgraph_subgraph", "query_engine", "postprocessor"}
)
"""What metadata holds that tells of an actor."""


def agent_in(metadata: Mapping[str, object]) -> str | None:
    """Return the agent that acts, from an event's metadata."""
    return as_text(metadata.get("agent")) or as_text(metadata.get("lc_agent_name"))


class Actor(NamedTuple):
    """Who acts; None is what nothing tells of. `around` are the nodes around a graph that is one inside another, with slashes between."""

    agent: str | None = None
    node: str | None = None
    middleware: str | None = None
    around: str | None = None
    query_engine: str | None = None
    postprocessor: str | None = None

    @classmethod
    def of(cls, metadata: Mapping[str, object]) -> Actor:
        """Read it from an event's metadata."""
        if _TELLING.isdisjoint(metadata):
            return NOBODY
        agent = agent_in(metadata)
        node, middleware = (
            next((text for name in names if (text := as_text(metadata.get(name)))), None)
            for names in (("langgraph_node", "step"), ("middleware", "lc_source"))
        )
        around, query_engine, postprocessor = (
            as_text(metadata.get(name)) for name in ("langgraph_subgraph", "query_engine", "postprocessor")
        )
        return cls(agent, node, middleware, around, query_engine, postprocessor)

    @property
    def name(self) -> str:
        """The name that tells it best from others; may be empty.

        A middleware's or a postprocessor's, an agent's, else the node's within those around it, or a query engine's.
        """
        if self.middleware is not None:
            return f"{self.middleware} (middleware)"
        return self.postprocessor or self.agent or "/".join(filter(None, (self.around, self.node))) or self.query_engine or ""

    @property
    def places(self) -> frozenset[str]:
        """Where it acts, by each name: the node or step, the nodes around it, the middleware, the query engine and the postprocessor."""
        named = (self.node, self.middleware, self.query_engine, self.postprocessor)
        return frozenset(filter(None, (*named, *(self.around or "").split("/"))))


NOBODY = Actor()
"""Of most events of an agent that no framework runs nothing tells who acts."""
