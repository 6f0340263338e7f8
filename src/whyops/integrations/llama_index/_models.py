"""Who answers: the names of a model and of its provider. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ..._encoding.class_fields import PerType
from ..._wire.names import UNKNOWN

_OF_NO_PROVIDER = frozenset({"base_component", "custom_llm", "basesparseembedding", "structured_llm", "llm"})
"""What classes call themselves that took over the name of one of LlamaIndex's own, in lower case."""


def who_is(model_dict: Mapping[str, object], instance: object = None) -> tuple[str, str]:
    """Return the names of a model and of its provider."""
    return model_of(model_dict, instance), provider_of(model_dict, instance)


def model_of(model_dict: Mapping[str, object], instance: object = None) -> str:
    """Return the model's name; of a model that has none, its class."""
    for key in ("model_name", "model"):
        name = model_dict.get(key)
        if isinstance(name, str) and name not in ("", UNKNOWN):
            return name
    return type(instance).__name__ if instance is not None else str(model_dict.get("class_name") or UNKNOWN)


def provider_of(model_dict: Mapping[str, object], instance: object = None) -> str:
    """Return who runs the model: the integration's package, also of a subclass, else what its class calls itself, or is called."""
    package = _package_of(type(instance))
    if package is not None:
        return package
    name = str(model_dict.get("class_name") or UNKNOWN).lower()
    if name in _OF_NO_PROVIDER:
        name = type(instance).__name__.lower() if instance is not None else UNKNOWN
    for suffix in ("llm", "embedding", "embeddings"):
        name = name.removesuffix(suffix).rstrip("_-") or name
    return name


def _integrations_package(kind: type) -> str | None:
    modules = [each.__module__.split(".") for each in kind.__mro__]
    return next((module[2] for module in modules if module[0] == "llama_index" and len(module) > 2 and module[1] != "core"), None)


_package_of = PerType(_integrations_package)
