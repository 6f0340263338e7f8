"""Secrets in blocks of their own: private keys, hashes of passwords, what follows `Bearer`, a Kubernetes secret, a JSON web key."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .regex import Finder, Pattern, Span, matches
from .values import decoded, is_placeholder, is_random, is_value

_BEGIN = Pattern(r"-{4,5} ?BEGIN ([A-Z0-9 ]{1,60})-{4,5}")
_HARMLESS = Pattern(r"PUBLIC|CERTIFICATE|SIGNATURE|MESSAGE|PARAMETERS|REQUEST|CRL|CMS|PKCS7")
_BODY = Pattern(r"[A-Za-z0-9+/=\s:,;()#._]*(?:(?:-(?!---)|\\+[nrt/]?)[A-Za-z0-9+/=\s:,;()#._]*)*")
_QUOTED_BODY = Pattern(r"[A-Za-z0-9+/=\s:,;()#._\"']*(?:(?:-(?!---)|\\+[nrt/]?)[A-Za-z0-9+/=\s:,;()#._\"']*)*")
_END = Pattern(r"-{4,5} ?END [A-Z0-9 ]{1,60}-{4,5}")
_SUBSTANCE = Pattern(r"[A-Za-z0-9+/=]{16}")
_DOCUMENT = Pattern(r"^---", re.MULTILINE)
_SECRET_KIND = Pattern(r"^[ \t]{0,16}kind:[ \t]{1,8}[\"']?Secret[\"']?[ \t]*$", re.MULTILINE)
_DATA = Pattern(r"^([ \t]{0,16})(?:data|stringData):[ \t]*\r?\n", re.MULTILINE)
_ENTRY = Pattern(r"([ \t]{0,24})[\w.\-\"']{1,253}:[ \t]{1,8}([^\r\n]*)(?:\r?\n|\Z)")


def _pem(text: str) -> Iterator[Span]:
    """Find private keys, between their lines of dashes; one that was cut ends with what looks like one."""
    for begin in _BEGIN.finditer(text):
        if _HARMLESS.search(begin[1]):
            continue
        stop = _BODY.end(text, begin.end())
        end = _END.match(text, stop) or _END.match(text, _QUOTED_BODY.end(text, begin.end()))  # a program's text may be in several pieces
        stop = end.end() if end else stop
        if _SUBSTANCE.search(text[begin.end() : stop]):
            yield begin.start(), stop


def _is_credential(found: re.Match[str]) -> bool:
    """Tell whether what follows a scheme is one: `Basic information` and `bearer of this letter` are words."""
    bearer, basic, value = found.groups()
    before = found.string[max(found.start() - 2, 0) : found.start()]
    if is_placeholder(value) or (before[-1:].isalnum() and not (before[:1] == "\\" and before[1:] in set("bfnrt"))):
        return False
    if bearer:
        return len(value) >= 6 and (is_random(value) or any(sign in "0123456789.~+/=" for sign in value.rstrip(".")))
    return is_random(value) or (bool(basic) and ":" in decoded(value))


def _kubernetes(text: str) -> Iterator[Span]:
    """Find the data of Kubernetes secrets."""
    start = 0
    for border in (*(found.start() for found in _DOCUMENT.finditer(text)), len(text)):
        document = text[start:border]
        if _SECRET_KIND.search(document):
            yield from ((start + begin, start + end) for begin, end in _data(document))
        start = border


def _data(document: str) -> Iterator[Span]:
    at = 0
    while data := _DATA.search(document, at):
        at = data.end()
        while (entry := _ENTRY.match(document, at)) and len(entry[1]) > len(data[1]) and entry.end() > at:
            at = entry.end()
            if not is_placeholder(entry[2]):
                yield entry.span(2)


def _is_private(found: re.Match[str]) -> bool:
    return "PRIVATE" in decoded(found[0][:120])


FINDERS = (
    Finder("-----BEGIN PRIVATE KEY-----\nQm9iYm9iYm9iYm9iYm9i\n-----END PRIVATE KEY-----", "-----? ?BEGIN ", _pem),
    Finder(
        "Private-Lines: 1\nQm9iYm9iYm9iYm9iYm9i",  # PuTTY's
        "Private-Lines:",
        matches(Pattern(r"Private-Lines:[ \t]{0,8}\d{1,4}((?:[A-Za-z0-9+/=\s]|\\+[nr]?)*)")),
    ),
    Finder(
        "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCg==",  # a private key, as base64
        "LS0tLS1CRUdJTi",
        matches(Pattern(r"LS0tLS1CRUdJTi[A-Za-z0-9+/_-]{20,}={0,2}"), _is_private),
    ),
    Finder(
        "$2b$12$abcdefghijklmnopqrstuv",
        r"\$(?:2[abxy]|[1567y]|gy|apr1|sha1|argon2[id]*|scrypt|pbkdf2[A-Za-z0-9_-]*|P|H)\$|(?:pbkdf2_sha[0-9]+|scrypt|bcrypt_sha256|argon2)[$:]|\{S?SHA",
        matches(
            Pattern(
                r"\$(?:2[abxy]|[1567y]|gy|apr1|sha1|argon2(?:id|i|d)|scrypt|pbkdf2[\w-]{0,12}|P|H)\$[./A-Za-z0-9$=,+-]{20,}"
                r"|(?<![\w$])(?:pbkdf2_sha\d{1,3}|scrypt|bcrypt_sha256|argon2)[$:][./A-Za-z0-9$=,+:-]{30,}"
                r"|\{S?SHA(?:256|512)?\}[A-Za-z0-9+/]{20,}={0,2}"
            )
        ),
    ),
    Finder(
        "Bearer hunter22",
        r"(?i:bearer|basic|negotiate|ntlm|apikey)[ \t]{1,4}[A-Za-z0-9_.~+/%\x22'-]{6}",
        matches(
            Pattern(
                r"(?:([Bb](?:earer|EARER))|([Bb](?:asic|ASIC))|(?:[Nn](?:egotiate|tlm|TLM)|[Aa]pi[Kk]ey))[ \t]{1,4}[\"']?"
                r"([A-Za-z0-9_.~+/%-]+={0,2})"
            ),
            _is_credential,
        ),
    ),
    Finder(
        "CREATE USER ada IDENTIFIED BY 'hunter22'",
        r"(?i:identified[ \t])",
        matches(
            Pattern(
                r"[Ii](?:dentified|DENTIFIED)[ \t]{1,4}(?:with[ \t]{1,4}[\w'\"]{1,64}[ \t]{1,4})?by[ \t]{1,4}"
                r"(?:password[ \t]{1,4})?\\*['\"](?=([^'\"\\\r\n]+))",
                re.IGNORECASE,
            ),
            is_value,
        ),
    ),
    Finder(
        "machine example.com login ada password hunter22",  # .netrc
        r"(?i:(?:login|account)[ \t\r\n]+[^ \t\r\n]+[ \t\r\n]+password)",
        matches(
            Pattern(
                r"(?<![\w-])(?:login|account)[ \t\r\n]{1,40}[^\s]{1,128}[ \t\r\n]{1,40}password[ \t]{1,40}\"?([^\s\"=:][^\s\"]{0,255})",
                re.IGNORECASE,
            )
        ),
        is_covered=True,
    ),
    Finder(
        "db.example.com:5432:shop:ada:hunter22",  # .pgpass
        r":(?:[0-9]{4,5}|\*):[A-Za-z*_]",
        matches(
            Pattern(
                r"^[ \t]{0,16}[\w.*-]{1,255}:(?:\d{4,5}|\*):[A-Za-z*_][^:\s]{0,127}:[^:\s]{1,128}:([^\s:][^\r\n]{0,255})$", re.MULTILINE
            )
        ),
    ),
    Finder("kind: Secret\ndata:\n  login: aHVudGVyMjI=", r"""(?i:kind["']?:[ \t]*["']?secret)""", _kubernetes, is_covered=True),
    Finder(
        '{"kty": "oct", "k": "aHVudGVyMjJodW50ZXIyMg"}',
        r"""["']kty""",
        matches(Pattern(r"[\"'](?:d|p|q|dp|dq|qi|k)\\*[\"']\s{0,4}:\s{0,4}\\*[\"']([\w-]{16,})")),
    ),
)
