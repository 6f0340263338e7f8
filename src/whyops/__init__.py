"""See what an AI agent did, and why."""
