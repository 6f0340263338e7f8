"""Which names hide a secret: `api_key`, `Set-Cookie` and `dbPassword` do, `max_tokens` does not.

Names are compared without regard to case, separators and camel case. The lists below lean to hiding: a hidden harmless value costs a
look, a shown secret costs a key. `keep_keys` is there for the former.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import lru_cache

from .regex import Pattern

MAX_NAME = 256
"""Characters of a name that are looked at. What is longer is text rather than a name."""

_WORD = Pattern(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+|[^\W_]")

_ANYWHERE = tuple(
    """
passwd passwt password passwort passphrase passcode authorization authorisation cookie credential mnemonic contrase motdepasse kennwort
geheim wachtwoord losenord lösenord salasana haslo hasło пароль 密码 密碼 パスワード 비밀번호
""".split()  # noqa: SIM905  (a list of words)
)
"""Looked for in the name with everything but letters and digits taken out."""

_IN_CONTEXT = Pattern(
    r"secret(?!ar|smanager)|(?:seed|recovery|backup)(?:phrase|words|codes)"
    r"|(?:api|app|application|access|account|admin|aes|auth|consumer|decryption|deploy|encryption|hmac|license|master|private|role|rsa"
    r"|secret|server|service|session|shared|signing|ssh|subscription|webhook"
    r"|anthropic|aws|azure|cohere|gemini|github|google|groq|huggingface|mistral|openai|sendgrid|slack|stripe|twilio|whyops)key(?!board|word|pad|id|gen|ring|chain|store|frame|err|up|down|press|point|stroke|code|map)"
)
"""Looked for there as well, if one of the words below is in it: most names have none, and need no expression compiled."""
_WORDS_IN_CONTEXT = ("key", "secret", "phrase", "words", "codes")

_LAST = frozenset({"auth", "bearer", "cred", "creds", "jwt", "pwd", "passwd", "pw", "senha", "clave", "parola"})
"""Secret where a name is this word or ends in it."""

_HARMLESS_LAST = frozenset(
    """
age agent algorithm arn at attachment availability available class cls config configuration confirmed consent count counting
counts created description detail details domain enabled endpoint env error errors event exception exists expired expires expiry
failed failure field fields file filename flow form format function generation handler header headers help hint host hostname id
ids info information interval invalid jar label length limit list manager message metadata method middleware minimum missing mode
model name names option options path pattern placeholder policy prefix process prompt protection provider quota ref regex request
required reset response rotate rotation rule rules schema scheme scope scopes seconds setting settings size source spec
specification status store strategy streaming strength suffix summary target template text timeout title total ttl type types
updated uri url usage used validator var vars version visible warning
""".split()  # noqa: SIM905  (a list of words)
)
"""Words that end a name about a secret, not of one: `password_policy`, `token_type`, `authorization_url`."""

_QUESTIONS = frozenset(
    {
        "has",
        "is",
        "needs",
        "requires",
        "no",
        "forgot",
        "show",
        "use",
        "allow",
        "enable",
        "validate",
        "check",
        "list",
        "describe",
        "include",
        "create",
        "delete",
    }
)
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
        "pagination",
        "lock",
        "request",
        "starting",
        "sync",
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

_IF_RANDOM_LAST = frozenset(["key", "keys", "sig", "signature", "salt", "pat", "psk", "seed", "fernet", "hmac"])
"""Words that end a name behind which a secret is if the value was made by a machine: the key of an order is none."""

_HARMLESS_BEFORE_KEY = frozenset(
    """
public pub pk primary foreign sort partition cache idempotency dedup deduplication translation object s3 row group routing message
lookup index hash shard composite natural surrogate unique join map dict json column config i18n locale arrow hot function enter escape
ssh host storage record document entity file blob image data event trace span run thread item order batch by the a this each for no any
""".split()  # noqa: SIM905  (a list of words)
)

_IF_CODE_LAST = frozenset(["pin", "otp", "totp", "hotp", "cvv", "cvv2", "cvc", "cvc2", "csc", "tan", "mfa"])
_BEFORE_CODE = frozenset(
    """
mfa otp totp security verification login sms recovery backup time factor 2fa fa passcode pin auth authentication
""".split()  # noqa: SIM905  (a list of words)
)
"""Words that make a `code` one that is sent to a phone."""

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
    """Whether the value of a name is a secret."""

    CLEAN = 0
    SECRET = 1
    SECRET_IF_TEXT = 2
    """`tokens` and `pass`: a number is a count, a text is a secret."""
    SECRET_IF_RANDOM = 3
    """`signature` and `…_key`: what a machine made is a secret, a word is none."""
    SECRET_IF_CODE = 4
    """`pin` and `otp`: digits are a secret."""


def secret_siblings(entries: Mapping[str, object]) -> frozenset[str]:
    """Return the keys that hide a secret beside others: of a JSON web key, of a Kubernetes secret."""
    if "kty" in entries:
        return frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})
    return frozenset({"data", "stringData"} if entries.get("kind") == "Secret" else ())


def words(name: str) -> list[str]:
    """Split a name at separators and where camel case starts a word; all in lower case."""
    return [word[0].lower() for word in _WORD.finditer(unicodedata.normalize("NFKC", name))]


class SecretNames:
    """Knows the names that hide a secret. `added` match whole words within a name, `kept` only the whole name; `kept` wins."""

    def __init__(self, added: Iterable[str] = (), kept: Iterable[str] = ()) -> None:
        self._added = [f" {' '.join(parts)} " for parts in map(words, added) if parts]
        self._added_joined = frozenset(added.replace(" ", "") for added in self._added)
        self._kept = frozenset("".join(words(name)) for name in kept)
        self._judged = lru_cache(maxsize=2_000)(self._judge)

    def hints(self) -> list[str]:
        """Return the first word of each added name: a text without any of them holds none of the added names."""
        return sorted({added.split()[0] for added in self._added})

    def verdict(self, name: str) -> Verdict:
        """Judge whether the value of a name is a secret."""
        return self._judged(name[:MAX_NAME])

    def adds(self, name: str) -> bool:
        """Tell whether a name is one of those that the user added."""
        spaced = f" {' '.join(words(name[:MAX_NAME]))} "
        return any(added in spaced for added in self._added)

    def keeps(self, name: str) -> bool:
        """Tell whether a name is one of those to keep."""
        return "".join(words(name[:MAX_NAME])) in self._kept

    def _judge(self, name: str) -> Verdict:
        parts = words(name)
        joined = "".join(parts)
        if not parts or joined in self._kept:
            return Verdict.CLEAN
        if joined in self._added_joined or self.adds(name) or parts == ["auth", "header"] or joined.endswith("accesskeyid"):
            return Verdict.SECRET
        if len(parts) > 1 and (parts[-1] in _HARMLESS_LAST or parts[0] in _QUESTIONS or "no" in parts):
            return Verdict.CLEAN
        is_anywhere = any(word in joined for word in _ANYWHERE) or parts[-1] in _LAST or _is_in_context(joined)
        return Verdict.SECRET if is_anywhere else _token_verdict(parts, joined)


def _is_in_context(joined: str) -> bool:
    return any(word in joined for word in _WORDS_IN_CONTEXT) and _IN_CONTEXT.search(joined) is not None


def _weak_verdict(parts: list[str]) -> Verdict:
    """Judge a name that hides some values only."""
    if len(parts) > 1 and parts[-1] in {"b64", "base64", "data", "hex", "material", "pem", "value"} and parts[-2] == "key":
        parts = parts[:-1]
    last, before = parts[-1], parts[-2] if len(parts) > 1 else ""
    if last in _IF_CODE_LAST or (last in {"code", "codes"} and before in _BEFORE_CODE):
        return Verdict.SECRET_IF_CODE
    if last in {"key", "keys"} and (not before or before in _HARMLESS_BEFORE_KEY):
        return Verdict.CLEAN
    return Verdict.SECRET_IF_RANDOM if last in _IF_RANDOM_LAST else Verdict.CLEAN


def _token_verdict(parts: list[str], joined: str) -> Verdict:
    if joined == "tokens" or parts[-1] == "pass":
        return Verdict.SECRET_IF_TEXT
    for before, part, after in zip(("", *parts), parts, (*parts[1:], ""), strict=False):
        if part == "token" or (part.endswith("token") and part[:-5] not in _HARMLESS_BEFORE_TOKEN):
            if after not in _HARMLESS_AFTER_TOKEN and before not in _HARMLESS_BEFORE_TOKEN:
                return Verdict.SECRET
        elif (part == "tokens" and before in _SECRET_TOKENS) or (part.endswith("tokens") and part[:-6] in _SECRET_TOKENS):
            return Verdict.SECRET
    return _weak_verdict(parts)
