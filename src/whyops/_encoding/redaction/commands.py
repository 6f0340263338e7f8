"""Secrets on command lines that stand after no telling name: `curl -u user:password`, `mysql -ppassword`, `docker login -p password`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .regex import Finder, Pattern, Span, matches
from .values import is_placeholder

_SECRET_OPTIONS = {
    r"mysql\w{0,12}|mariadb[\w-]{0,12}|mongo\w{0,10}|sshpass": r"-p[ \t]{0,4}",
    r"(?:docker|podman|nerdctl|buildah|skopeo|oc|az|helm[ \t]registry|crane|oras|cf)[ \t]{1,4}(?:auth[ \t]{1,4})?login": r"-p[ \t]{1,4}",
    r"redis-cli|http|https|xh": r"(?:-a|--pass)[ \t]{1,4}",
    r"ldap\w{3,8}": r"-w[ \t]{1,4}",
    r"sqlcmd|bcp|isql|zip|unzip|unrar|rar|psexec": r"-P[ \t]{1,4}",
    r"7z\w?": r"-p",
    r"curl": r"(?:-b|--cookie)[ \t]{1,4}(?=[\"']?[\w.-]{1,64}=)",
    r"openssl": r"(?:(?:-pass|-passin|-passout)[ \t]{1,4}pass:|-k[ \t]{1,4})",
    r"smbclient|rpcclient": r"-U[ \t]{1,4}[^\s%]{1,128}%",
}
"""Commands, and which of their options is followed by a secret."""

_COMMAND = Pattern(rf"(?<![\w-])(?:{'|'.join(f'({names})' for names in _SECRET_OPTIONS)})(?=[ \t\"',])(?P<rest>[^\r\n|;&]*)")
_SECRETS = tuple(Pattern(rf"(?<=[\s\"']){option}[\"']?([^\s\"'\\,]{{1,256}})") for option in _SECRET_OPTIONS.values())

_OPTION = Pattern(r"-[uUapPwbk].*|--(?:user|proxy-user|creds?|basic-auth|pass|cookie)(?:=.*)?", re.DOTALL)


def is_option(argument: str) -> bool:
    """Tell whether an argument may be such an option."""
    return _OPTION.fullmatch(argument) is not None


def _commands(text: str) -> Iterator[Span]:
    """Find the secrets among the options of the commands above."""
    for command in _COMMAND.finditer(text):
        option = next(option for option, name in zip(_SECRETS, command.groups(), strict=False) if name is not None)
        for found in option.finditer(text, command.start("rest"), command.end("rest")):
            if not is_placeholder(found[1]) and not found[1].isdigit():
                yield found.span(1)


def _is_password(found: re.Match[str]) -> bool:
    """Tell whether `user:password` has a password, and is not a user and a group."""
    user, password = found.groups()
    return not is_placeholder(password) and password != user and not password.isdigit()


FINDERS = (
    Finder(
        "curl -u ada:hunter22 https://example.com",
        r"""(?:[ \t"'(]|^|\\[nrt])(?:-[uUapPwbk]|--(?:user|proxy-user|creds?|basic-auth|pass|cookie)[ =])""",
        matches(
            Pattern(
                r"(?<![\w-])(?:-u|-U|-a|--user|--proxy-user|--creds?|--basic-auth)(?:[ \t]{1,4}|=|[\"'],[ \t\r\n]{0,20})(?:\\*[\"'])?"
                r"([^\s:\"'\\]{0,128})[:%]([^\s\"'\\,]{1,256})"
            ),
            _is_password,
        ),
    ),
    Finder(
        "mysql -u ada -phunter22 shop",
        r"(?:mysql|mariadb|mongo|sshpass|login|redis-cli|https?|xh|ldap[a-z]+|sqlcmd|bcp|isql|zip|rar|psexec|7z.?|curl|openssl|smbclient|rpcclient)"
        r"""[A-Za-z0-9_-]*[^\n]*[ \t"'](?:-[pPawbkU]|--pass|--cookie)""",
        _commands,
        is_covered=True,
    ),
)
