"""LangChain and LangGraph, recorded.

    agent.invoke(inputs, config={"callbacks": [WhyOpsCallbackHandler()]})

or, once for all that runs inside `with whyops.trace("id"):`

    instrument()

Needs the extra `langchain`, that is `langchain-core`. LangGraph is understood without being imported. Importing this module changes
nothing but what `@whyops.tool` takes for an argument: what the frameworks inject is none, and their interrupts are no errors.
"""

from __future__ import annotations

from .._shared.require import require

require("langchain_core", "langchain")

from .._shared.instrumentation import Instrumentation  # noqa: E402  (after the check that the framework is there)
from . import _injected  # noqa: E402, F401  (its rules hold from now on)
from ._handler import WhyOpsCallbackHandler  # noqa: E402  (so)
from ._hook import instrument  # noqa: E402  (so)
from ._proxied import proxy_kwargs  # noqa: E402  (so)

__all__ = ["Instrumentation", "WhyOpsCallbackHandler", "instrument", "proxy_kwargs"]
