"""The sender: takes lines from the outbox and hands them to a sink."""
