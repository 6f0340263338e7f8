"""Who acts in a run, and for whom, as what LangChain tells of its start says: trace, user, agent, node, middleware, names, tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

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
    labels: dict[str, object] = {}
    if isinstance(agent := metadata.get("lc_agent_name"), str) and agent:
        labels["agent"] = agent[:_LONGEST]
    if isinstance(node := metadata.get("langgraph_node"), str) and node:
        labels["langgraph_node"] = node[:_LONGEST]
        if isinstance(step := metadata.get("langgraph_step"), int):
            labels["langgraph_step"] = step
        namespace = metadata.get("langgraph_checkpoint_ns")
        if isinstance(namespace, str) and "|" in namespace:
            labels["langgraph_subgraph"] = "/".join([part.partition(":")[0] for part in namespace.split("|")[:-1]])
    if isinstance(source := metadata.get("lc_source"), str) and source:
        labels["middleware"] = source[:_LONGEST]
    if isinstance(name, str) and name:
        labels["run_name"] = name[:_LONGEST]
    if tags and (own_tags := _own_tags(tags)):
        labels["tags"] = own_tags
    if own := _own(metadata):
        labels["run_metadata"] = own
    return labels


def given_name(name: object) -> object:
    """Return the name of a root run, unless it is the one that LangChain gives by itself."""
    return None if isinstance(name, str) and name.startswith(_USUAL_NAMES) else name


def _own(metadata: Mapping[str, Any]) -> dict[str, object]:
    """Return what the user's own metadata says of a run in plain values, without the ids that have their place in the event."""
    own: dict[str, object] = {}
    for key, value in metadata.items():
        if _is_own(key) and isinstance(value, (str, int, float)) and len(own) < _MOST:
            own[key] = value[:_LONGEST] if isinstance(value, str) else value
    return own


@lru_cache(maxsize=1_024)
def _is_own(key: object) -> bool:
    """Tell whether a name in the metadata is the user's own, and none of an id."""
    return isinstance(key, str) and not key.startswith(_FRAMEWORKS_KEYS) and key not in TRACE_AND_USER_KEYS


def _own_tags(tags: object) -> list[str]:
    if not isinstance(tags, (list, tuple)):
        return []
    return [tag[:_LONGEST] for tag in tags if isinstance(tag, str) and not tag.startswith(_FRAMEWORKS_TAGS)][:_MOST]


def _first_id(metadata: Mapping[str, Any], keys: Iterable[str]) -> object:
    for key in keys:
        value = metadata.get(key)
        if isinstance(value, (str, int, UUID)) and value != "":
            return value
    return None
