"""An MCP server with two tools, as a program that is spoken to over its standard input and output."""

try:
    from mcp.server.fastmcp import FastMCP
except ImportError:  # its name since 2.0
    from mcp.server import MCPServer as FastMCP

server = FastMCP("weather")


@server.tool()
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"sunny in {city}"


@server.tool()
def broken(x: int) -> str:
    """Fail."""
    raise ValueError("no such thing")


if __name__ == "__main__":
    server.run()
