"""Which names hide a secret: `api_key`, `Set-Cookie` and `dbPassword` do, `max_tokens` does not.

Names are compared without regard to case, separators and camel case. The lists below lean to hiding: a hidden harmless value costs a
look, a shown secret costs a key. `keep_keys` is there for the former.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from enum import Enum

from .pattern import Pattern

MAX_NAME = 256
"""Characters of a name that are looked at. What is longer is text rather than a name."""

_WORD = Pattern(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+|[^\W_]")

_ANYWHERE = Pattern(
    r"passw(?:or)?d|passphrase|passcode|passkey|secret(?!ar)|authori[sz]ation|cookie|credential"
    r"|(?:api|app|application|access|account|admin|aes|auth|consumer|decryption|deploy|encryption|hmac|license|master|private|role|rsa"
    r"|secret|server|service|session|shared|signing|ssh|storage|subscription|webhook"
    r"|anthropic|aws|azure|cohere|gemini|github|google|groq|huggingface|mistral|openai|sendgrid|slack|stripe|twilio|whyops)key(?!board|word|pad)"
)
"""Looked for in the name with everything but letters and digits taken out."""

_LAST = frozenset({"auth", "bearer", "cred", "creds", "jwt", "pwd", "passwd", "pw"})
"""Secret where a name is this word or ends in it."""

_HARMLESS_LAST = frozenset(
    [
        "at",
        "consent",
        "count",
        "counts",
        "enabled",
        "endpoint",
        "error",
        "errors",
        "exception",
        "exists",
        "expired",
        "expires",
        "expiry",
        "failed",
        "failure",
        "field",
        "invalid",
        "length",
        "limit",
        "method",
        "missing",
        "policy",
        "required",
        "rotation",
        "status",
        "strength",
        "type",
        "types",
        "updated",
        "url",
        "uri",
        "warning",
    ]
)
"""Words that end a name about a secret, not of one: `password_policy`, `token_type`, `authorization_url`."""

_QUESTIONS = frozenset({"has", "is", "needs", "requires"})
"""Words that begin a name that asks about a secret: `has_password`."""

_HARMLESS_AFTER_TOKEN = _HARMLESS_LAST | frozenset(
    [
        "bucket",
        "budget",
        "class",
        "cost",
        "details",
        "id",
        "ids",
        "index",
        "left",
        "lifetime",
        "logprob",
        "logprobs",
        "name",
        "per",
        "price",
        "rate",
        "remaining",
        "size",
        "stats",
        "total",
        "ttl",
        "usage",
        "used",
        "window",
    ]
)

_HARMLESS_BEFORE_TOKEN = frozenset(
    [
        "audio",
        "bos",
        "cached",
        "cls",
        "completion",
        "continuation",
        "end",
        "eos",
        "first",
        "image",
        "input",
        "last",
        "mask",
        "max",
        "min",
        "n",
        "next",
        "num",
        "output",
        "pad",
        "page",
        "per",
        "prompt",
        "reasoning",
        "sep",
        "special",
        "start",
        "stop",
        "total",
        "unk",
    ]
)

_SECRET_TOKENS = frozenset(
    [
        "access",
        "api",
        "app",
        "auth",
        "bearer",
        "bot",
        "csrf",
        "device",
        "id",
        "jwt",
        "oauth",
        "personal",
        "refresh",
        "secret",
        "security",
        "session",
        "xsrf",
    ]
)
"""Words before `tokens` that make it a list of secrets; after any other word it is a count."""


class Verdict(Enum):
    """What a name says about its value."""

    CLEAN = 0
    SECRET = 1
    SECRET_IF_TEXT = 2
    """`tokens` and `pass`: a number is a count, a text is a secret."""


def words(name: str) -> list[str]:
    """Split a name at separators and where camel case starts a word; all in lower case."""
    return [word[0].lower() for word in _WORD.finditer(unicodedata.normalize("NFKC", name))]


_MAX_VERDICTS = 2_000


class SecretNames:
    """Tells the names that hide a secret. `added` fits whole words within a name, `kept` only the whole name; `kept` wins."""

    def __init__(self, added: Iterable[str] = (), kept: Iterable[str] = ()) -> None:
        self._added = [f" {' '.join(parts)} " for parts in map(words, added) if parts]
        self._added_joined = frozenset(added.replace(" ", "") for added in self._added)
        self._verdicts: dict[str, Verdict] = {}
        self._kept = frozenset("".join(words(name)) for name in kept)

    def hints(self) -> list[str]:
        """Return the first word of each added name: a text without any of them holds none of the added names."""
        return sorted({added.split()[0] for added in self._added})

    def verdict(self, name: str) -> Verdict:
        """Say what the name's value is."""
        name = name[:MAX_NAME]
        known = self._verdicts.get(name)
        if known is None:
            if len(self._verdicts) >= _MAX_VERDICTS:
                self._verdicts = {}
            known = self._verdicts[name] = self._judge(name)
        return known

    def keeps(self, name: str) -> bool:
        """Tell whether a name is one of those to keep."""
        return "".join(words(name[:MAX_NAME])) in self._kept

    def _judge(self, name: str) -> Verdict:
        parts = words(name)
        joined = "".join(parts)
        if not parts or joined in self._kept:
            return Verdict.CLEAN
        spaced = f" {' '.join(parts)} "
        if joined in self._added_joined or any(added in spaced for added in self._added):
            return Verdict.SECRET
        if len(parts) > 1 and (parts[-1] in _HARMLESS_LAST or parts[0] in _QUESTIONS):
            return Verdict.CLEAN
        if _ANYWHERE.search(joined) or parts[-1] in _LAST or ("auth" in parts[:1] and parts[1:] == ["header"]):
            return Verdict.SECRET
        return _token_verdict(parts, joined)


def _token_verdict(parts: list[str], joined: str) -> Verdict:
    if joined in {"tokens", "pass"}:
        return Verdict.SECRET_IF_TEXT
    if parts[-1] == "pass":
        return Verdict.SECRET_IF_TEXT
    for i, part in enumerate(parts):
        before = parts[i - 1] if i else ""
        after = parts[i + 1] if i + 1 < len(parts) else ""
        if part == "token" or (part.endswith("token") and part[:-5] not in _HARMLESS_BEFORE_TOKEN):
            if after not in _HARMLESS_AFTER_TOKEN and before not in _HARMLESS_BEFORE_TOKEN:
                return Verdict.SECRET
        elif (part == "tokens" and before in _SECRET_TOKENS) or (part.endswith("tokens") and part[:-6] in _SECRET_TOKENS):
            return Verdict.SECRET
    return Verdict.CLEAN
