"""`completion`: what the shell should offer after TAB, for the grader and for mdriver.

One table for all shells: after which words which others may stand. bash and zsh share the syntax of `case`.
"""

import argparse
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grader.errors import OK
from grader.sandbox import ROOT


@dataclass(frozen=True)
class Offer:
    """After one of AFTER the words of LIST, or those that COMMAND prints, may follow."""

    after: Sequence[str]
    list: str = ""
    command: str = ""  # of every shell alike; "$program" is the program that is completed

    def of_bash(self) -> str:
        """A branch of `case`, also of zsh."""
        words = f"$({self.command})" if self.command else shlex.quote(self.list)
        return f"    {'|'.join(map(shlex.quote, self.after))}) list={words} ;;"

    def of_fish(self) -> str:
        """A branch of `switch`."""
        words = self.command or (f"string split -- ' ' {shlex.quote(self.list)}" if self.list else "true")
        return f"        case {' '.join(map(shlex.quote, self.after))}\n            {words}"


# mdriver is asked at the moment, so its names can never be out of date here.
MDRIVER = (
    Offer(("-c", "--course", "--course-json"), command="\"$program\" --courses 2>/dev/null | sed 's/ .*//'"),
    Offer(("--reference",), command='"$program" --list 2>/dev/null; echo none'),
    Offer(("--clock",), "cpu wall instructions"),
    Offer(("--bits",), "auto 32 64"),
    Offer(("--color", "--colour"), "auto always never"),
    Offer(("--plot",), "pareto heap map fragmented waste holes sizes traces latency class"),
    Offer(("-f", "--file", "-t", "--traces", "--json", "--events")),
)
MDRIVER_OPTIONS = r"""grep -oE -- '(^|[ ,])--?[a-zA-Z][a-z-]*' | tr -d ' ,'"""

BASH = r"""
_mdriver() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} program=${COMP_WORDS[0]} list=
    compopt -o filenames 2>/dev/null
    case $before in
@MDRIVER@
    *)  case $word in
        -*) list=$("$program" --help 2>/dev/null | @OPTIONS@) ;;
        *) list="$("$program" --list 2>/dev/null) doctor" ;;
        esac ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$list" -- "$word"; compgen -f -- "$word")
}
complete -F _mdriver mdriver ./mdriver
_grader() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} list=
    compopt -o filenames 2>/dev/null
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W @COMMANDS@ -- "$word")
        return
    fi
    case "${COMP_WORDS[1]} $before" in
@VALUES@
    *)  case ${COMP_WORDS[1]} in
@WORDS@
        esac ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$list" -- "$word"; [[ $word == -* ]] || compgen -f -- "$word")
}
complete -F _grader grader
grader() { PYTHONPATH=@ROOT@${PYTHONPATH:+:$PYTHONPATH} /usr/bin/python3 -m grader "$@"; }
"""

ZSH = r"""
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
_mdriver() {
    local word=$PREFIX before=$words[CURRENT-1] program=$words[1] list=
    case $before in
@MDRIVER@
    *)  case $word in
        -*) list=$("$program" --help 2>/dev/null | @OPTIONS@) ;;
        *) list="$("$program" --list 2>/dev/null) doctor" ;;
        esac ;;
    esac
    compadd -- ${=list}
    [[ $word == -* ]] || _files
}
compdef _mdriver mdriver
_grader() {
    local word=$PREFIX before=$words[CURRENT-1] list=
    if ((CURRENT == 2)); then
        list=@COMMANDS@
        compadd -- ${=list}
        return
    fi
    case "$words[2] $before" in
@VALUES@
    *)  case $words[2] in
@WORDS@
        esac ;;
    esac
    compadd -- ${=list}
    [[ $word == -* ]] || _files
}
compdef _grader grader
grader() { PYTHONPATH=@ROOT@${PYTHONPATH:+:$PYTHONPATH} /usr/bin/python3 -m grader "$@"; }
"""

FISH = r"""
function __mdriver_words
    set -l words (commandline -opc)
    set -l program $words[1]
    switch $words[-1]
@MDRIVER@
        case '*'
            switch (commandline -ct)
                case '-*'
                    "$program" --help 2>/dev/null | @OPTIONS@
                case '*'
                    "$program" --list 2>/dev/null
                    echo doctor
            end
    end
end
complete -c mdriver -a '(__mdriver_words)'
function __grader_words
    set -l words (commandline -opc)
    if test (count $words) -eq 1
        string split -- ' ' @COMMANDS@
        return
    end
    switch "$words[2] $words[-1]"
@VALUES@
        case '*'
            switch $words[2]
@WORDS@
            end
    end
end
complete -c grader -a '(__grader_words)'
complete -c grader -n 'test (count (commandline -opc)) -eq 1' -f
function grader
    set -lx --path PYTHONPATH @ROOT@ $PYTHONPATH
    /usr/bin/python3 -m grader $argv
end
"""

SHELLS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
COMMAND = f"PYTHONPATH={shlex.quote(str(ROOT))} /usr/bin/python3 -m grader completion"
SWITCH_ON = f"""to switch it on for good, add this line

to ~/.bashrc:
  eval "$({COMMAND})"
to ~/.zshrc:
  eval "$({COMMAND} zsh)"
to ~/.config/fish/config.fish:
  {COMMAND} fish | source
"""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """The command line of `completion`."""
    sub = commands.add_parser(
        "completion", formatter_class=argparse.RawDescriptionHelpFormatter,
        help="what TAB completes in bash, zsh and fish; defines `grader`",
        description="Prints a script that completes the commands and options of the grader and of mdriver, and\n"
                    "defines `grader`, short for python3 -m grader, which then works in every folder.",
        epilog=SWITCH_ON)
    sub.add_argument("shell", nargs="?", choices=tuple(SHELLS), default="bash", help="default: %(default)s")
    sub.set_defaults(action=lambda args: print(script(commands, args.shell)) or OK)


def offers(commands: argparse._SubParsersAction, shown: Iterable[str]) -> tuple[list[Offer], list[Offer]]:
    """What may follow an option ("COMMAND OPTION"), and what may stand elsewhere after each command of SHOWN."""
    values, words = [], []
    for name in shown:
        flags, fixed = [], []
        for action in commands.choices[name]._actions:
            flags += action.option_strings
            choices = " ".join(map(str, action.choices or ()))
            if choices and action.option_strings:
                values.append(Offer([f"{name} {flag}" for flag in action.option_strings], choices))
            elif choices:
                fixed.append(choices)
        words.append(Offer([name], " ".join(flags + fixed)))
    return values, words


def script(commands: argparse._SubParsersAction, shell: str) -> str:
    """The script of SHELL for the commands that have a help line, and for mdriver."""
    shown = [choice.dest for choice in commands._choices_actions]  # the only list of what --help shows
    values, words = offers(commands, shown)

    def table(rows: Iterable[Offer]) -> str:
        return "\n".join(row.of_fish() if shell == "fish" else row.of_bash() for row in rows)

    text = SHELLS[shell]
    first = shlex.quote(" ".join([*shown, "--help", "--version"]))
    for name, value in (("MDRIVER", table(MDRIVER)), ("VALUES", table(values)), ("WORDS", table(words)),
                        ("OPTIONS", MDRIVER_OPTIONS), ("COMMANDS", first), ("ROOT", shlex.quote(str(ROOT)))):
        text = text.replace(f"@{name}@", value)
    return text.strip()
