"""`whyops mcp`: the recorded traces for coding agents, over the Model Context Protocol; read only."""
