"""Arguments that can't be recorded as they were meant: what is recorded instead, and what the log says."""

from __future__ import annotations

import inspect
import re
import sys

import pytest

from tests._capture.recording import Recording
from whyops._capture.options import COMMON, OWN
from whyops._capture.trace import Trace
from whyops._guard import Notices


@pytest.fixture
def said(monkeypatch, caplog):
    """Return what gives the log's messages; nothing was said before."""
    monkeypatch.setattr("whyops._guard.notices", Notices())
    return lambda: [record.getMessage() for record in caplog.records]


def here() -> str:
    """Return the file and line of the caller."""
    frame = sys._getframe(1)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def test_an_unknown_option_is_said_with_method_line_and_remedy(said):
    """Who mistypes a name reads where, what was probably meant, and what this method takes; once for each line."""
    trace = Recording().trace("t")
    for _ in range(2):
        trace.llm_response_sync("m", "p", finish_reson="stop"), (place := here())  # type: ignore[call-arg]
    trace.error_sync("e", colour="red")  # type: ignore[call-arg]
    first, second = said()
    assert first == (
        f"Ignoring unknown option 'finish_reson' of llm_response ({place}): did you mean 'finish_reason'? Valid options: model, provider, "
        "content, tool_calls, finish_reason, usage, latency_ms, span_id, step_id, parent_step_id, timestamp, idempotency_key, "
        "external_user_id."
    )
    assert re.search(r"'colour' of error \(.*:\d+\)\. Valid options: message, status, stack, span_id, .*external_user_id\.$", second)


def test_the_nearest_name_is_looked_for_only_when_it_is_said(said, monkeypatch):
    """A loop with a wrong name pays for no search."""
    monkeypatch.delitem(sys.modules, "difflib", raising=False)
    trace = Recording().trace("t")
    for _ in range(2):
        monkeypatch.delitem(sys.modules, "difflib", raising=False)
        trace.error_sync("e", statsu=1)  # type: ignore[call-arg]
    assert "difflib" not in sys.modules
    assert len(said()) == 1


@pytest.mark.parametrize("method", sorted(OWN))
def test_the_options_that_are_told_are_those_of_the_signature(method):
    """What the log calls valid is what the method takes."""
    signature = inspect.signature(getattr(Trace, f"{method}_sync"))
    own = [each.name for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD and each.name != "self"]
    assert list(OWN[method]) == [name for name in own if name not in COMMON]
