"""Which names hide a secret."""

from __future__ import annotations

import pytest

from whyops._encoding.redaction.secret_names import SecretNames, Verdict

SECRET = """
password Password PASSWORD passwd pwd passphrase passcode user_password dbPassword userpassword DB_PASSWORD password1
password_hash pass_word
token Token accessToken access_token ACCESS-TOKEN accesstoken refresh.token id_token csrfToken csrftoken bot-token X-Amz-Security-Token
secret client_secret clientSecret SECRET_KEY aws_secret_access_key AWSSecretAccessKey webhookSecret
apiKey api_key API-KEY apikey x-api-key XAPIKey OPENAI_API_KEY openaiApiKey openai_key stripeKey
authorization Authorization HTTP_AUTHORIZATION Proxy-Authorization authorisation auth basic_auth auth_header
cookie Cookie Set-Cookie cookies session_cookies privateKey private_key private-key-pem PRIVATEKEY accessKey access_key_id signingKey
credentials credential aws_credentials creds jwt bearer access_tokens authTokens \uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44
""".split()  # noqa: SIM905  (a list of words)

CLEAN = """
max_tokens maxTokens maxOutputTokens totalTokens promptTokens completion_tokens input_tokens output_tokens
input_token_details reasoningTokens
tokenizer tokenize tokenCount token_count total_token_count tokens_used tokenUsage token_limit num_tokens n_tokens eos_token pad_token
next_token cost_per_token cache_creation_input_tokens cachedTokens time_to_first_token token_type token_ids logprobs
key keys keyword keyboard monkey primary_key key_name sort_key secretary author authority authenticated authored oauth_state compass
passed passenger bypass password_policy password_length authorization_url credential_type token_expires_at order_id limit status
KeyError TokenError AuthorizationError content name id _whyops_trace_id 中文 ... _ 123 public_key
""".split()  # noqa: SIM905  (a list of words)


@pytest.mark.parametrize("name", [*SECRET, "api key", "date of the password", "the token"])
def test_names_that_hide_a_secret(name: str) -> None:
    """However a secret's name is written, its value is hidden."""
    assert SecretNames().verdict(name) is Verdict.SECRET


@pytest.mark.parametrize("name", [*CLEAN, ""])
def test_names_that_hide_none(name: str) -> None:
    """Counts of tokens, and words that only look alike, are shown."""
    assert SecretNames().verdict(name) is Verdict.CLEAN


@pytest.mark.parametrize("name", ["tokens", "pass", "user_pass"])
def test_names_that_hide_texts_only(name: str) -> None:
    """`tokens` is a count if it is a number, a secret if it is a text."""
    assert SecretNames().verdict(name) is Verdict.SECRET_IF_TEXT


def test_added_and_kept_names() -> None:
    """An added name fits whole words within a name, a kept one spares the whole name only, and wins."""
    names = SecretNames(["ssn", "date of birth", "", "both"], ["session_key", "Both", "token"])
    hidden = ["ssn", "SSN", "customer_ssn", "customerSsn", "dateOfBirth", "user_date_of_birth", "dateofbirth", "access_token"]
    assert {names.verdict(name) for name in hidden} == {Verdict.SECRET}
    shown = ["session", "assn", "date", "birth", "session_key", "sessionKey", "both", "token", "TOKEN"]
    assert {names.verdict(name) for name in shown} == {Verdict.CLEAN}
    assert names.hints() == ["both", "date", "ssn"]


def test_verdicts_are_remembered_within_bounds() -> None:
    """However many names come along, what is remembered stays small; names beyond a bound are looked at in part."""
    names = SecretNames()
    for i in range(5_000):
        names.verdict(f"name{i}" + "x" * 10_000)
    remembered = names._judged.cache_info()
    assert remembered.misses == 5_000
    assert 0 < remembered.currsize <= 2_000
    for end in ("a", "b"):  # the 257th character is remembered with no name, so that the second one is known
        names.verdict("x" * 256 + end)
    assert names._judged.cache_info().misses == 5_001
