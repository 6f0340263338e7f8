"""Only `_wire` knows how an event is written."""

from __future__ import annotations

import ast
from pathlib import Path

import whyops

SOURCE = Path(whyops.__file__).parent
OWN_FORM = {
    "_render/terminal/trace_table.py": "what `whyops list --json` prints",
    "_render/json.py": "what `whyops show --json` prints has names of its own, some of them the same",
    "_render/page/data.py": "what the page is handed has names of its own, some of them the same",
    "_render/step_text.py": "how a call ended, in a word",
    "_render/step_values.py": "a view is told the way to a value in a raw event",
    "_service/responses.py": "the service's answers repeat ids",
    "_cli/status.py": "what `whyops status --json` prints",
    "_service/introduction.py": "what an agent is initialised with",
    "_service/stored_trace.py": "what the service is asked, and how it names what it tells",
    "_service/trace_list.py": "what the service is asked, and how it names what it tells",
    "_cli/_checks/service.py": "what the service is asked",
    "_listing/search.py": "which members of a raw event are searched",
    "_providers/google.py": "a provider's word, too",
    "integrations/llama_index/_translate.py": "a provider's word, too",
}
MEMBERS = frozenset(
    {"agentName", "cacheCreationTokens", "cacheReadTokens", "cacheWrite1hTokens", "cacheWrite5mTokens", "closedEarly"}
    | {"completionTokens", "durationMs", "embeddingCount"}
    | {"eventType", "externalUserId", "finishReason", "idempotencyKey", "interrupted", "latencyMs", "parentSpanId", "parentStepId"}
    | {
        "callId",
        "fromUser",
        "promptIds",
        "promptTokens",
        "recordedAt",
        "requestedAt",
        "respondedAt",
        "runId",
        "spanId",
        "stepId",
        "startedAt",
        "toolCalls",
        "toolName",
        "toolResults",
        "toolsFrom",
        "totalTokens",
        "traceId",
    }
)


def named(path: Path) -> set[str]:
    """Return the members that stand in a file as texts of their own, or quoted in a text or bytes that are not prose."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            found |= MEMBERS & {text} | {name for name in MEMBERS if text.startswith((f'{{"{name}":', f',"{name}":'))}
    return found


def test_no_other_file_names_an_events_members() -> None:
    """An event's form can change in one place."""
    named_in = {str(path.relative_to(SOURCE)): named(path) for path in SOURCE.rglob("*.py") if path.parent.name != "_wire"}
    naming = {path: names for path, names in named_in.items() if names}
    assert {path: names for path, names in naming.items() if path not in OWN_FORM} == {}
    assert OWN_FORM.keys() - naming.keys() == set()
