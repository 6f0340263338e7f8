"""LlamaIndex: queries, agents and workflows in one trace.

from . import instrument

instrument()  # once; or: with instrument(): …

Or the classic way: `Settings.callback_manager = CallbackManager([WhyOpsCallbackHandler()])`. Agents and workflows speak to `instrument`
alone.
"""

from .._shared.require import require

require("llama_index.core", "llama-index")

from ._classic import WhyOpsCallbackHandler  # noqa: E402
from ._dispatch import Instrumentation, instrument  # noqa: E402  (only where LlamaIndex is there)
from ._origin import proxy_kwargs  # noqa: E402

__all__ = ["Instrumentation", "WhyOpsCallbackHandler", "instrument", "proxy_kwargs"]
