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
_ACTORS = ("lc_agent_name", "langgraph_node", "lc_source")
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
    known, keys = _keys_in(tuple(metadata))
    if "lc_agent_name" in known and isinstance(agent := metadata["lc_agent_name"], str) and agent:
        labels["agent"] = agent[:_LONGEST]
    if "langgraph_node" in known and isinstance(node := metadata["langgraph_node"], str) and node:
        labels["langgraph_node"] = node[:_LONGEST]
        if isinstance(step := metadata.get("langgraph_step"), int):
            labels["langgraph_step"] = step
        namespace = metadata.get("langgraph_checkpoint_ns")
        if isinstance(namespace, str) and "|" in namespace:
            labels["langgraph_subgraph"] = "/".join([part.partition(":")[0] for part in namespace.split("|")[:-1]])
    if "lc_source" in known and isinstance(source := metadata["lc_source"], str) and source:
        labels["middleware"] = source[:_LONGEST]
    if isinstance(name, str) and name:
        labels["run_name"] = name[:_LONGEST]
    if tags and isinstance(tags, (list, tuple)):
        own_tags = [tag[:_LONGEST] for tag in tags if isinstance(tag, str) and not tag.startswith(_FRAMEWORKS_TAGS)]
        if own_tags:
            labels["tags"] = own_tags[:_MOST]
    if keys and (own := _own(keys, metadata)):
        labels["run_metadata"] = own
    return labels


def given_name(name: object) -> object:
    """Return the name of a root run, unless it is the one that LangChain gives by itself."""
    return None if isinstance(name, str) and name.startswith(_USUAL_NAMES) else name


def _own(keys: Iterable[str], metadata: Mapping[str, Any]) -> dict[str, object]:
    """Return what the user's own metadata says of a run in plain values."""
    own: dict[str, object] = {}
    for key in keys:
        value = metadata[key]
        if isinstance(value, (str, int, float)) and len(own) < _MOST:
            own[key] = value[:_LONGEST] if isinstance(value, str) else value
    return own


@lru_cache(maxsize=1_024)
def _keys_in(names: tuple[object, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which names in the metadata tell who acts, and which are the user's own; ids are neither: they have a place of their own."""
    texts = [name for name in names if isinstance(name, str)]
    own = [name for name in texts if not name.startswith(_FRAMEWORKS_KEYS) and name not in TRACE_AND_USER_KEYS]
    return tuple(name for name in _ACTORS if name in texts), tuple(own)


def _first_id(metadata: Mapping[str, Any], keys: Iterable[str]) -> object:
    for key in keys:
        value = metadata.get(key)
        if isinstance(value, (str, int, UUID)) and value != "":
            return value
    return None
