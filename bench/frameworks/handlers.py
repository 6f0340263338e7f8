"""What listens while a scenario runs: nothing, a handler that does nothing, and WhyOps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Listening:
    """Nothing listens. `callbacks` are for LangChain's config; `deliver` waits until all that was recorded is stored."""

    def __init__(self, scenario: str, home: str) -> None:
        self.scenario = scenario
        self.home = home
        self.callbacks: list[Any] = []
        self.listen()

    def listen(self) -> None:
        """Begin to listen."""

    def deliver(self) -> None:
        """Wait until all is stored."""


class NoOp(Listening):
    """A handler that does nothing with what it is told."""

    def listen(self) -> None:
        """Register it where the framework asks for one."""
        if self.scenario == "function_agent":
            import no_op_llama_index  # noqa: PLC0415  (only where LlamaIndex runs)

            no_op_llama_index.attach()
        else:
            import no_op_langchain  # noqa: PLC0415  (only where LangChain runs)

            self.callbacks = [no_op_langchain.NoOpHandler()]


class WhyOps(Listening):
    """WhyOps with a local store."""

    def listen(self) -> None:
        """Register it as its documentation says."""
        import whyops  # noqa: PLC0415  (only where it listens)

        self._client = whyops.WhyOps(api_key="", agent_name="bench", home=self.home)
        if self.scenario == "function_agent":
            from whyops.integrations.llama_index import instrument  # noqa: PLC0415  (only where LlamaIndex runs)

            instrument(self._client)
        else:
            from whyops.integrations.langchain import WhyOpsCallbackHandler  # noqa: PLC0415  (only where LangChain runs)

            self.callbacks = [WhyOpsCallbackHandler(self._client)]

    def deliver(self) -> None:
        """Wait until all is in the store."""
        assert self._client.flush_sync(timeout=60)


HANDLERS: dict[str, Callable[[str, str], Listening]] = {"bare": Listening, "no-op": NoOp, "ours": WhyOps, "base": WhyOps}
