"""The values of settings that neither the caller nor the environment gives."""

from __future__ import annotations

ANALYSE_URL = "https://a.whyops.com/api"
PROXY_URL = "https://proxy.whyops.com"
AGENT_NAME = "default"

MAX_VALUE_BYTES = 256 * 1024
OUTBOX_MAX_BYTES = 256 * 1024 * 1024

LOCAL_MAX_AGE_DAYS = 30
LOCAL_MAX_BYTES = 1_000_000_000
