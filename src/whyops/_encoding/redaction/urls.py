"""Secrets in URLs and in connection strings: the password of a user, a signature, a webhook that anyone with its address may call."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .regex import Finder, Pattern, Span, matches
from .values import MAX_JUDGED, is_placeholder, is_random, is_value

_AUTHORITY = Pattern(r"://([^\s\"'<>\\:`|]*(?::(?!//)[^\s\"'<>\\:`|]*)*)")
"""What follows the scheme, up to the next one: each character is looked at once."""

_USER = Pattern(r"[^/?#@:]*")
_TOKEN = Pattern(r"[\w.~%+=-]+")
_BEFORE_PATH = Pattern(r"[^/?#]*")
_PORT = Pattern(r":\d{1,5}(?:[/?#,]|\Z)")
_HOOK = Pattern(
    r"(?:hooks\.slack\.com/(?:services|workflows|triggers)|discord(?:app)?\.com/api/(?:v\d+/)?webhooks|webhook\.office\.com/webhookb2"
    r"|outlook\.office(?:365)?\.com/webhook|hooks\.zapier\.com/hooks/catch|maker\.ifttt\.com/trigger/\w{1,80}/(?:json/)?with/key"
    r"|hook\.[a-z0-9.]{0,12}make\.com|/(?:webhooks?|webhook-test|hooks))/([^\s\"'<>\\?#]+)"
)
_LONG_USER = 12
"""From here on, what stands before the `@` of a URL is taken for a token rather than for a user."""


def _users(text: str) -> Iterator[Span]:
    """Find the passwords of users, and tokens in their place: `https://user:password@host`."""
    for found in _AUTHORITY.finditer(text):
        rest = found[1]
        stop = _USER.end(rest)
        start = found.start(1)
        if rest[stop : stop + 1] == "@":
            if stop >= _LONG_USER and _TOKEN.fullmatch(rest[:stop]) and not is_placeholder(rest[:stop]):
                yield start, start + stop
        elif rest[stop : stop + 1] == ":" and not _PORT.match(rest, stop):
            at = _last_at(rest, stop + 1)
            if at > stop + 1 and not is_placeholder(rest[stop + 1 : at]):
                yield start + stop + 1, start + at


def _last_at(rest: str, start: int) -> int:
    """Return where the password ends: at the last @ before the path; if there is none, at the last one, as it may hold a slash."""
    before = rest.rfind("@", start, _BEFORE_PATH.end(rest, start))
    return before if before >= 0 else rest.rfind("@", start)


def _hooks(text: str) -> Iterator[Span]:
    """Find webhooks: addresses with a part that nobody could guess."""
    for found in _HOOK.finditer(text):
        if any(is_random(part.rpartition(":")[2]) for part in found[1].split("/")):
            yield found.span()


def _is_secret_in_query(found: re.Match[str]) -> bool:
    """Tell whether the value in `?key=…` or `&sig=…` is a secret: after some names always, after others if it looks random."""
    always, key, value = found.groups()
    return not is_placeholder(value) and bool(always or (key and not value.isalpha()) or (is_random(value) and len(value) <= MAX_JUDGED))


FINDERS = (
    Finder("postgres://ada:hunter22@db/shop", r"""://[^\s"'<>\\]*@""", _users),
    Finder(
        "https://example.com/orders?id=17&sig=hunter22",
        r"(?i:[?&;#](?:key|sig|signature|x-(?:amz|goog)-[a-z-]+|pass|pwd|pw|code|app_?id|sid|s|hash|hmac|auth|ticket|session(?:_?id)?|jsessionid"
        r"|phpsessid|assertion|client_assertion|samlresponse|samlrequest|t|k|api|license)=)",
        matches(
            Pattern(
                r"(?<=[?&;#])(?:(sig|signature|x-amz-signature|x-amz-security-token|x-goog-signature|pass|pwd|pw)|(key|api_?key)"
                r"|code|app_?id|sid|s|hash|hmac|auth|ticket|session(?:_?id)?|jsessionid|phpsessid|assertion|client_assertion"
                r"|samlresponse|samlrequest|t|k|api|license)=([^&#;?\s\"'<>\\]+)",
                re.IGNORECASE,
            ),
            _is_secret_in_query,
        ),
    ),
    Finder("https://example.com/webhooks/9f3kQ7xZ2bV8mT1pL6wR", r"/(?:web)?hook|hooks?\.[a-z]|maker\.ifttt", _hooks),
    Finder(
        "postgres%3A%2F%2Fada%3Ahunter22%40db",
        r"(?i:%3a%2f%2f)",
        matches(Pattern(r"%3A%2F%2F(?:[^%\s\"'<>]|%(?!3A|40|2F))*%3A((?:[^%\s\"'<>]|%(?!40|2F))+)%40", re.IGNORECASE), is_value),
    ),
    Finder(
        "ada:hunter22@tcp(db:3306)/shop",
        r"@(?:tcp|udp|unix)\(",
        matches(Pattern(r":([^\s:@/\"'<>(){},;]{1,256})@(?:tcp|udp|unix)\("), is_value),
    ),
    Finder(
        "ada:hunter22@db.example.com:5432",
        r"@[A-Za-z0-9_.-]+:[0-9]",
        matches(
            Pattern(r"(?<=[\w.-]):([^\s:@/\"'<>(){}\[\],;=]{3,128})@(?=[A-Za-z0-9][\w.-]{0,253}:\d{2,5}(?!\d))"),
            is_value,
        ),
    ),
    Finder("ada/hunter22@//db.example.com:1521/shop", "@//", matches(Pattern(r"(?<=\w)/([^\s/@\"'<>(){}]{3,128})@//"), is_value)),
)
