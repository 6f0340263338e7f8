"""What is current inside the body of a LangChain run, and nowhere else.

LangChain runs the body of a tool, a chain or a graph's node in a copy of the context, in which it has set a variable of its own to the
config for what runs inside. A frame is entered where the run starts, that is in the caller's context, and so is in the copy too; it is
live where the callback manager in that variable is another than it was there. So it is over for the caller at once, and stays so if
LangChain never tells of the run's end, as it did before 1.8 for a tool that is cancelled, or tells it in a task of its own, as it does for
async runs. Once the run has ended, the frame is live only where the manager names the run: in what its body has started, and goes on.
"""

from __future__ import annotations

import inspect
import sys
import weakref
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from traceback import walk_stack
from types import CodeType, FrameType
from typing import Any

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tools import BaseTool

from ..._recording.frames import Frame
from ..._recording.place import Place
from ..._recording.tool import Observer, observer_of
from ..._runtime.waiting import loop_is_running
from .._shared.tool_run import ToolRun
from ._exchange import Exchange

_BODIES_HAVE_CONTEXTS = sys.version_info >= (3, 11)
"""Before Python 3.11, a task can't be given a context: the body of an async run may have its caller's, and LangChain's variable unset."""

_TOOL_RUNS: frozenset[CodeType] = frozenset(inspect.unwrap(method).__code__ for method in (BaseTool.run, BaseTool.arun))
_FRAMES_TO_A_TOOL = 12
_FRAMES_TO_A_CONFIG = 40
_FRAMEWORKS = ("langchain", "langgraph")
_FUNCTIONS = ("func", "coroutine", "_run", "_arun")


class BodyFrame(Frame):
    """A frame that is live inside the body of a run. `owner` is the run's id, `handler` the handler that records it."""

    __slots__ = ("_handler", "_outside", "ended", "exchange")

    def __init__(
        self, place: Place, span_id: str | None, owner: object, handler: object, beneath: Frame | None, exchange: Exchange | None = None
    ) -> None:
        self.trace = place.trace
        self.span_id = span_id
        self.owner = owner
        self.previous = beneath
        self.is_trace = False
        self.over = False
        self.ended = False
        self.exchange = exchange
        self.labels = place.labels
        self._handler = handler
        manager = _manager()
        self._outside = None if manager is None else weakref.ref(manager)  # all that a run refers to would else stay until it ends

    def is_live(self) -> bool:
        """Tell whether this is the body of the run, or of one inside it; the consumer of a stream may run others between two chunks."""
        manager = _manager()
        if manager is None or (self._outside is not None and manager is self._outside()):
            return False
        return manager.parent_run_id == self.owner or (not self.ended and any(handler is self._handler for handler in manager.handlers))

    def claims(self, observer: object) -> bool:  # noqa: ARG002  (whichever function of the application's is called)
        """Take note that a decorated function is called in the run."""
        if self.exchange is not None:
            self.exchange.has_tool = True
        return False

    def is_over(self) -> bool:
        """Tell whether this is no body of the run: each body has a context of its own."""
        return not self.is_live()


class ToolFrame(BodyFrame):
    """The frame of a tool's run, which knows the call that it stands for."""

    __slots__ = ("_is_everywhere", "_tool")

    def __init__(self, place: Place, owner: object, handler: object, beneath: Frame | None, tool: ToolRun) -> None:
        super().__init__(place, tool.call.span_id, owner, handler, beneath)
        self._tool = tool
        self._is_everywhere = not _BODIES_HAVE_CONTEXTS and loop_is_running()

    def is_live(self) -> bool:
        """Tell whether this is the body of the tool's run; before Python 3.11 only its end tells that of an async one."""
        return (self._is_everywhere and not self.ended) or super().is_live()

    def claims(self, observer: object) -> bool:
        """Tell whether the call is the tool's own."""
        return self._tool.claims(observer)


def _manager() -> BaseCallbackManager | None:
    """Return what LangChain tells of what runs here."""
    manager = (var_child_runnable_config.get() or {}).get("callbacks")
    return manager if isinstance(manager, BaseCallbackManager) else None


def starting_tool() -> tuple[tuple[Observer, ...], object]:
    """Return what records the calls of the functions of the tool whose start is being told right now, and the id of the tool call.

    LangChain does not hand the tool to its handlers, and the id not in all versions; both are some frames up the stack.
    """
    here = _running_tool()
    tool = here.get("self")
    functions = [function for name in _FUNCTIONS if (function := getattr(tool, name, None)) is not None]
    return tuple([observer for each in functions if (observer := observer_of(each)) is not None]), here.get("tool_call_id")


def ending_tool() -> tuple[bool, object]:
    """Return whether the tool whose end is being told has failed, and the id of the call: without one, its text alone is handed on."""
    here = _running_tool()
    return here.get("status") == "error", here.get("tool_call_id")


def _running_tool() -> Mapping[str, Any]:
    """Return what the method of LangChain's that runs a tool, and is telling of it right now, knows."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  (the documented way to the caller's frame)
    for _ in range(_FRAMES_TO_A_TOOL + 1):
        if frame is None:
            break
        if frame.f_code in _TOOL_RUNS:
            return frame.f_locals
        frame = frame.f_back
    return {}


def configured(keys: Collection[str]) -> Mapping[str, Any]:
    """Return the `configurable` of the run whose start is being told, where it has one of `keys`.

    Since langchain-core 1.3 nothing of it is in the metadata that handlers are given. The config is what LangChain's own methods, some
    frames up the stack, were called with.
    """
    for frame in _callers(_FRAMES_TO_A_CONFIG):
        if frame.f_globals.get("__name__", "").startswith(_FRAMEWORKS):
            config = frame.f_locals.get("config")
            held = config.get("configurable") if isinstance(config, dict) else None
            if isinstance(held, dict) and not held.keys().isdisjoint(keys):
                return held
    return {}


def _callers(most: int) -> Iterator[FrameType]:
    """Yield the frames up the stack from the caller's."""
    return (frame for frame, _ in islice(walk_stack(sys._getframe(1)), most))  # noqa: SLF001  (the documented way to the caller's frame)
