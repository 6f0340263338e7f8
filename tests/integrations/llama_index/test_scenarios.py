"""Over all scenarios: each prompt, put together again from the trace, is what the model itself was given, here and at the service."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import Settings
from llama_index.core.callbacks import CallbackManager

import whyops
from tests.acceptance.test_read_back import KEY
from tests.integrations.llama_index.run import Run
from tests.integrations.recorded_twice import twice
from tests.integrations.scenario import Scenario, scenarios_in, ways
from tests.server import StrictServer
from whyops._cli._main import main
from whyops._encoding.encoder import Encoder
from whyops._find import find_trace
from whyops._service.reader import ServiceReader
from whyops._trace.incomplete import gaps
from whyops._trace.recorded import RecordedTrace
from whyops._wire.prompt import PromptMessage
from whyops.integrations.llama_index import WhyOpsCallbackHandler, _dispatch, instrument
from whyops.testing import capture

# LlamaIndex's agents look at attributes that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ALL = scenarios_in(Path(__file__).parent / "scenarios")
CUT = re.compile(r"(.*)…\[cut: kept (\d+) of (\d+) characters\]", re.DOTALL)

CLASSIC = {"engines", "history", "mutated", "prefills", "system_prompts"}
PUSHED = (
    "agents-function_agent",
    "engines-a_query",
    "fallbacks-by_hand",
    "hand_offs-once",
    "history-summarised",
    "images-large",
    "mutated-text",
    "over_the_cap-a_long_message",
    "parallel-gathered",
    "structured-predicted",
    "workflows-with_models",
)


@pytest.fixture(scope="module")
def server() -> Iterator[StrictServer]:
    with StrictServer() as running:
        yield running


@pytest.mark.parametrize("case,streamed", ways(ALL))
def test_a_scenario(server: StrictServer, tmp_path: Path, case: Scenario, *, streamed: bool) -> None:
    """Prompts are whole and in order, nothing is said to be missing, nothing is recorded twice; the service gives the same back."""
    name = f"{case.kind}-{case.name}{'-streamed' if streamed else ''}"
    with instrument():
        run = played(case, name, lambda: whyops.configure(KEY, "agent", analyse_base_url=server.url, **case.client), streamed=streamed)
        assert len(_dispatch._spans) == 0
    sent = RecordedTrace.from_events([event for event in server.events if event["traceId"] == name], name)
    check(case, sent, run)
    if not case.repeats:
        assert twice(sent) == []
    check(case, find_trace(name, tmp_path / "elsewhere", ServiceReader(server.url, KEY)), run)


@pytest.mark.parametrize("case,streamed", ways(replace(each, streamed=False) for each in ALL if each.kind in CLASSIC))
def test_a_scenario_with_the_classic_handler(case: Scenario, *, streamed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told of models, and not of agents and tools; the prompts are the same."""
    monkeypatch.setattr(Settings, "_callback_manager", CallbackManager([WhyOpsCallbackHandler()]))
    with capture(**case.client) as captured:
        run = Run(lambda: None, streamed=not streamed)
        with whyops.trace("t"):
            case.run(run)
        recorded = RecordedTrace.from_events(captured.events)
    assert run.given
    assert [list(call.prompt or ()) for call in recorded.model_calls] == run.given


def test_scenarios_that_were_pushed(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was recorded here, and sent later, is the same."""
    runs: dict[str, tuple[Scenario, Run]] = {}
    for case in ALL:
        if (name := f"{case.kind}-{case.name}") in PUSHED:
            with instrument():
                runs[name] = case, played(case, name, partial(whyops.configure, agent_name="agent", **case.client), streamed=True)
    assert sorted(runs) == sorted(PUSHED)
    with StrictServer() as server:
        monkeypatch.setenv("WHYOPS_API_KEY", KEY)
        monkeypatch.setenv("WHYOPS_ANALYSE_BASE_URL", server.url)
        assert main(["--home", str(home), "push", "--since", "2020-01-01"]) == 0
        for name, (case, run) in runs.items():
            check(case, find_trace(name, tmp_path / "elsewhere", ServiceReader(server.url, KEY)), run)


def played(case: Scenario, trace_id: str, configure: Callable[[], whyops.WhyOps], *, streamed: bool) -> Run:
    """Run a scenario in a trace, which goes on where the scenario restarts: with a new client."""
    stack = ExitStack()

    def start() -> None:
        stack.close()
        stack.callback(configure().close_sync)
        stack.enter_context(whyops.trace(trace_id))

    start()
    run = Run(start, streamed=streamed)
    with stack:
        case.run(run)
    assert run.given
    return run


def check(case: Scenario, trace: RecordedTrace, run: Run) -> None:
    """Compare what is recorded with what the models kept, after the same redaction and cutting."""
    told = [list(call.prompt or ()) for call in trace.model_calls]
    encoder = Encoder(max_value_bytes=10_000_000, redact_keys=case.client.get("redact_keys", ()))
    given = [[redacted(message, encoder) for message in prompt] for prompt in run.given]
    assert as_cut(told, given) == given
    assert list(gaps(trace)) == list(case.gaps)


def redacted(message: PromptMessage, encoder: Encoder) -> PromptMessage:
    content, name = (json.loads(encoder.encode(value)[0]) for value in (message.content, message.name))
    calls = tuple(replace(call, arguments=json.loads(encoder.encode(call.arguments)[0])) for call in message.tool_calls)
    return replace(message, content=content, tool_calls=calls, name=name)


def as_cut(told: Any, given: Any) -> Any:
    """Return what is told, with the whole text in the place of one that was cut: if its beginning and its length are right."""
    if isinstance(told, str) and isinstance(given, str) and (cut := CUT.fullmatch(told)):
        kept, kept_length, length = cut.groups()
        is_right = given.startswith(kept) and (len(kept), len(given)) == (int(kept_length), int(length))
        return given if is_right else told
    if isinstance(told, (list, tuple)) and isinstance(given, (list, tuple)) and len(told) == len(given):
        return type(told)(map(as_cut, told, given))
    if isinstance(told, PromptMessage) and isinstance(given, PromptMessage):
        return replace(told, content=as_cut(told.content, given.content))
    return told
