"""Every example runs as it is shipped: offline, without a key, in a home of its own."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.interpreter import STRICT
from whyops._cli._main import main

EXAMPLES = Path(__file__).parents[1] / "examples"

SAID = {
    "anthropic_proxy.py": ["mia: Order 1007 is out for delivery.", "jonas: Order 1011", "/v1/messages, for agent shop-support"],
    "langchain_agent.py": ["Your order is in Lübeck.", "whyops show last"],
    "langgraph_interrupt.py": ["Refund 57.70 EUR for order 123?", "The order is refunded", "whyops show last"],
    "llama_index_agent.py": ["Your order 123 is in Lübeck", "whyops show last"],
    "llama_index_query.py": ["Returns are free for 30 days", "whyops show last"],
    "mcp_tools.py": ["Order 123 is in Lübeck.", "whyops show last"],
    "model_call.py": ["Order 1007 is out for delivery in Lübeck.", "whyops show last"],
    "openai_direct.py": ["Order 1007 is out for delivery in Lübeck.", "whyops show last"],
    "openai_proxy.py": ["Order 1007 is out for delivery.", "/v1/chat/completions, for agent shop-support", "tool_call_response"],
    "opentelemetry_agent.py": ["Order 1007 is out for delivery in Lübeck.", "whyops show last"],
    "quickstart.py": ["out for delivery in Lübeck", "refunded its 57.70 EUR", "whyops show last"],
    "testing_your_agent.py": ["refund was called once; expected: never.", '>   refund(order_id="123")', "6 passed"],
}
"""What a reader sees when the example works."""

SHOWN: dict[str, list[str]] = {
    "anthropic_proxy.py": [],
    "langchain_agent.py": ["Where is order 123?", "1 tool offered", "where_is", "last_scan", "61 in", "Your order is in Lübeck."],
    "langgraph_interrupt.py": ["price_of", "5770", "ask_a_human", "GraphInterrupt", "true"],
    "llama_index_agent.py": ["where_is", 'order_id="123"', "last_scan", "scripted-1", "Lübeck"],
    "llama_index_query.py": ["VectorIndexRetriever", "Can I send it back?", "embedding", "scripted-1", "free for 30 days"],
    "mcp_tools.py": ['where_is(order_id="123")', 'last_scan(parcel="P-7")', "Lübeck"],
    "model_call.py": ["Where is order 1007?", "1 tool offered", "find_order", 'order_id="1007"', "gpt-4o-mini", "15+16 in", "Lübeck"],
    "openai_direct.py": ["Where is order 1007?", "1 tool offered", "find_order", 'order_id="1007"', "gpt-4o-mini", "15+16 in", "Lübeck"],
    "openai_proxy.py": [],
    "opentelemetry_agent.py": ["Where is order 1007?", "1 tool offered", "find_order", 'order_id="1007"', "gpt-4o-mini", "31 in", "Lübeck"],
    "quickstart.py": ["jonas", "refund", "only what was delivered can be refunded", "find_order", "another one", "orders_of", "5770"],
    "testing_your_agent.py": [],
}
"""What `whyops show last` tells of it afterwards; nothing, if it records with a key."""


def run(home: Path, *arguments: str) -> str:
    """Run Python as a newcomer does, and return what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WHYOPS_")}
    environment |= {"WHYOPS_HOME": str(home), "PYTHONUTF8": "1", "COLUMNS": "80"}
    done = subprocess.run([*STRICT, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_every_example_is_checked() -> None:
    """A new example names here what it prints and what it records."""
    shipped = {path.name for path in EXAMPLES.glob("*.py")}
    assert set(SAID) == set(SHOWN) == shipped


@pytest.mark.examples
@pytest.mark.parametrize("name", SAID)
def test_an_example_says_and_records_what_it_did(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An example ends well, says nothing on stderr, and its last trace can be read."""
    imported = re.findall(
        r"^from (langchain|langgraph|llama_index|mcp|openai|anthropic)\b", (EXAMPLES / name).read_text("utf-8"), re.MULTILINE
    )
    for framework in imported:
        pytest.importorskip(framework)
    said = run(tmp_path / "home", str(EXAMPLES / name))
    for text in SAID[name]:
        assert text in said
    if not SHOWN[name]:
        return
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["--home", str(tmp_path / "home"), "show", "last"]) == 0
    shown, err = capsys.readouterr()
    assert err == ""
    shown = " ".join(shown.replace("│", " ").split())
    for text in SHOWN[name]:
        assert text in shown
