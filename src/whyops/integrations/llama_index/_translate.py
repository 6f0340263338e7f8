"""LlamaIndex's messages, answers, nodes and tool results → plain values in our form.

Pure: nothing here records, and nothing here calls back into LlamaIndex. What a provider's raw answer holds is looked up without running
any of its code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import MessageRole, TextBlock
from llama_index.core.llms.llm import ToolSelection

from ..._encoding import Encode
from ..._encoding.class_fields import fields
from ..._providers.answer import Answer, is_told_by
from ..._providers.messages import (
    first_of,
    first_text,
    message_item,
    prompt_metadata,
    retrieved,
    role_of,
    shown_content,
    text_of,
    tool_call,
)
from ..._providers.said import Said, seal_of
from ..._recording.model_call import Question
from ..._wire.signature import strip_signature
from ..._wire.usage import reasoning_tokens, token_usage
from ..._wire.write import known
from ...types import MessageItem, ToolCallItem, UserMessageMetadata

UNKNOWN = "unknown"

_OBSERVATION = "Observation:"
_FINISH = ("finish_reason", "finishReason", "stop_reason", "stopReason", "done_reason")
_TEXT = frozenset({str})
_TEXTS = frozenset({TextBlock})
_SIGNATURES = ("signature", "thought_signature")


# Prompts


def prompt_messages(prompt: object, encode: Encode) -> list[MessageItem]:
    """Return what a model is asked: a list of LlamaIndex's messages, or a completion's prompt, which counts as the user's words."""
    if isinstance(prompt, str):
        return [_message(prompt, encode)]
    return [_message(message, encode) for message in prompt] if isinstance(prompt, Iterable) else []


def ends_in_users_words(messages: Sequence[MessageItem]) -> bool:
    """Tell whether the last message is the user's, and no tool's result: ReAct agents send theirs back in the user's name."""
    if not messages or messages[-1]["role"] != "user":
        return False
    text = text_of(messages[-1]["content"])
    return not (text.startswith(_OBSERVATION) and len(messages) > 1 and messages[-2]["role"] == "assistant")


def _message(message: Any, encode: Encode) -> MessageItem:
    if isinstance(message, str):
        return {"role": "user", "content": strip_signature(message)}
    kwargs = getattr(message, "additional_kwargs", None) or {}
    return message_item(_role(message), _content(message), tool_calls_of(message, encode), kwargs)


def _role(message: Any) -> object:
    role = getattr(message, "role", UNKNOWN)
    return role._value_ if type(role) is MessageRole else role


def _content(message: Any) -> object:
    """Return the text of a message that has nothing but text, else its parts; thinking and tool calls stand elsewhere."""
    every = getattr(message, "blocks", None) or []
    texts = [block.text for block in every if type(block) is TextBlock]
    if texts and len(texts) == len(every):
        return shown_content("\n".join(texts))
    blocks = [block for block in every if _kind(block) not in {"thinking", "tool_call"}]
    if not blocks:
        return shown_content(getattr(message, "content", None) or "")
    if all(_kind(block) == "text" for block in blocks):
        return shown_content("\n".join(block.text for block in blocks))
    return shown_content([_part(block) for block in blocks])


def _part(block: Any) -> dict[str, Any]:
    """Return a part in the form that providers know: text as it is, of the rest what is set."""
    if _kind(block) == "text":
        return {"type": "text", "text": block.text}
    held = {name: value for name, value in fields(block).items() if value is not None and not name.startswith("_")}
    return {"type": _kind(block), **{name: _plain(name, value) for name, value in held.items() if name != "block_type"}}


def _plain(name: str, value: object) -> object:
    """Return bytes that are base64 already, as images are held, as text; so is a place where an image is."""
    if isinstance(value, bytes) and value.isascii():
        return value.decode("ascii")
    return str(value) if name in {"path", "url"} else value


def _kind(block: object) -> str:
    kind = getattr(block, "block_type", None)
    return kind if isinstance(kind, str) else UNKNOWN


def said(message: Any) -> Said:
    """Return what makes a message up. One of nothing but text is its texts, and the id of the tool call that it is the result of."""
    if isinstance(message, str):
        return Said("user", message)
    kwargs = getattr(message, "additional_kwargs", None) or {}
    calls = [_called(call) for call in kwargs["tool_calls"] or ()] if "tool_calls" in kwargs else []
    blocks = getattr(message, "blocks", None) or []
    parts = [
        block.text if type(block) is TextBlock else _parts(block)
        for block in blocks
        if type(block) is TextBlock or _kind(block) != "thinking"
    ]
    if calls or not _TEXT.issuperset(map(type, parts)):
        parts = [parts, calls]
    parts.append(kwargs.get("tool_call_id"))
    name = kwargs.get("name")
    return Said(role_of(_role(message)), parts, name if isinstance(name, str) else None, message)


def seal(message: Any) -> object:
    """Return a value that is equal as long as nothing of what `said` reads has changed; None where that can't be told at little cost."""
    held = getattr(message, "__dict__", None) or {}
    blocks, kwargs = held.get("blocks"), held.get("additional_kwargs") or {}
    if type(blocks) is not list or type(kwargs) is not dict:
        return None
    texts = [block.text for block in blocks if type(block) is TextBlock]
    if len(texts) != len(blocks) or not _TEXT.issuperset(map(type, texts)):
        return None
    if not kwargs:
        return texts, held.get("role")
    calls = [_sealed(call) for call in kwargs["tool_calls"] or ()] if "tool_calls" in kwargs else []
    sealed = seal_of([kwargs.get("tool_call_id"), kwargs.get("name"), calls])
    return None if sealed is None else (texts, held.get("role"), sealed)


def _called(call: object) -> object:
    """Return what makes a tool call up; of OpenAI's form, what the function is called with beside the rest."""
    held = _held(call)
    return (held, _held(held["function"])) if "function" in held else held


def _sealed(call: object) -> object:
    return [type(call).__name__, call.__dict__] if type(call) is ToolSelection else call


def _parts(block: Any) -> object:
    if _kind(block) == "text":
        return block.text
    return [block.tool_call_id, block.tool_name, block.tool_kwargs] if _kind(block) == "tool_call" else _part(block)


def asked(prompt: object, instance: object, kwargs: Mapping[str, Any], encode: Encode) -> Question:
    """Return what a model is asked: messages, or a completion's prompt."""
    messages = [prompt] if isinstance(prompt, str) else list(prompt) if isinstance(prompt, Iterable) else []
    rest = {name: value for name, value in kwargs.items() if name != "tools"}
    return Question(
        messages,
        said,
        lambda some: [_message(message, encode) for message in some],
        lambda new, with_tools: sent_along(new, instance, kwargs if with_tools else rest),
        offered(kwargs),
        lambda new: any(message["role"] == "user" and not text_of(message["content"]).startswith(_OBSERVATION) for message in new),
        seal=seal,
    )


def offered(kwargs: Mapping[str, Any]) -> list[object] | None:
    """Return the tools that a model is offered."""
    tools = kwargs.get("tools")
    return [_offered(tool) for tool in tools] if isinstance(tools, (list, tuple)) else None


def sent_along(messages: Sequence[MessageItem], instance: object, kwargs: Mapping[str, Any]) -> UserMessageMetadata:
    """Return what goes along with a prompt: system prompt, the tools offered, and the parameters of the call and of the model."""
    held = fields(instance) if instance is not None else {}
    usual = {name: held.get(name) for name in ("temperature", "max_tokens", "top_p")}
    given = {name: value for name, value in {**usual, **kwargs}.items() if isinstance(value, (str, int, float)) and name != "formatted"}
    return prompt_metadata(messages, offered(kwargs), given)


def _offered(tool: Any) -> object:
    """Return a tool in OpenAI's form; LlamaIndex's own objects are offered only by models that take them as they are."""
    described = getattr(tool, "metadata", None)
    return tool if described is None else {name: getattr(described, name, None) for name in ("name", "description")}


# Answers


def answer_of(response: Any, encode: Encode) -> Answer:
    """Return the answer in a ChatResponse or a CompletionResponse; for a stream, in its last chunk."""
    message = getattr(response, "message", None)
    text = getattr(message, "content", None) if message is not None else getattr(response, "text", None)
    answer = Answer(
        content=strip_signature(text) if isinstance(text, str) else None,
        thinking=_thinking(message),
        tool_calls=tool_calls_of(message, encode),
        finish_reason=finish_reason_of(response),
        usage=usage_of(response),
        more={} if (reasoning := reasoning_tokens_of(response)) is None else {"reasoningTokens": reasoning},
    )
    if message is not None and is_told_by(answer, message_item(_role(message), _content(message), answer.tool_calls, {})):
        answer.said = said(message)._replace(seal=seal(message))  # the next prompt has the same object
    return answer


def _thinking(message: Any) -> list[tuple[str, object]]:
    others = _no_texts(message)
    if not others:
        return []
    blocks = [block for block in others if _kind(block) == "thinking" and block.content]
    held = [_held(getattr(block, "additional_information", None)) for block in blocks]
    return [(strip_signature(block.content), first_text(each, _SIGNATURES)) for block, each in zip(blocks, held, strict=True)]


def tool_calls_of(message: Any, encode: Encode) -> list[ToolCallItem]:
    """Return the tool calls that a message asks for: from its blocks or, as older integrations have them, from `additional_kwargs`."""
    others = _no_texts(message)
    blocks = [block for block in others if _kind(block) == "tool_call"] if others else []
    if blocks:
        return [tool_call(block.tool_name, block.tool_kwargs, block.tool_call_id, encode) for block in blocks]
    kwargs = getattr(message, "additional_kwargs", None) or {}
    listed = kwargs.get("tool_calls")
    return [_older_tool_call(call, encode) for call in listed] if isinstance(listed, (list, tuple)) else []


def _no_texts(message: Any) -> list[Any]:
    """Return the parts of a message that are no text."""
    blocks = getattr(message, "blocks", None) or []
    return [] if _TEXTS.issuperset(map(type, blocks)) else [block for block in blocks if type(block) is not TextBlock]


def _older_tool_call(call: object, encode: Encode) -> ToolCallItem:
    """Read OpenAI's tool call, Anthropic's block or LlamaIndex's own ToolSelection, object or dict."""
    held = _held(call)
    function = _held(held["function"]) or held if "function" in held else held
    name = function.get("name") or held.get("tool_name")
    given = [each[key] for each in (function, held) for key in ("arguments", "input", "args", "tool_kwargs") if key in each]
    return tool_call(name, given[0] if given else {}, held.get("id") or held.get("tool_id"), encode)


def finish_reason_of(response: Any) -> object:
    """Return why the model stopped, from wherever the provider's integration leaves it; None where it does not say."""
    raw = _held(getattr(response, "raw", None))
    message = getattr(response, "message", None)
    places = [raw]
    places += [_held(raw[name]) for name in ("delta", "messageStop") if name in raw]
    places += [_first(raw[name]) for name in ("choices", "candidates") if name in raw]
    places += [_held(kwargs) for holder in (response, message) if (kwargs := getattr(holder, "additional_kwargs", None))]
    return first_of(places, _FINISH) or _status_of(_held(raw.get("response")) or raw)


def _status_of(response: Mapping[str, Any]) -> object:
    """Return how an answer of OpenAI's Responses API ended, which has no finish reason: what cut it short, else its status."""
    if "output" not in response:
        return None
    return _held(response.get("incomplete_details")).get("reason") or response.get("status")


def usage_of(response: Any) -> dict[str, int] | None:
    """Return the tokens, from the provider's raw answer or, where that has none, from `additional_kwargs`."""
    raw = getattr(response, "raw", None)
    kwargs = getattr(response, "additional_kwargs", None)
    return (token_usage(raw) if raw is not None else None) or (token_usage(kwargs) if kwargs else None)


def reasoning_tokens_of(response: Any) -> int | None:
    """Return how many tokens were spent on reasoning, from where the usage is."""
    for name in ("raw", "additional_kwargs"):
        place = _held(getattr(response, name, None))
        if "response" in place:
            place = _held(place["response"]) or place
        if place and (count := reasoning_tokens(place)) is not None:
            return count
    return None


def says_something(chunk: Any) -> bool:
    """Tell whether a chunk of a stream has anything of the answer: text, thinking or a tool call."""
    message = getattr(chunk, "message", None)
    text = getattr(message, "content", None) or getattr(chunk, "text", None) or delta_of(chunk) or thinking_delta_of(chunk)
    kwargs = getattr(message, "additional_kwargs", None) or {}
    return bool(text or kwargs.get("tool_calls")) or any(_kind(block) != "text" for block in getattr(message, "blocks", None) or [])


def delta_of(chunk: object) -> str:
    """Return the text that a chunk of a stream adds."""
    delta = getattr(chunk, "delta", None)
    return delta if isinstance(delta, str) else ""


def thinking_delta_of(chunk: object) -> str:
    """Return the thinking that a chunk of a stream adds, as some integrations hand it on."""
    for holder in (chunk, getattr(chunk, "message", None)):
        delta = _held(getattr(holder, "additional_kwargs", None)).get("thinking_delta")
        if isinstance(delta, str) and delta:
            return delta
    return ""


def _first(value: object) -> Mapping[str, object]:
    return _held(value[0]) if isinstance(value, (list, tuple)) and value else {}


def _held(value: object) -> Mapping[str, Any]:
    """Return what a dict or an object holds by name, without running any of its code."""
    if value is None:
        return {}
    if type(value) is ToolSelection:
        return value.__dict__.copy()
    return value if isinstance(value, (dict, Mapping)) else fields(value)


# Retrieval


def query_of(query: object) -> object:
    """Return the words of a query, which may come as text or as a QueryBundle."""
    return query if query is None or isinstance(query, str) else getattr(query, "query_str", None)


def nodes_of(nodes: object) -> list[object]:
    """Return retrieved nodes with content, metadata and score."""
    return [_node(node) for node in nodes] if isinstance(nodes, (list, tuple)) else []


def ranking_of(query: object, nodes: object, top_n: object, model: object) -> dict[str, object]:
    """Return the arguments of a reranker's call: of the nodes, which ones, and with which score."""
    return {"query": query_of(query), "nodes": ranked(nodes), "top_n": top_n, "model": model}


def ranked(nodes: object) -> list[object]:
    """Return nodes that are about to be ranked: which ones, and with which score."""
    short = ("id", "score")
    return [{name: node[name] for name in short if name in node} if isinstance(node, dict) else node for node in nodes_of(nodes)]


def _node(scored: Any) -> object:
    node = getattr(scored, "node", scored)
    if not hasattr(node, "get_content"):
        return node
    score = getattr(scored, "score", None) if node is not scored else None
    return retrieved(getattr(node, "node_id", None), node.get_content(), getattr(node, "metadata", None), score)


# Embeddings


def texts_of(arguments: Mapping[str, object]) -> list[object]:
    """Return the texts that a method of an embedding model was called with, under whatever name."""
    value = next(iter(arguments.values()), None)
    return list(value) if isinstance(value, (list, tuple)) else [] if value is None else [value]


def images_of(arguments: Mapping[str, object]) -> list[object]:
    """Return the images that a method of an embedding model was called with: where they are, or how many bytes they have."""
    return [shown_content(each, "image") for each in texts_of(arguments)]


def vectors_of(result: Any) -> tuple[int, int]:
    """Return how many vectors there are, and the dimensions of the first: the result is one vector or a list of them."""
    if not hasattr(result, "__len__") or len(result) == 0:
        return 0, 0
    if isinstance(result, Mapping):  # a sparse one: weights by their place
        return 1, len(result)
    first = result[0]
    return (len(result), len(first)) if hasattr(first, "__len__") else (1, len(result))


# Tool results


def result_of(value: Any) -> object:
    """Return a tool's result: of a query's response its text and sources, of nodes their contents; a stream is not touched."""
    if hasattr(type(value), "get_formatted_sources"):
        return known({"response": value.__dict__.get("response"), "sources": nodes_of(value.__dict__.get("source_nodes"))})
    if isinstance(value, (list, tuple)) and value and all(hasattr(type(item), "get_content") for item in value):
        return {"nodes": nodes_of(value)}
    return value
