"""LlamaIndex: queries, agents and workflows in one trace.

    instrument()  # once; or: with instrument(): …

Or the classic way: `Settings.callback_manager = CallbackManager([WhyOpsCallbackHandler()])`. Agents and workflows speak to `instrument`
alone.
"""

from .._shared.require import require

require("llama_index.core", "llama-index")

from .._shared.instrumentation import Instrumentation  # noqa: E402  (after the check that the framework is there)
from ._classic import WhyOpsCallbackHandler  # noqa: E402  (so)
from ._dispatch import instrument  # noqa: E402  (so)
from ._proxied import proxy_kwargs  # noqa: E402  (so)

__all__ = ["Instrumentation", "WhyOpsCallbackHandler", "instrument", "proxy_kwargs"]
