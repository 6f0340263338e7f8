"""Tools of an MCP server, which runs as a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.integrations.llama_index.run import Run
from tests.integrations.llama_index.scripted import calls
from tests.integrations.scenario import scenario

tools_mcp = pytest.importorskip("llama_index.tools.mcp")

SERVER = str(Path(__file__).parents[1] / "mcp_server.py")


def ask(run: Run, *script: object) -> None:
    async def talk() -> None:
        client = tools_mcp.BasicMCPClient(sys.executable, args=[SERVER])
        tools = await tools_mcp.McpToolSpec(client=client).to_tool_list_async()
        await run.agent(*script, tools=tools, system_prompt="Look.").run("Weather in Bern?")

    run.wait(talk())


@scenario(feature="A tool of an MCP server", recorded="Its arguments by name, and the text of its result")
def one(run: Run) -> None:
    ask(run, calls(("weather", {"city": "Bern"})), "Sunny.")


@scenario(feature="A tool of an MCP server that fails", recorded="A failed call, and what the model is told")
def failing(run: Run) -> None:
    ask(run, calls(("broken", {"x": 1})), "It failed.")


@scenario(feature="Tools of an MCP server, at the same time", recorded="Each result, tied to its call by its id", streamed=True)
def two(run: Run) -> None:
    ask(run, calls(("weather", {"city": "Bern"}), ("weather", {"city": "Biel"}), ("broken", {"x": 1})), "Sunny.")
