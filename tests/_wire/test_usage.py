"""Providers' token counts → ours."""

from __future__ import annotations

import decimal
import fractions
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests._encoding.gallery import HOSTILE_VALUES
from whyops._wire.usage import COUNTS, MAX_COUNT, token_usage, whole


def counts(
    prompt: int | None,
    completion: int | None,
    total: int | None,
    read: int | None = None,
    created: int | None = None,
    lifetimes: tuple[int | None, int | None] = (None, None),
) -> dict[str, int]:
    given_counts = (prompt, completion, total, read, *lifetimes, created)
    return {name: count for name, count in zip(COUNTS, given_counts, strict=True) if count is not None}


@pytest.mark.parametrize(
    "value, expected",
    [
        *(
            (5, 5),
            (0, 0),
            (-3, 0),
            (2**40, MAX_COUNT),
            (1.4, 1),
            (1.6, 2),
            (float("inf"), MAX_COUNT),
            (float("-inf"), 0),
            (float("nan"), None),
        ),
        *((decimal.Decimal("2.6"), 3), (fractions.Fraction(7, 2), 4), (10**400, MAX_COUNT), (decimal.Decimal("sNaN"), None)),
        *((None, None), (True, None), ("12", None), (b"13", None), ([], None), ({}, None), (1j, None), (object(), None)),
    ],
)
def test_whole(value: object, expected: int | None) -> None:
    """A number is rounded and clipped to what the service stores; what is no number is None."""
    assert whole(value) == expected
    assert type(whole(value)) is type(expected)


def test_whole_takes_numpy_numbers() -> None:
    """Numbers of numpy count as numbers."""
    numpy = pytest.importorskip("numpy")
    assert [whole(numpy.float32(2.4)), whole(numpy.int64(7)), whole(numpy.float64("nan"))] == [2, 7, None]


@pytest.mark.parametrize(
    "given_usage, expected",
    [
        # ours
        ({"promptTokens": 42, "completionTokens": 16, "totalTokens": 58}, counts(42, 16, 58)),
        ({"promptTokens": 42, "completionTokens": 16}, counts(42, 16, 58)),
        (
            {"promptTokens": 42, "completionTokens": 16, "cacheReadTokens": 10, "cacheCreationTokens": 5},
            counts(42, 16, 73, 10, 5),
        ),
        (
            {"promptTokens": 42, "completionTokens": 16, "totalTokens": 58, "cacheReadTokens": 10},
            counts(42, 16, 58, 10),
        ),
        (
            {"promptTokens": 42, "completionTokens": 16, "cacheWrite5mTokens": 3, "cacheWrite1hTokens": 4},
            counts(42, 16, 65, None, None, (3, 4)),
        ),
        (
            {"promptTokens": 42, "completionTokens": 16, "cacheWrite5mTokens": 3, "cacheWrite1hTokens": 4, "cacheCreationTokens": 7},
            counts(42, 16, 65, None, None, (3, 4)),
        ),
        ({"promptTokens": 42, "completionTokens": 16, "cacheWrite1hTokens": 4}, counts(42, 16, 62, None, None, (None, 4))),
        ({"promptTokens": 4.6, "completionTokens": -1}, counts(5, 0, 5)),
        ({"promptTokens": "many", "totalTokens": 9}, counts(None, None, 9)),
        ({"promptTokens": 2**40, "completionTokens": 1}, counts(MAX_COUNT, 1, MAX_COUNT)),
        # OpenAI, chat
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, counts(10, 5, 15)),
        (
            {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105, "prompt_tokens_details": {"cached_tokens": 80}},
            counts(20, 5, 105, 80),
        ),
        (
            {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30}},
            counts(10, 5, 105, 60, 30),
        ),
        ({"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 120}}, counts(0, 5, 125, 120)),
        ({"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": None}, counts(100, 5, 105)),
        ({"prompt_tokens": 7, "total_tokens": 7}, counts(7, None, 7)),
        # DeepSeek and LiteLLM, whose prompt count includes the cached tokens too
        ({"prompt_tokens": 100, "completion_tokens": 5, "prompt_cache_hit_tokens": 90}, counts(10, 5, 105, 90)),
        (
            {"prompt_tokens": 100, "completion_tokens": 5, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 30},
            counts(10, 5, 105, 60, 30),
        ),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 5,
                "total_tokens": 105,
                "cache_creation_input_tokens": 30,
                "prompt_tokens_details": {
                    "cached_tokens": 60,
                    "cache_creation_tokens": 30,
                    "cache_creation_token_details": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
                },
            },
            counts(10, 5, 105, 60, None, (10, 20)),
        ),
        # OpenAI, responses
        (
            {"input_tokens": 100, "output_tokens": 5, "total_tokens": 105, "input_tokens_details": {"cached_tokens": 80}},
            counts(20, 5, 105, 80),
        ),
        # Anthropic
        ({"input_tokens": 10, "output_tokens": 5}, counts(10, 5, 15)),
        (
            {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 80, "cache_creation_input_tokens": 20},
            counts(10, 5, 115, 80, 20),
        ),
        (
            {
                "input_tokens": 10,
                "output_tokens": 5,
                "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
                "cache_creation_input_tokens": 0,
            },
            counts(10, 5, 22, None, None, (3, 4)),
        ),
        (
            {
                "input_tokens": 10,
                "output_tokens": 5,
                "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
                "cache_creation_input_tokens": 7,
            },
            counts(10, 5, 22, None, None, (3, 4)),
        ),
        (  # a lifetime that nobody knows yet
            {
                "input_tokens": 10,
                "output_tokens": 5,
                "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4, "ephemeral_1d_input_tokens": 2},
                "cache_creation_input_tokens": 9,
            },
            counts(10, 5, 24, None, 9),
        ),
        (
            {"input_tokens": 10, "output_tokens": 5, "ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
            counts(10, 5, 22, None, None, (3, 4)),
        ),
        ({"output_tokens": 5}, counts(None, 5, None)),
        # OpenAI's Agents
        (
            {
                "requests": 1,
                "input_tokens": 1999,
                "input_tokens_details": {"cached_tokens": 1792, "cache_write_tokens": 0, "cache_write_tokens_details": None},
                "output_tokens": 10,
                "output_tokens_details": {"reasoning_tokens": 5},
                "total_tokens": 2009,
                "request_usage_entries": [],
            },
            counts(207, 10, 2009, 1792, 0),
        ),
        # Codex
        ({"input_tokens": 13675, "cached_input_tokens": 9216, "output_tokens": 100}, counts(4459, 100, 13775, 9216)),
        # pydantic-ai
        (
            {"details": {}, "input_tokens": 13675, "cache_read_tokens": 9216, "output_tokens": 100},
            counts(4459, 100, 13775, 9216),
        ),
        (
            {"details": {}, "requests": 1, "tool_calls": 2, "input_tokens": 100, "cache_write_tokens": 30, "output_tokens": 5},
            counts(70, 5, 105, None, 30),
        ),
        (
            {"input_tokens": 100, "cache_write_tokens": 30, "cache_write_1h_tokens": 20, "cache_read_tokens": 60, "output_tokens": 5},
            counts(10, 5, 105, 60, None, (10, 20)),
        ),
        (
            {"input_tokens": 100, "cache_write_tokens": 30, "cache_write_1h_tokens": 0, "cache_read_tokens": 0, "output_tokens": 5},
            counts(70, 5, 105, 0, 30),
        ),
        # what a total says goes before what a name says
        (
            {"input_tokens": 100, "output_tokens": 5, "total_tokens": 105, "cache_read_input_tokens": 60},
            counts(40, 5, 105, 60),
        ),
        (
            {"input_tokens": 100, "output_tokens": 5, "total_tokens": 165, "cache_read_tokens": 60},
            counts(100, 5, 165, 60),
        ),
        (
            {"input_tokens": 100, "output_tokens": 5, "total_tokens": 165, "input_token_details": {"cache_read": 60}},
            counts(100, 5, 165, 60),
        ),
        ({"input_tokens": 10, "output_tokens": 5, "total_tokens": 15, "cache_read_tokens": 60}, counts(10, 5, 15, 60)),
        ({"input_tokens": 100, "output_tokens": 5, "total_tokens": 999, "cache_read_tokens": 60}, counts(40, 5, 999, 60)),
        # Bedrock
        (
            {"inputTokens": 10, "outputTokens": 5, "totalTokens": 45, "cacheReadInputTokens": 20, "cacheWriteInputTokens": 10},
            counts(10, 5, 45, 20, 10),
        ),
        (
            {"inputTokens": 100, "outputTokens": 5, "totalTokens": 105, "cacheReadInputTokens": 20},
            counts(100, 5, 105, 20),
        ),
        # Google
        (
            {
                "prompt_token_count": 100,
                "cached_content_token_count": 60,
                "candidates_token_count": 7,
                "thoughts_token_count": 3,
                "tool_use_prompt_token_count": 4,
                "total_token_count": 114,
            },
            counts(44, 10, 114, 60),
        ),
        ({"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}, counts(10, 5, 15)),
        # LangChain
        ({"input_tokens": 100, "output_tokens": 5, "total_tokens": 105}, counts(100, 5, 105)),
        (
            {
                "input_tokens": 100,
                "output_tokens": 5,
                "total_tokens": 105,
                "input_token_details": {"cache_read": 60, "cache_creation": 30},
                "output_token_details": {"reasoning": 2},
            },
            counts(10, 5, 105, 60, 30),
        ),
        (
            {
                "input_tokens": 100,
                "output_tokens": 5,
                "total_tokens": 105,
                "input_token_details": {
                    "cache_read": 60,
                    "cache_creation": 0,
                    "ephemeral_5m_input_tokens": 10,
                    "ephemeral_1h_input_tokens": 20,
                },
            },
            counts(10, 5, 105, 60, None, (10, 20)),
        ),
        (
            {"input_tokens": 100, "output_tokens": 5, "input_token_details": {"priority_cache_read": 60, "priority_cache_creation": 30}},
            counts(10, 5, 105, 60, 30),
        ),
        ({"input_tokens": 100, "output_tokens": 5, "input_token_details": {}}, counts(100, 5, 105)),
        # what holds one
        ({"token_usage": {"prompt_tokens": 1, "completion_tokens": 2}}, counts(1, 2, 3)),
        (types.SimpleNamespace(usage=types.SimpleNamespace(input_tokens=1, output_tokens=2)), counts(1, 2, 3)),
        # nothing
        ({}, None),
        ({"a": 1}, None),
        (None, None),
        ("text", None),
        (5, None),
        ([1], None),
        ({"prompt_tokens": None}, None),
        ({1: 2, "prompt_tokens": 3}, counts(3, None, None)),
    ],
)
def test_each_source_is_counted_our_way(given_usage: object, expected: dict[str, int] | None) -> None:
    """Cached tokens are taken out of the prompt where the source counts them in; what is unknown stays absent."""
    assert token_usage(given_usage) == expected
    if isinstance(given_usage, dict) and all(isinstance(key, str) for key in given_usage):
        assert token_usage(types.SimpleNamespace(**given_usage)) == expected


def test_openai_objects() -> None:
    """The usage objects of the official OpenAI client are taken as they are."""
    types_ = pytest.importorskip("openai.types")
    usage = types_.CompletionUsage.model_validate(
        {
            "prompt_tokens": 100,
            "completion_tokens": 5,
            "total_tokens": 105,
            "prompt_tokens_details": {"cached_tokens": 80, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 2},
        }
    )
    assert token_usage(usage) == counts(20, 5, 105, 80)
    responses = pytest.importorskip("openai.types.responses")
    usage = responses.ResponseUsage.model_construct(
        input_tokens=100,
        output_tokens=5,
        total_tokens=105,
        input_tokens_details=types.SimpleNamespace(cached_tokens=80),
        output_tokens_details=types.SimpleNamespace(reasoning_tokens=0),
    )
    assert token_usage(usage) == counts(20, 5, 105, 80)
    embedding = pytest.importorskip("openai.types.create_embedding_response")
    assert token_usage(embedding.Usage(prompt_tokens=8, total_tokens=8)) == counts(8, None, 8)


def test_anthropic_objects() -> None:
    """The usage objects of the official Anthropic client are taken as they are."""
    types_ = pytest.importorskip("anthropic.types")
    usage = types_.Usage(input_tokens=10, output_tokens=5, cache_read_input_tokens=80, cache_creation_input_tokens=20)
    assert token_usage(usage) == counts(10, 5, 115, 80, 20)
    creation = types_.CacheCreation(ephemeral_5m_input_tokens=3, ephemeral_1h_input_tokens=4)
    assert token_usage(types_.Usage(input_tokens=10, output_tokens=5, cache_creation=creation)) == counts(10, 5, 22, None, None, (3, 4))
    assert token_usage(types_.MessageDeltaUsage(output_tokens=5)) == counts(None, 5, None)


def test_protobuf_messages() -> None:
    """A message whose fields are found by name only, as Google's older client gives, is asked for the names we know."""

    class Message:
        DESCRIPTOR = object()
        __slots__ = ()

        def __getattr__(self, name: str) -> int:
            if name in {"prompt_token_count", "candidates_token_count"}:
                return 3
            raise AttributeError(name)

    assert token_usage(Message()) == counts(3, 3, 6)


@pytest.mark.parametrize("value", [make for _, make in HOSTILE_VALUES], ids=[name for name, _ in HOSTILE_VALUES])
def test_hostile_values_are_no_counts(value: object) -> None:
    """Whatever is passed, or stands where a count should, nothing is raised and what is returned can be stored."""
    made = value()  # type: ignore[operator]
    for given_usage in (made, {"prompt_tokens": made, "completion_tokens": 1, "prompt_tokens_details": made}):
        usage = token_usage(given_usage)
        assert usage is None or all(type(count) is int and 0 <= count <= MAX_COUNT for count in usage.values())
    assert whole(made) is None or 0 <= whole(made) <= MAX_COUNT  # type: ignore[operator]


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "promptTokens",
                "completionTokens",
                "totalTokens",
                "cacheReadTokens",
                "prompt_tokens",
                "input_tokens",
                "output_tokens",
                "cache_creation",
                "cacheWrite5mTokens",
                "ephemeral_1h_input_tokens",
                "cache_write_tokens",
                "cache_write_1h_tokens",
                "total_tokens",
                "prompt_token_count",
                "cache_read_input_tokens",
                "prompt_tokens_details",
                "input_token_details",
            ]
        ),
        st.integers()
        | st.floats()
        | st.none()
        | st.sampled_from(["", "5"])
        | st.dictionaries(st.sampled_from(["cached_tokens", "cache_read"]), st.floats()),
    )
)
def test_any_mixture_gives_whole_bounded_counts(given_usage: dict[str, object]) -> None:
    """Whatever mixture of names and values is passed, each count is whole and within the service's bounds."""
    usage = token_usage(given_usage)
    assert usage is None or all(type(count) is int and 0 <= count <= MAX_COUNT for count in usage.values())
