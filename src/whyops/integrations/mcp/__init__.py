"""Tools of MCP servers: their calls are recorded at the client, and one trace goes on in the server.

    session = recorded_session(session)      # in the client: a ClientSession, a Client, or an adapter's
    instrument(server, trust=True)           # in the server: a FastMCP, an MCPServer, or a low-level Server

For the official package `mcp`, 1.24 or newer, 2 as well. It isn't imported here, and nothing of it is changed but the objects that are
handed in.
"""

from ._server import instrument
from ._session import recorded_session

__all__ = ["instrument", "recorded_session"]
