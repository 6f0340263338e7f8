"""`whyops completion`: a script with which a shell completes commands, options and trace ids."""

from __future__ import annotations

import argparse
import re

from .._store.reader import StoreReader
from ._command import Command, Context

_MOST_IDS = 50
_SAFE_ID = re.compile(r"[\w.:@%+,/=-]+", re.ASCII)
"""A shell expands the words that it completes: an id that it would see more in than a word is left out."""

_BASH = """\
_whyops() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} command= one
    for one in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case $one in -*) ;; *) command=$one; break ;; esac
    done
    case $command in
{cases}
        *) COMPREPLY=($(compgen -W "{commands} --home --version --help" -- "$word")) ;;
    esac
}}
complete -o default -F _whyops whyops
"""
_BASH_CASE = '        {name}) COMPREPLY=($(compgen -W "{options}{ids}" -- "$word")) ;;'
_BASH_IDS = " last $(whyops completion ids 2>/dev/null)"
_ZSH = """\
#compdef whyops
autoload -Uz bashcompinit && bashcompinit
"""
_FISH = """\
complete -c whyops -n __fish_use_subcommand -f
{lines}
"""
_FISH_COMMAND = "complete -c whyops -n __fish_use_subcommand -a {name} -d '{summary}'"
_FISH_OPTION = "complete -c whyops -n '__fish_seen_subcommand_from {name}' -l {option} -d '{help}'"
_FISH_IDS = "complete -c whyops -n '__fish_seen_subcommand_from {name}' -f -a 'last (whyops completion ids 2>/dev/null)'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish", "ids"), help="the shell; 'ids' prints the newest traces' ids")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the script."""
    if arguments.shell == "ids":
        for summary in StoreReader(context.home).summaries(limit=_MOST_IDS):
            if _SAFE_ID.fullmatch(summary.trace_id):
                context.print(summary.trace_id)
        return 0
    parsers: dict[str, argparse.ArgumentParser] = arguments.commands
    context.terminal.write(_fish(parsers) if arguments.shell == "fish" else (_ZSH if arguments.shell == "zsh" else "") + _bash(parsers))
    return 0


def _bash(parsers: dict[str, argparse.ArgumentParser]) -> str:
    cases = (
        _BASH_CASE.format(name=name, options=" ".join(_words(parser)), ids=_BASH_IDS if _takes_traces(parser) else "")
        for name, parser in parsers.items()
    )
    return _BASH.format(cases="\n".join(cases), commands=" ".join(parsers))


def _fish(parsers: dict[str, argparse.ArgumentParser]) -> str:
    lines = []
    for name, parser in parsers.items():
        lines.append(_FISH_COMMAND.format(name=name, summary=_quoted(parser.description or "")))
        lines += [
            _FISH_OPTION.format(name=name, option=option[2:], help=_quoted(action.help or ""))
            for action in _actions(parser)
            for option in action.option_strings
            if option.startswith("--")
        ]
        if _takes_traces(parser):
            lines.append(_FISH_IDS.format(name=name))
    return _FISH.format(lines="\n".join(lines))


def _words(parser: argparse.ArgumentParser) -> list[str]:
    """Return what may stand behind a command: its long options, and the words that it offers as a choice."""
    options = options_of(parser)
    choices = [str(choice) for action in _actions(parser) if not action.option_strings for choice in action.choices or ()]
    return [*choices, *options]


def _takes_traces(parser: argparse.ArgumentParser) -> bool:
    return any(not action.option_strings and action.dest in ("trace", "traces", "first") for action in _actions(parser))


def options_of(parser: argparse.ArgumentParser) -> list[str]:
    """Return a command's options in their long form."""
    return [option for action in _actions(parser) for option in action.option_strings if option.startswith("--")]


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return parser._actions  # noqa: SLF001  (argparse has no other way to ask a parser for its options)


def _quoted(text: str) -> str:
    return text.partition(". ")[0].replace("'", "").replace("%%", "%").replace("\n", " ")


COMMAND = Command(
    description="Print a script with which a shell completes commands, options and the ids of the newest local traces.",
    epilog='Examples: eval "$(whyops completion bash)" in ~/.bashrc; source <(whyops completion zsh) in ~/.zshrc; '
    "whyops completion fish | source in config.fish",
    run=run,
    add_arguments=add_arguments,
)
