"""Who acts in a run, and for whom, as what LangChain tells of its start says: trace, user, agent, node, middleware, names, tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from ..._wire.write import known

_TRACE_KEYS = ("whyops_trace_id", "thread_id", "session_id", "conversation_id")
_USER_KEYS = ("whyops_user_id", "user_id")
TRACE_AND_USER_KEYS = frozenset({*_TRACE_KEYS, *_USER_KEYS})
_FRAMEWORKS_TAGS = ("graph:", "seq:", "map:", "retry:", "langsmith:", "condition:", "branch:")
_FRAMEWORKS_KEYS = ("langgraph_", "ls_", "lc_", "checkpoint_", "whyops_", "__", "LANGSMITH_", "revision_id")
_USUAL_NAMES = ("LangGraph", "Runnable")
_MOST = 20
_LONGEST = 200


def trace_id_of(metadata: Mapping[str, Any]) -> object:
    """Return the id that a root run's metadata gives its trace: ours first, then LangGraph's thread, then the usual names of a session."""
    return _first_id(metadata, _TRACE_KEYS)


def user_id_of(metadata: Mapping[str, Any]) -> object:
    """Return the user that a root run's metadata names."""
    return _first_id(metadata, _USER_KEYS)


def labels_of(metadata: Mapping[str, Any], tags: object = None, name: object = None) -> dict[str, object]:
    """Return what a run's events say of it: agent, node and step of a graph, middleware, the run's name, and the user's tags and metadata.

    `name` is the name that the user gave the run, or one around it. Of tags and metadata, there are at most 20, and of each 200
    characters.
    """
    step = metadata.get("langgraph_step")
    own_tags = [tag[:_LONGEST] for tag in tags or () if isinstance(tag, str)] if isinstance(tags, (list, tuple)) else []
    return known(
        {
            "agent": _text(metadata.get("lc_agent_name")),
            "langgraph_node": (node := _text(metadata.get("langgraph_node"))),
            "langgraph_step": step if node is not None and isinstance(step, int) else None,
            "langgraph_subgraph": None if node is None else _around(metadata.get("langgraph_checkpoint_ns")),
            "middleware": _text(metadata.get("lc_source")),
            "run_name": _text(name),
            "tags": [tag for tag in own_tags if not tag.startswith(_FRAMEWORKS_TAGS)][:_MOST] or None,
            "run_metadata": _own(metadata) or None,
        }
    )


def given_name(name: object) -> object:
    """Return the name of a root run, unless it is the one that LangChain gives by itself."""
    return None if isinstance(name, str) and name.startswith(_USUAL_NAMES) else name


def _own(metadata: Mapping[str, Any]) -> dict[str, object]:
    """Return what the user's own metadata says of a run in plain values, without the ids that have their place in the event."""
    own: dict[str, object] = {}
    for key, value in metadata.items():
        if not isinstance(key, str) or key.startswith(_FRAMEWORKS_KEYS) or key in TRACE_AND_USER_KEYS:
            continue
        if isinstance(value, (str, int, float)) and len(own) < _MOST:
            own[key] = value[:_LONGEST] if isinstance(value, str) else value
    return own


def _around(namespace: object) -> str | None:
    """Return the nodes around a graph that is one inside another."""
    around = [part.partition(":")[0] for part in namespace.split("|")[:-1]] if isinstance(namespace, str) else []
    return "/".join(around) or None


def _text(value: object) -> str | None:
    return value[:_LONGEST] if isinstance(value, str) and value else None


def _first_id(metadata: Mapping[str, Any], keys: Iterable[str]) -> object:
    for key in keys:
        value = metadata.get(key)
        if isinstance(value, (str, int, UUID)) and value != "":
            return value
    return None
