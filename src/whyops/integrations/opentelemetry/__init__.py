"""Whatever framework makes OpenTelemetry spans of what its agents do, recorded.

    provider = TracerProvider()
    provider.add_span_processor(WhyOpsSpanProcessor())

Reads the GenAI conventions from 1.36 (`gen_ai.system`, events) to the newest (`gen_ai.input.messages`), and OpenInference's attributes.
Needs the extra `opentelemetry`, that is `opentelemetry-sdk`. Importing this module changes nothing.
"""

from __future__ import annotations

from .._shared.require import require

require("opentelemetry.sdk", "opentelemetry")

from ._processor import WhyOpsSpanProcessor  # noqa: E402  (after the check that the SDK is there)

__all__ = ["WhyOpsSpanProcessor"]
