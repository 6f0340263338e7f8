"""Any value → bounded JSON without secrets. Knows no trace and no event.

Where to look: `encoder` is the way in, and says what the ways of copying a value agree on; `fast_copy` and `bounded_copy` are these ways;
`readers` knows how each type is read, `class_fields` what an object holds and its class declares;
`redaction/` finds secrets: `redactor` says how. `injected` knows what frameworks pass to tools, `coerce` reads what a caller passes as a
name, a text or a list.
"""

from collections.abc import Callable

Encoded = tuple[str, int, int]
"""A value as JSON, how many places of it were cut, and how many redacted."""

Encode = Callable[[object], Encoded]
