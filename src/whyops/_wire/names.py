"""Names that mean something of their own in events."""

from __future__ import annotations

UNKNOWN = "unknown"
"""Stands for a name that nobody told."""

PROXY_ARGUMENT = "_whyops_trace_id"
"""The argument that the WhyOps proxy adds to a model's tool calls; it is for us, and not part of the call."""
