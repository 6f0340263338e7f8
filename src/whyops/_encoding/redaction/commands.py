"""Secrets on command lines that no name tells: `curl -u user:password`, `mysql -ppassword`, `docker login -p password`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .pattern import Pattern
from .search import Finder
from .values import is_stand_in

Span = tuple[int, int]

_USER = Pattern(
    r"(?<![\w-])(?:-u|-U|-a|--user|--proxy-user|--creds?|--basic-auth)(?:[ \t]{1,4}|=|[\"'],[ \t\r\n]{0,20})(?:\\*[\"'])?"
    r"([^\s:\"'\\]{0,128})[:%]([^\s\"'\\,]{1,256})"
)
"""An option with the name of a user and a password."""

_COMMAND = Pattern(
    r"(?<![\w-])(?:(mysql\w{0,12}|mariadb[\w-]{0,12}|mongo\w{0,10}|sshpass)"
    r"|((?:docker|podman|nerdctl|buildah|skopeo|oc|az|helm[ \t]registry|crane|oras|cf)[ \t]{1,4}(?:auth[ \t]{1,4})?login)"
    r"|(redis-cli|http|https|xh)|(ldap\w{3,8})|(sqlcmd|bcp|isql|zip|unzip|unrar|rar|psexec)|(7z\w?)|(curl)|(openssl)|(smbclient|rpcclient))"
    r"(?=[ \t\"',])([^\r\n|;&]*)"
)
"""Commands that have options with secrets, by the options that these are, and the rest of their line."""

_BEFORE = r"(?<=[\s\"'])"
_VALUE = r"[\"']?([^\s\"'\\,]{1,256})"
_SECRET_OPTIONS = tuple(
    Pattern(_BEFORE + option + _VALUE)
    for option in (
        r"-p[ \t]{0,4}",
        r"-p[ \t]{1,4}",
        r"(?:-a|--pass)[ \t]{1,4}",
        r"-w[ \t]{1,4}",
        r"-P[ \t]{1,4}",
        r"-p",
        r"(?:-b|--cookie)[ \t]{1,4}(?=[\"']?[\w.-]{1,64}=)",
        r"(?:(?:-pass|-passin|-passout)[ \t]{1,4}pass:|-k[ \t]{1,4})",
        r"-U[ \t]{1,4}[^\s%]{1,128}%",
    )
)
"""The options of each group of commands that are followed by a secret."""

_OPTION = Pattern(r"-[uUapPwbk].*|--(?:user|proxy-user|creds?|basic-auth|pass|cookie)(?:=.*)?", re.DOTALL)


def is_option(argument: str) -> bool:
    """Tell whether an argument may be such an option."""
    return _OPTION.fullmatch(argument) is not None


def _users(text: str) -> Iterator[Span]:
    """Find the passwords that stand with the name of a user."""
    for found in _USER.finditer(text):
        if _is_password(found[1], found[2]):
            yield found.span(2)


def _commands(text: str) -> Iterator[Span]:
    """Find the secrets among the options of commands that have such."""
    for command in _COMMAND.finditer(text):
        group = next(i for i in range(len(_SECRET_OPTIONS)) if command[i + 1] is not None)
        rest, start = command[len(_SECRET_OPTIONS) + 1], command.start(len(_SECRET_OPTIONS) + 1)
        for found in _SECRET_OPTIONS[group].finditer(rest):
            if not is_stand_in(found[1]) and not found[1].isdigit():
                yield start + found.start(1), start + found.end(1)


def _is_password(user: str, password: str) -> bool:
    """Tell whether `user:password` is that, and not a user and a group."""
    return not is_stand_in(password) and password != user and not password.isdigit()


_TRACE = r"""(?:[ \t"'(]|^|\\[nrt])(?:-[uUapPwbk]|--(?:user|proxy-user|creds?|basic-auth|pass|cookie)[ =])"""

FINDERS = (
    Finder(_TRACE, _users),
    Finder(
        r"(?:mysql|mariadb|mongo|sshpass|login|redis-cli|https?|xh|ldap[a-z]+|sqlcmd|bcp|isql|zip|rar|psexec|7z.?|curl|openssl|smbclient|rpcclient)"
        r"""[A-Za-z0-9_-]*[^\n]*[ \t"'](?:-[pPawbkU]|--pass|--cookie)""",
        _commands,
        is_covered=True,
    ),
)
