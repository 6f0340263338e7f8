"""An event's line: its members, their names and their order. Pure; what is called JSON is put in as it is.

The line begins with the trace's and the agent's members, so that lines of the same trace begin alike, and ends with content and metadata.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii as quote

from .digits import DIGITS
from .usage import MAX_COUNT

START = b'{"traceId":'
"""How each line begins."""

_AFTER_TRACE = b',"agentName":'
_CONTENT = b',"content":'
_PROMPT = b',"eventType":"user_message",'


def head(trace_id: str, agent_name: str, external_user_id: str | None) -> str:
    """Return how the lines of a trace begin, up to what differs from event to event."""
    user = "" if external_user_id is None else f',"externalUserId":{quote(external_user_id)}'
    return f'{{"traceId":{quote(trace_id)},"agentName":{quote(agent_name)}{user},"eventType":"'


def line(head: str, event_type: str, timestamp: str, key: str, members: str) -> bytes:
    """Return a whole line. `key` is an idempotency key as JSON, `members` are the rest, each after a comma."""
    return f'{head}{event_type}","timestamp":"{timestamp}","idempotencyKey":{key}{members}}}\n'.encode()


def members(span_id: str | None, steps: str, content: str, metadata: str) -> str:
    """Return an event's own members. `content` is JSON; `steps` and `metadata` are members, each after a comma."""
    span = f',"spanId":{quote(span_id)}' if span_id is not None else ""
    end = f',"metadata":{{{metadata[1:]}}}' if metadata else ""
    return f'{span}{steps},"content":{content}{end}'


def steps(number: int | None, around: int | None) -> str:
    """Return a caller's own numbers of a step, and of the one around it, each after a comma."""
    own = "" if number is None else f',"stepId":{number}'
    return own if around is None else f'{own},"parentStepId":{around}'


def marks(parent_id: str | None, cuts: int, redactions: int) -> str:
    """Return what the metadata says of the place of an event, and of how many values were cut and redacted, each after a comma."""
    parent = f',"parentSpanId":{quote(parent_id)}' if parent_id is not None else ""
    cut = f',"truncated":{cuts}' if cuts else ""
    return f'{parent}{cut},"redacted":{redactions}' if redactions else parent + cut


def response_key(span_id: str) -> str:
    """Return the idempotency key of the response of a tool call that was recorded as one."""
    return f"{span_id}b"


def message_key(event_key: str, place: int) -> str:
    """Return the id of a message, by its place in a prompt's event."""
    return f"{event_key}/{place}"


def beginning(event_key: str, length: int) -> str:
    """Return the id of the first messages of a prompt, whose ids the event with this key tells."""
    return f"{event_key}:{length}"


CALL_ID = "callId"
"""Under which the metadata of an event names the model's call that it is part of."""


def asked(call_id: str | None, prompt_ids: str | None = None, tools_from: str | None = None, *, is_of_agent: bool = False) -> str:
    """Return what the metadata says of a model's call, each after a comma.

    That is its id, the ids of its prompt's messages, a JSON array, and the key of the event that holds the tools it was offered; and
    whether an agent speaks in the user's name.
    """
    call = f',"callId":{quote(call_id)}' if call_id is not None else ""
    prompt = f',"promptIds":{prompt_ids}' if prompt_ids is not None else ""
    tools = f',"toolsFrom":{quote(tools_from)}' if tools_from is not None else ""
    return call + prompt + tools + (',"fromUser":false' if is_of_agent else "")


def recorded_at(time: str) -> str:
    """Return what the metadata says of when an event happened, after a comma; the event's own timestamp may be a little later."""
    return f',"recordedAt":"{time}"'


def opened(time: str) -> str:
    """Return what the metadata of a block's first event says of when it was opened, after a comma."""
    return f',"startedAt":"{time}"'


def inside(traceparent: str) -> str:
    """Return what it says of the span of the application's own OpenTelemetry around it, as W3C's header names it, after a comma."""
    return f',"traceparent":{quote(traceparent)}'


def run(run_id: str) -> str:
    """Return what the metadata of an event says of the turn that it is part of, after a comma."""
    return f',"runId":{quote(run_id)}'


def numbered_run(nonce: str, number: int) -> str:
    """Return the same of a turn whose name is made of a process' nonce and a number, which need no escapes."""
    return f',"runId":"{nonce}-{number}"'


def call_begun(span_id: str, tool: str, arguments: str) -> str:
    """Return what request and response of a tool call share. `tool` and `arguments` are JSON; so is the span id, once in quotes."""
    return f',"spanId":"{span_id}","content":{{"name":{tool},"toolCalls":[{{"name":{tool},"arguments":{arguments}}}]'


def request(head: str, times: tuple[str, str], span_id: str, begun: str, tool: str, metadata: str) -> bytes:
    """Return the line of a tool call's request. `times` are the exact one, and the service's."""
    exact, timestamp = times
    return (
        f'{head}tool_call_request","timestamp":"{timestamp}","idempotencyKey":"{span_id}a"{begun}}},'
        f'"metadata":{{"tool":{tool},"recordedAt":"{exact}"{metadata}}}}}\n'
    ).encode()


def response(head: str, times: tuple[str, str], span_id: str, begun: str, results: str, tool: str, took: int, metadata: str) -> bytes:
    """Return the line of a tool call's response. `results` are JSON; `times` as with a request; it took so many microseconds."""
    exact, timestamp = times
    milliseconds = (took + 500) // 1_000
    if milliseconds > MAX_COUNT:  # noqa: PLR1730  (a call of `min` costs ten times as much)
        milliseconds = MAX_COUNT
    return (
        f'{head}tool_call_response","timestamp":"{timestamp}","idempotencyKey":"{span_id}b"{begun},"toolResults":{results}}},'
        f'"metadata":{{"tool":{tool},"recordedAt":"{exact}","latencyMs":{milliseconds},'
        f'"durationMs":{took // 1_000}.{DIGITS[took % 1_000]}{metadata}}}}}\n'
    ).encode()


def failed(results: str) -> str:
    """Return the results of a call, as JSON, with what went wrong in it beside them, where the service's dashboard looks for it."""
    error = json.loads(results).get("error")
    return f'{results},"error":{json.dumps(error, separators=(",", ":"))}' if error else results


def with_whole_messages(line: bytes) -> bytes:
    """Return a prompt's line with its messages in the metadata too, where the service keeps them as they are.

    Of contents it keeps the users' texts alone. Any other line, and one that loses nothing by that, is returned as it is.
    """
    if _PROMPT not in line[: line.find(_CONTENT)]:
        return line
    event = json.loads(line)
    messages, metadata = event.get("content"), event.get("metadata") or {}
    if not isinstance(messages, list) or "messages" in metadata or _is_kept(messages):
        return line
    return json.dumps({**event, "metadata": {**metadata, "messages": messages}}, separators=(",", ":")).encode() + b"\n"


def _is_kept(messages: list[object]) -> bool:
    """Tell whether all is known of these messages from the users' texts: none, or a single plain one, which does not look like JSON."""
    match messages:
        case []:
            return True
        case [{"role": "user", "content": str(text), **others}] if not others:
            return not text.lstrip().startswith(("{", "["))
    return False


def rewritten(event: Mapping[str, object], agent_name: str, key: str) -> bytes:
    """Return the line of a recorded event as another agent's, with an idempotency key."""
    return json.dumps({**event, "agentName": agent_name, "idempotencyKey": key}, separators=(",", ":")).encode() + b"\n"


def trace_of(line: bytes) -> bytes:
    """Return the part of a line that names its trace, as it stands there."""
    return line.partition(_AFTER_TRACE)[0]


def trace_id_of(line: bytes) -> str:
    """Return the id of a line's trace; nothing, for a line that is not of our own making."""
    try:
        trace_id = json.loads(trace_of(line)[len(START) :])
    except (ValueError, RecursionError):
        return ""
    return trace_id if isinstance(trace_id, str) and line.startswith(START) else ""
