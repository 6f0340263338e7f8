"""Quick searches: what a whole text is looked through for, on every call."""

from __future__ import annotations

from collections.abc import Callable


def searcher(pattern: str) -> Callable[[str], bool]:
    """Return a function that tells whether a text has the pattern in it.

    These are pydantic-core's regular expressions: however much they look for, they look at each character once, at a fifth of what Python's
    cost. They know no look-around, and find nothing in a text with a lone surrogate.
    """
    from pydantic_core import SchemaValidator, core_schema  # noqa: PLC0415 - `import whyops` does not pay for it

    return SchemaValidator(core_schema.str_schema(pattern=pattern)).isinstance_python
