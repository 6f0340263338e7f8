"""The tools of the scenarios."""

from __future__ import annotations

from langchain_core.tools import tool


@tool
def find(order: str) -> str:
    """Find an order."""
    return f"order {order} has shipped"


@tool
def price(item: str) -> str:
    """Give a price."""
    return f"a {item} is 57.70"


@tool
def failing(order: str) -> str:
    """Fail."""
    raise ValueError(f"no {order}")
