"""Replay a recorded run: tools give back what they gave then, and never run."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import ExitStack, suppress
from contextvars import ContextVar
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .._client import WhyOps
from .._load import load_trace
from .._recording.generators import by_kind
from .._recording.tool import Observer
from .._recording.trace import writer_of
from .._trace.recorded import RecordedTrace
from .._trace.steps import ToolCall
from ..errors import WhyOpsError
from .given import Given, given_back
from .network import refused
from .record import MemorySink
from .run import Run
from .stored_answers import Answer, StoredAnswers
from .stored_calls import StoredCalls

if TYPE_CHECKING:
    from typing_extensions import Self

    from .langchain_model import ReplayedChatModel
    from .llama_index_model import ReplayedLLM
    from .model_server import ModelServer

_replaying: ContextVar[replay | None] = ContextVar("whyops_replay", default=None)
_running: list[replay] = []
"""Those that were begun last also count where no context says so."""
_replaced = ExitStack()
"""Puts back, when it is closed, all that was replaced."""
_FUNCTION = "function"
_own_function: Any = Observer.__dict__[_FUNCTION]
"""Where a decorated tool keeps its function."""


class ReplayError(WhyOpsError):
    """A run that is replayed does not hold what was asked of it: no such call, or a result that was not recorded whole."""


def _no_trouble(_call: ToolCall, _given: Given) -> str:
    return ""


class replay:  # noqa: N801  (it reads as a verb: `with replay("session-123")`)
    """Let all tools in a `with` or `async with` block give back what they gave in a recorded run. None of them runs.

    `source` is a trace's id, `last`, a file that `whyops export` wrote, a `RecordedTrace` or a `Run`. A call is found by its name and its
    arguments, in order; ids and times in them don't count. Errors are raised again, of the same class where it is loaded. A result is made
    what the tool's return annotation says: a pydantic model, a dataclass, a `TypedDict` or a plain type; without one it is JSON.
    `results` gives by a tool's name what was not recorded whole: a value, or a function of the arguments.

    Inside the block alone the decorated tools are replaced, for its tasks and threads and for those that others start meanwhile.

    Raises:
        ReplayError: A call is not in the recorded run, or its result was cut, redacted or not captured; at the call, and again at the end
            of the block, where an agent may have handled it.
        TraceNotFoundError: There is no such trace.
    """

    def __init__(self, source: str | os.PathLike[str] | RecordedTrace | Run, *, results: Mapping[str, Any] | None = None) -> None:
        self.trace: RecordedTrace = _trace_of(source)
        self._results = dict(results or {})
        self._calls = StoredCalls(self.trace)
        self._answers = StoredAnswers(self.trace)
        self._failed: ReplayError | None = None
        self._server: ModelServer | None = None
        self._block = ExitStack()

    @property
    def unused(self) -> list[str]:
        """The names of the tools whose calls are in the recorded run and were not made again, one for each call."""
        return [call.name for call in self._calls.unused]

    def __enter__(self) -> Self:
        client = WhyOps(agent_name="replay", sink=MemorySink(), outbox="memory", capture_prompts=False)
        self._writer = writer_of(client.trace("replay"))
        self._block.callback(client.close_sync)
        self._block.callback(_leave, self, _replaying.set(self))
        _running.append(self)
        if len(_running) == 1:
            _replace_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        self._block.close()
        if self._failed is not None and error is not self._failed:
            raise self._failed from error

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        self.__exit__(kind, error, stack)

    def chat_model(self) -> ReplayedChatModel:
        """Return a LangChain chat model that answers as the models of the recorded run did, in order."""
        from .langchain_model import ReplayedChatModel  # noqa: PLC0415  (there only where LangChain is)

        return ReplayedChatModel(answers=self.answer)

    def llm(self) -> ReplayedLLM:
        """Return a LlamaIndex model that answers as the models of the recorded run did, in order."""
        from .llama_index_model import ReplayedLLM  # noqa: PLC0415  (there only where LlamaIndex is)

        return ReplayedLLM(answers=self.answer, model=self._answers.model)

    @property
    def base_url(self) -> str:
        """The address of a server on this machine that answers official OpenAI and Anthropic clients as the recorded models did.

        OpenAI's chat and Responses APIs and Anthropic's messages, streamed or not: `OpenAI(base_url=again.base_url, api_key="any")`.
        It ends with the block.
        """
        if self._server is None:
            from .model_server import ModelServer  # noqa: PLC0415  (few replays ask over HTTP)

            self._server = ModelServer(self.answer)
            self._block.callback(self._server.close)
        return self._server.url

    def answer(self) -> Answer:
        """Return what a model of the recorded run answered next.

        Raises:
            ReplayError: There is no answer left.
        """
        answer = self._answers.take()
        if answer is None:
            raise self._error(f"The recorded run {self.trace.trace_id} has no further answer of a model.")
        return answer

    def call(self, name: str, arguments: Mapping[str, Any], trouble: Callable[[ToolCall, Given], str] = _no_trouble) -> Given:
        """Return what a tool gave in the recorded run when it was called so; `trouble` may say why that can't be given back.

        Raises:
            ReplayError: It was not called so, or what it gave is not recorded whole.
        """
        if name in self._results:
            result = self._results[name]
            self._calls.take(name, self._comparable(arguments))
            return Given(result(**arguments) if callable(result) else result, is_json=False)
        call = self._calls.take(name, self._comparable(arguments))
        if call is None:
            raise self._error(self._calls.missing(name, arguments))
        given = given_back(call)
        if reason := self._calls.trouble(call) or trouble(call, given):
            raise self._error(f"{reason} Give it with replay(…, results={{{name!r}: …}}).")
        return given

    def _comparable(self, arguments: Mapping[str, Any]) -> object:
        """Return arguments as they would be recorded."""
        encoded, _, _ = self._writer.encode_arguments(arguments)
        return json.loads(encoded)

    def _error(self, text: str) -> ReplayError:
        error = ReplayError(text)
        self._failed = self._failed or error
        return error


def _leave(ended: replay, token: Any) -> None:
    _running.remove(ended)
    if not _running:
        _replaced.close()
    with suppress(ValueError):  # left in another context, as a fixture is: there nothing was set
        _replaying.reset(token)


def _replace_all() -> None:
    """Replace what decorated functions, and the tools of those frameworks that are loaded, do by what a replay holds."""
    setattr(Observer, _FUNCTION, property(_stand_in, _own_function.__set__))
    _replaced.callback(setattr, Observer, _FUNCTION, _own_function)
    for framework, name in (("langchain_core.tools", "langchain_tools"), ("llama_index.core.tools", "llama_index_tools")):
        if framework in sys.modules:
            _replaced.enter_context(import_module(f".{name}", __package__).replaced(current))
    _replaced.enter_context(refused(_not_replayed))


def _not_replayed(what: str) -> Exception | None:
    """Return the error of a model that is asked over the network where a run is replayed."""
    replaying = current()
    if replaying is None:
        return None
    return replaying._error(f"A model is asked that is not replayed: {what}. Use chat_model(), llm() or base_url of the replay.")  # noqa: SLF001  (of this file)


def current() -> replay | None:
    """Return the replay that goes on here: this context's, else the one that was begun last."""
    return _replaying.get() or next(reversed(_running), None)


def _trace_of(source: str | os.PathLike[str] | RecordedTrace | Run) -> RecordedTrace:
    if isinstance(source, RecordedTrace):
        return source
    if isinstance(source, Run):
        return source.trace
    path = Path(source)
    if isinstance(source, os.PathLike) or path.suffix in (".jsonl", ".json") or path.is_file():
        return RecordedTrace.from_events([json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()])
    return load_trace(source)


def _stand_in(observer: Observer) -> Callable[..., Any]:
    """Return what is called in the place of a decorated tool's function: one that gives back what the recorded run holds."""
    function: Callable[..., Any] = _own_function.__get__(observer)
    running = current()
    if running is None:
        return function
    return by_kind(function, _sync, _async, _generator, _async_generator)(running, observer, function)


def _given(running: replay, observer: Observer, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Given:
    given = running.call(observer.name, observer.arguments(args, kwargs))
    return given.as_annotated(function, observer.expected)


def _sync(running: replay, observer: Observer, function: Callable[..., Any]) -> Callable[..., Any]:
    def stand_in(*args: Any, **kwargs: Any) -> Any:
        return _given(running, observer, function, args, kwargs).result()

    return stand_in


def _async(running: replay, observer: Observer, function: Callable[..., Any]) -> Callable[..., Any]:
    async def stand_in(*args: Any, **kwargs: Any) -> Any:
        return _given(running, observer, function, args, kwargs).result()

    return stand_in


def _generator(running: replay, observer: Observer, function: Callable[..., Any]) -> Callable[..., Any]:
    def stand_in(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        yield from _given(running, observer, function, args, kwargs).items()

    return stand_in


def _async_generator(running: replay, observer: Observer, function: Callable[..., Any]) -> Callable[..., Any]:
    async def stand_in(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        for item in _given(running, observer, function, args, kwargs).items():
            yield item

    return stand_in
