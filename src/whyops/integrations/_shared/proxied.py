"""What points a framework's model at the WhyOps proxy."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from ..._client import WhyOps
from ..._default import default_client
from ..._recording.trace import Trace
from ..._service.proxy import ProxySettings

Provider = Literal["openai", "anthropic"]


def proxy_settings(client: WhyOps | None, provider: Provider, trace: Trace | None) -> ProxySettings:
    """Return the proxy's settings of `client`, by default the default one; the headers name `trace`, if one is given."""
    settings = (client or default_client()).proxy(provider)
    return settings if trace is None else replace(settings, headers={**settings.headers, **trace.headers()})
