"""Functions as the tools of an agent's metadata."""

from __future__ import annotations

import json

from whyops import describe_tools


def search(query: str, limit: int = 5) -> list[str]:
    """Find orders."""
    return [query] * limit


class Shop:
    def refund(self, order, amount: "Unknown"):  # noqa: F821, UP037  (an annotation that names nothing)
        return order, amount

    def __call__(self, x: float) -> float:
        """Weigh."""
        return x


def test_a_function_is_described_by_its_annotations_and_docstring():
    """Name, description and both schemas, these as JSON strings, as the service wants them."""
    (tool,) = describe_tools(search)
    assert tool["name"] == "search"
    assert tool["description"] == "Find orders."
    assert json.loads(tool["inputSchema"]) == {
        "type": "object",
        "properties": {"query": {"type": "string"}, "limit": {"type": "integer"}},
        "required": ["query"],
    }
    assert json.loads(tool["outputSchema"]) == {"type": "array", "items": {"type": "string"}}


def test_what_has_no_schema_is_any_value():
    """A missing or unreadable annotation, a method's receiver and a missing docstring are no obstacle."""
    refund, weigh = describe_tools(Shop().refund, Shop())
    assert json.loads(refund["inputSchema"]) == {
        "type": "object",
        "properties": {"order": {}, "amount": {}},
        "required": ["order", "amount"],
    }
    assert refund["description"] == "refund"
    assert weigh["name"] == "Shop"
    assert json.loads(weigh["inputSchema"])["properties"] == {"x": {"type": "number"}}
