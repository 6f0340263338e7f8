"""Golden runs: a run that decided the same matches, whatever its ids and times; one that decided otherwise is shown beside it."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from datetime import datetime, timezone
from pathlib import Path

import pytest

import whyops
from whyops._testing import golden
from whyops.testing import Run, record


@pytest.fixture
def updating(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "update", True)


@whyops.tool
def search(order_id: str) -> dict[str, object]:
    return {"order_id": order_id, "seen_at": datetime.now(timezone.utc).isoformat(), "request": str(uuid.uuid4())}


@whyops.tool
async def check(part: int) -> int:
    await asyncio.sleep(random.random() / 100)
    return part


@whyops.tool
def refund(order_id: str, amount: int) -> str:
    if amount > 50:
        raise ValueError("too much")
    return search(order_id)["order_id"]  # type: ignore[return-value]


def agent(amount: int = 50, parts: int = 3) -> Run:
    """Return a run with nested, parallel and failed calls, ids, times, and a model."""

    async def all_parts() -> None:
        await asyncio.gather(*map(check, random.sample(range(parts), parts)))

    with record() as run, whyops.trace() as trace:
        trace.user_message_sync([{"role": "user", "content": "Refund order 123"}], call_id=str(uuid.uuid4()))
        search("123")
        asyncio.run(all_parts())
        try:
            refund("123", amount)
        except ValueError:
            refund("123", 50)
        trace.llm_response_sync("gpt", "openai", f"Refunded {amount}", usage={"promptTokens": 4, "completionTokens": 2})
    return run


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the golden run of the agent."""
    path = tmp_path / "golden" / "refund.json"
    with monkeypatch.context() as patch:
        patch.setattr(golden, "update", True)
        agent().matches(path)
    return path


def test_the_same_again(file: Path) -> None:
    """Ids, times and which parallel call was first are not the same, and don't count."""
    for _ in range(5):
        agent().matches(file)


def test_another_decision(file: Path) -> None:
    """It fails, and shows where the two part, as `whyops diff` does."""
    with pytest.raises(AssertionError) as failed:
        agent(amount=70).matches(file)
    text = str(failed.value)
    assert f"The run is not as in {file}; `pytest --whyops-update` takes it as the new golden run." in text
    assert "They part at step 6 of " in text
    assert '+ refund(order_id="123", amount=70)\n    ✗ ValueError: too much' in text
    assert "golden Refunded 50" in text
    assert "now    Refunded 70" in text


def test_another_result(file: Path) -> None:
    """The same decision with another result is a difference, too."""
    data = json.loads(file.read_text("utf-8"))
    changed = [event for event in data["events"] if event["metadata"].get("tool") == "check" and event["eventType"] == "tool_call_response"]
    changed[0]["content"]["toolResults"]["result"] = "other"
    file.write_text(json.dumps(data), "utf-8")
    with pytest.raises(AssertionError, match="1 step with another result"):
        agent().matches(file)


def test_what_is_ignored(file: Path) -> None:
    """What has a name that the test gives does not count, in arguments and in results."""
    with pytest.raises(AssertionError):
        agent(amount=49).matches(file)
    with pytest.raises(AssertionError) as failed:
        agent(amount=49).matches(file, ignore=["amount"])
    assert "1 step differs." in str(failed.value)


def test_there_is_none(tmp_path: Path) -> None:
    """It says how one is made."""
    with pytest.raises(AssertionError, match=r"There is no golden run .*--whyops-update"):
        agent().matches(tmp_path / "none.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"goldenRun": 99, "events": []}', '{"goldenRun": 1}'])
def test_it_is_none(tmp_path: Path, text: str) -> None:
    """Another file is no golden run, and is said to be none."""
    path = tmp_path / "other.json"
    path.write_text(text, "utf-8")
    with pytest.raises(AssertionError, match="is no golden run"):
        agent().matches(path)


def test_the_file_is_stable(file: Path, updating: None) -> None:
    """Written again for a run that decided the same, nothing changes in it, but for the order of parallel calls; no id is in it."""
    before = json.loads(file.read_text("utf-8"))
    agent().matches(file)
    after = json.loads(file.read_text("utf-8"))

    def sorted_calls(data: dict[str, list[dict[str, object]]]) -> list[str]:
        return sorted(json.dumps({**event, "timestamp": "", "spanId": "", "metadata": ""}) for event in data["events"])

    assert sorted_calls(before) == sorted_calls(after)
    assert str(datetime.now(timezone.utc).year) not in file.read_text("utf-8")
