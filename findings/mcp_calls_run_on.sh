#!/usr/bin/env bash
# A tool's call that its client gave up runs to its end in the server, with release 1 of the package mcp.
#
# A client calls a tool that takes a second: once with a time limit that is shorter, once from a task that it cancels. The protocol asks
# the client to tell the server then. Release 2 does, and the tool's function is cancelled. Release 1 does not: the function goes on, with
# all that it does, and its answer is dropped. whyops, which records both sides, then shows a tool that succeeded inside a call that failed.
# whyops is not involved, and is not installed here.
#
# Versions: mcp 1.30.0 and 2.3.0.
# Output:   mcp 1.30.0: after a time-out the tool ran to its end, after a cancelled call the tool ran to its end
#           mcp 2.3.0: after a time-out the tool was cancelled, after a cancelled call the tool was cancelled
# It ends with 1 if that has changed. It needs Python (3.10 to 3.14), and takes one to two minutes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
python="$folder/venv/bin/python"

cat > "$folder/given_up.py" <<'PROGRAM'
import asyncio
from datetime import timedelta

try:
    from mcp import Client as connected
    from mcp.server import MCPServer

    LIMIT = 0.2
except ImportError:
    from mcp.server.fastmcp import FastMCP as MCPServer
    from mcp.shared.memory import create_connected_server_and_client_session as connected

    LIMIT = timedelta(seconds=0.2)

server = MCPServer("slow", log_level="CRITICAL")
became = {}


@server.tool()
async def slow(after: str) -> str:
    became[after] = "was cancelled"
    await asyncio.sleep(1)
    became[after] = "ran to its end"
    return after


async def main():
    async with connected(server) as session:
        try:
            await session.call_tool("slow", {"after": "a time-out"}, LIMIT)
        except Exception as error:
            assert "imed out" in str(error), error
        call = asyncio.ensure_future(session.call_tool("slow", {"after": "a cancelled call"}))
        await asyncio.sleep(0.2)
        call.cancel()
        await asyncio.wait([call])
        await asyncio.sleep(2)
    print(", ".join(f"after {after} the tool {what}" for after, what in became.items()))


asyncio.run(main())
PROGRAM

fault=0
while read -r version what; do
    "$python" -m pip install --quiet "mcp==$version"
    seen=$("$python" "$folder/given_up.py")
    echo "mcp $version: $seen"
    [ "$seen" = "after a time-out the tool $what, after a cancelled call the tool $what" ] || fault=1
done <<< "1.30.0 ran to its end
2.3.0 was cancelled"
exit "$fault"
