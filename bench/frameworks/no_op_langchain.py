"""A handler of LangChain's that does nothing: what being told costs."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import BaseCallbackHandler


class NoOpHandler(BaseCallbackHandler):
    """Is told of all that WhyOps is told of."""

    run_inline = True

    def _nothing(self, *_: Any, **__: Any) -> None:
        """Do nothing."""

    on_chain_start = on_chain_end = on_chain_error = _nothing
    on_chat_model_start = on_llm_start = on_llm_new_token = on_llm_end = on_llm_error = _nothing
    on_tool_start = on_tool_end = on_tool_error = _nothing
    on_retriever_start = on_retriever_end = on_retriever_error = _nothing
