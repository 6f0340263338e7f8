"""Generators that hold an open block: a trace's or a span's `with` around a `yield`.

A generator has no context of its own. It shares that of whoever takes its next step, so a block in it would be current for its consumer
between two steps, and would be gone where each step is taken in another context: a web server takes those of a synchronous stream in
worker threads, each with a fresh copy. A block in a generator therefore holds while the generator takes a step, wherever that is, and is
found by looking up the call stack.
"""

from __future__ import annotations

import contextlib
import functools
import opcode
import sys
import weakref
from collections.abc import Callable
from types import CodeType, FrameType, FunctionType
from typing import Any, TypeVar, cast

from .._runtime import guard
from .frames import Frame

F = TypeVar("F", bound=Callable[..., Any])

_GENERATOR, _COROUTINE, _ITERABLE_COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x100, 0x200
KEEPS_STATE = _GENERATOR | _ASYNC_GENERATOR | _COROUTINE
"""Flags of code, as `inspect` names them, which `import whyops` is not to load."""
_AROUND_BLOCKS = frozenset({"__aenter__", "__aexit__", "__enter__", "__exit__"})
_CONTEXTLIB = contextlib.__dict__
_RUN_AS_BLOCKS = frozenset({"_pytest.fixtures", "contextlib", "pytest_asyncio.plugin"})
"""Modules that make one block of a whole generator: what is current at its `yield` is meant for the block's body."""
_RUN_FIXTURES = "_run_tests_and_fixtures"
"""The function by which anyio does so; its module takes the steps of streams, too."""

_SERVERS = frozenset({"django", "fastapi", "sse_starlette", "starlette", "werkzeug"})
_FRAMES_TO_A_SERVER = 12

COLLECTS_ANYWHERE = sys.version_info < (3, 12)
"""Whether the garbage collector may close a generator in the middle of a change of the context, which can't take another one then."""

_FEW = 32
"""Up to so many open generators it is quicker to ask each whether it is on a call stack than to look up the whole stack."""

keeping_current: set[CodeType] = set()
"""Code that sets what is current for what it calls: a generator further out has no say there."""


class Stepped:
    """A generator that holds open blocks. `blocks` are their frames, the innermost last."""

    __slots__ = ("__weakref__", "_frame", "_generator", "_kept", "_key", "blocks")

    def __init__(self, frame: FrameType) -> None:
        self.blocks: list[Frame] = []
        self._key = id(frame)
        generator = getattr(frame, "f_generator", None)  # since Python 3.14
        self._generator: weakref.ref[Any] | None = None if generator is None else weakref.ref(generator)
        self._frame = frame if generator is None else None
        self._kept = open_generators[self._key] = weakref.ref(self, functools.partial(_forget, self._key))

    def end(self, block: Frame) -> None:
        """Take a block out; of a generator that holds no more, keep nothing."""
        if block in self.blocks:
            self.blocks.remove(block)
        if not self.blocks:
            _forget(self._key, self._kept)
            self._frame = self._generator = None

    def is_executing(self) -> bool:
        """Tell whether the generator is on the call stack of a thread."""
        frame = self._frame
        if self._generator is not None:
            generator = self._generator()
            frame = getattr(generator, "ag_frame", None) or getattr(generator, "gi_frame", None)
        return frame is not None and frame.f_back is not None

    def is_running(self) -> bool:
        """Tell whether the generator takes a step, here or elsewhere, also one that waits for something."""
        if self._generator is not None:
            generator = self._generator()
            return generator is not None and (generator.ag_running if hasattr(generator, "ag_running") else generator.gi_running)
        frame = self._frame
        return frame is not None and (frame.f_back is not None or _awaits(frame))


open_generators: dict[int, weakref.ref[Stepped]] = {}
"""By the id of the generator's frame. Weak: what holds them is the trace or span whose blocks they are, and that the generator itself.

So a generator that is abandoned can be collected, with what it refers to.
"""


def _forget(key: int, kept: weakref.ref[Stepped]) -> None:
    """Forget a generator, unless a later one has come to the same place."""
    if open_generators.get(key) is kept:
        del open_generators[key]


def innermost_block() -> Frame | None:
    """Return the block that the innermost generator on this call stack holds, or None."""
    if len(open_generators) <= _FEW and not any(
        (stepped := kept()) is not None and stepped.is_executing() for kept in list(open_generators.values())
    ):
        return None
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  (the documented way to the caller's frame)
    while frame is not None:
        kept = open_generators.get(id(frame))
        stepped = kept() if kept is not None else None
        if stepped is not None and stepped.blocks and stepped.is_running():
            return stepped.blocks[-1]
        if frame.f_code in keeping_current:
            return None
        frame = frame.f_back
    return None


def keeps_current(function: F) -> F:
    """Say of a function that it sets what is current for what it calls."""
    keeping_current.add(cast("FunctionType", function).__code__)
    return function


def block_statement(frame: FrameType | None) -> FrameType | None:
    """Return the frame that the `with` stands in which is being entered or left here: past what calls `__enter__` for it."""
    while frame is not None and (frame.f_code.co_name in _AROUND_BLOCKS or frame.f_globals is _CONTEXTLIB):
        frame = frame.f_back
    return frame


def stepped_around(frame: FrameType | None) -> Stepped | None:
    """Return the generator that a block in `frame` is tied to.

    None in a function or coroutine, and in a generator that runs as a block itself: `@contextmanager`, a fixture with `yield`.
    """
    while frame is not None and _is_generator(frame):
        driver = frame.f_back
        if driver is None or (driver.f_globals.get("__name__") not in _RUN_AS_BLOCKS and driver.f_code.co_name != _RUN_FIXTURES):
            kept = open_generators.get(id(frame))
            return (kept() if kept is not None else None) or Stepped(frame)
        frame = block_statement(driver)
    return None


def _is_generator(frame: FrameType) -> bool:
    flags = frame.f_code.co_flags
    return bool(flags & (_GENERATOR | _ASYNC_GENERATOR)) and not flags & _ITERABLE_COROUTINE


def _awaits(frame: FrameType) -> bool:
    """Tell whether a suspended generator stands at an `await`, and not at a `yield`: before Python 3.14 only its next instruction says."""
    code = frame.f_code
    at = frame.f_lasti + _TO_NEXT_INSTRUCTION
    instructions = code.co_code
    return (
        bool(code.co_flags & _ASYNC_GENERATOR)
        and 0 <= at < len(instructions) - 1
        and instructions[at] == _RESUMES
        and (_RESUMES_SAY_NOTHING or instructions[at + 1] & 3 == _AFTER_AWAIT)
    )


_RESUMES_SAY_NOTHING = sys.version_info < (3, 11)
_RESUMES = opcode.opmap["YIELD_FROM" if _RESUMES_SAY_NOTHING else "RESUME"]
_TO_NEXT_INSTRUCTION = 0 if sys.version_info >= (3, 13) else 2
_AFTER_AWAIT = 3
"""What CPython's instruction RESUME says in its lowest two bits where a frame goes on after an `await`."""


def say_if_streamed() -> None:
    """Say what a call that stands in no trace may be due to: that it is made in a stream which a web server reads."""
    if sys.modules.keys().isdisjoint(_SERVERS):
        return
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  (as above)
    for _ in range(_FRAMES_TO_A_SERVER):
        if frame is None or (driver := frame.f_back) is None:
            return
        if _is_generator(frame) and str(driver.f_globals.get("__name__")).split(".")[0] in _SERVERS:
            guard.notices.say(
                "streamed outside a trace",
                "A tool is called in a streamed answer (%s) outside any trace, and gets a trace of its own. The block of a trace around "
                "the `return` ends before the stream is read: put it into the generator.",
                frame.f_code.co_name,
            )
            return
        frame = driver
