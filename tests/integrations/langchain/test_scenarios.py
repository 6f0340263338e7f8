"""Over all scenarios: each prompt, put together again from the trace, is what the model itself was given, here and at the service."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import whyops
from tests.acceptance.test_read_back import KEY
from tests.integrations.langchain.running import Kept, Run
from tests.integrations.recorded_twice import twice
from tests.integrations.scenario import Scenario, scenarios_in, ways
from tests.server import StrictServer
from whyops import WhyOps
from whyops._cli._main import main
from whyops._encoding import Encoded
from whyops._find import find_trace
from whyops._service.reader import ServiceReader
from whyops._trace.incomplete import gaps
from whyops._trace.recorded import RecordedTrace
from whyops._wire.prompt import PromptMessage
from whyops._wire.signature import strip_signature

ALL = scenarios_in(Path(__file__).parent / "scenarios")


@pytest.fixture(scope="module")
def server() -> Iterator[StrictServer]:
    with StrictServer() as running:
        yield running


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """Give the address of what stands for OpenAI and Anthropic."""
    with StrictServer() as running:
        yield running.origin


@pytest.mark.filterwarnings(
    "ignore::langchain_core._api.deprecation.LangChainDeprecationWarning",
    "ignore:unclosed:ResourceWarning",  # the providers' packages keep a connection for ever
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
@pytest.mark.parametrize("case,streamed", ways(ALL))
def test_a_scenario(
    server: StrictServer, provider: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: Scenario, *, streamed: bool
) -> None:
    """Prompts are whole and in order, nothing is said to be missing, nothing is recorded twice; the service gives the same back."""
    settings = {"api_key": KEY, "analyse_base_url": server.url, "proxy_base_url": server.proxy_url, "keep_local": True}
    run, client = play(case, settings, provider, monkeypatch, streamed=streamed)
    assert run.kept
    assert client.flush_sync(timeout=10).waiting == 0
    for trace_id in dict.fromkeys(kept.trace_id for kept in run.kept):
        kept = [each for each in run.kept if each.trace_id == trace_id]
        here = find_trace(trace_id, home, None)
        check(case, here, kept, client)
        if not case.repeats:
            assert twice(here) == []
        if not streamed:  # streamed or not, the way there and back is one
            there = find_trace(trace_id, tmp_path / "elsewhere", ServiceReader(server.url, KEY))
            check(case, there, kept, client)
    client.close_sync()


def test_scenarios_after_a_push(server: StrictServer, provider: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of what was recorded without a key and sent later: one scenario of each kind."""
    played = []
    for case in {case.kind: case for case in ALL if case.lacks is None}.values():
        run, client = play(case, {}, provider, monkeypatch, streamed=case.streamed, prefix="pushed-")
        client.flush_sync(timeout=10)
        played.append((case, run, client))
    ids = {kept.trace_id for _, run, _ in played for kept in run.kept}
    monkeypatch.setenv("WHYOPS_API_KEY", KEY)
    monkeypatch.setenv("WHYOPS_ANALYSE_BASE_URL", server.url)
    assert main(["push", *ids]) == 0
    for case, run, client in played:
        for trace_id in {kept.trace_id for kept in run.kept}:
            there = find_trace(trace_id, tmp_path / "elsewhere", ServiceReader(server.url, KEY))
            check(case, there, [each for each in run.kept if each.trace_id == trace_id], client)
        client.close_sync()


def play(
    case: Scenario, settings: dict[str, Any], provider: str, monkeypatch: pytest.MonkeyPatch, *, streamed: bool, prefix: str = ""
) -> tuple[Run, WhyOps]:
    """Run a scenario with a client of its own; another one where it goes on in another process."""
    clients: list[WhyOps] = []

    def start() -> None:
        for client in clients:
            client.close_sync()
        clients[:] = [whyops.configure(agent_name="agent", **{**settings, **case.client})]

    start()
    run = Run(f"{prefix}{case.kind}-{case.name}{'-streamed' if streamed else ''}", streamed, start, monkeypatch.setattr, provider)
    with whyops.trace(run.trace_id):
        result = case.run(run)
        if inspect.iscoroutine(result):
            asyncio.run(result)
    return run, clients[0]


def check(case: Scenario, trace: RecordedTrace, kept: list[Kept], client: WhyOps) -> None:
    """Compare what is recorded with what the models kept."""
    encode = client._assembled().recorder.encode
    given = [(recorded(plainly(each.prompt), encode), recorded(strip_signature(each.answer).strip(), encode)) for each in kept]
    told = [(plainly(call.prompt or ()), str(call.answer or "").strip()) for call in trace.model_calls]
    if case.client.get("capture_content") is False:
        given, told = roles(given), roles(told)
    if case.client.get("capture_prompts") is False:
        given = [(prompt if shown else [], answer) for (prompt, answer), (shown, _) in zip(given, told, strict=True)]
        assert any(prompt for prompt, _ in given)
    if case.concurrent:
        given, told = sorted(given, key=repr), sorted(told, key=repr)
    assert told == given
    assert list(gaps(trace)) == list(case.gaps)


def roles(pairs: Sequence[tuple[list[dict[str, Any]], str]]) -> list[list[tuple[Any, ...]]]:
    """Return what is left of prompts without their contents."""
    return [[(each["role"], len(each["tool_calls"]), each["tool_call_id"]) for each in prompt] for prompt, _ in pairs]


def recorded(value: Any, encode: Callable[[object], Encoded]) -> Any:
    """Return what a model kept, after the redaction and the cutting that the client does."""
    text, cuts, _ = encode(value)
    if not cuts:
        return json.loads(text)
    if isinstance(value, list):
        return [recorded(each, encode) for each in value]
    return {name: recorded(each, encode) for name, each in value.items()} if isinstance(value, dict) else Cut(value)


class Cut(str):
    """A text of which as much is recorded as there was room for."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # equal to many

    def __eq__(self, other: object) -> bool:
        kept, cut, _ = str(other).partition("…[cut: kept ")
        return bool(cut) and len(kept) > 200 and self.startswith(kept)

    def __ne__(self, other: object) -> bool:
        return not self == other


def plainly(messages: Sequence[PromptMessage]) -> list[dict[str, Any]]:
    """Return messages as plain values."""
    return [{**asdict(each), "tool_calls": [asdict(call) for call in each.tool_calls]} for each in messages]
