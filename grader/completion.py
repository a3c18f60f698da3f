"""`completion`: what the shell should offer after TAB, for the grader and for mdriver."""

import argparse
import shlex

from grader.errors import OK
from grader.sandbox import ROOT

# mdriver is asked at the moment, so its options can never be out of date here.
MDRIVER = r'''
_mdriver() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} program=${COMP_WORDS[0]} list=
    compopt -o filenames 2>/dev/null
    case $before in
    -c|--course|--course-json) list=$("$program" --courses 2>/dev/null | sed 's/ .*//') ;;
    --reference) list="$("$program" --list 2>/dev/null) none" ;;
    --clock) list="cpu wall instructions" ;;
    --bits) list="auto 32 64" ;;
    --color|--colour) list="auto always never" ;;
    --plot) list="pareto heap map fragmented waste holes sizes traces latency class" ;;
    -f|--file|-t|--traces|--json|--events) ;;
    *)  case $word in
        -*) list=$("$program" --help 2>/dev/null | grep -oE -- '(^|[ ,])--?[a-zA-Z][a-z-]*' | tr -d ' ,') ;;
        *) list="$("$program" --list 2>/dev/null) doctor" ;;
        esac ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$list" -- "$word"; compgen -f -- "$word")
}
complete -F _mdriver mdriver ./mdriver
'''

GRADER = r'''
_grader() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} list=
    compopt -o filenames 2>/dev/null
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "{commands} --help --version" -- "$word")
        return
    fi
    case "${{COMP_WORDS[1]}} $before" in
{values}
    *)  case ${{COMP_WORDS[1]}} in
{options}
        esac ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$list" -- "$word"; [[ $word == -* ]] || compgen -f -- "$word")
}}
complete -F _grader grader
grader() {{ PYTHONPATH={root}${{PYTHONPATH:+:$PYTHONPATH}} /usr/bin/python3 -m grader "$@"; }}
'''


def add_parser(commands: argparse._SubParsersAction) -> None:
    """The command line of `completion`."""
    sub = commands.add_parser(
        "completion", formatter_class=argparse.RawDescriptionHelpFormatter,
        help="what TAB completes in bash; defines `grader`",
        description="Prints a bash script that completes the commands and options of the grader and of mdriver, and\n"
                    "defines `grader`, short for python3 -m grader, which then works in every folder.\n"
                    "Switch on, for good: add this line to ~/.bashrc\n\n"
                    f'  eval "$(PYTHONPATH={shlex.quote(str(ROOT))} /usr/bin/python3 -m grader completion)"')
    sub.add_argument("shell", nargs="?", choices=("bash",), default="bash", help="default: %(default)s")
    sub.set_defaults(action=lambda args: print(script(commands)) or OK)


def script(commands: argparse._SubParsersAction) -> str:
    """The bash script for the commands that have a help line, and for mdriver."""
    shown = [choice.dest for choice in commands._choices_actions]  # the only list of what --help shows
    values, options = [], []
    for name in shown:
        flags, fixed = [], []
        for action in commands.choices[name]._actions:
            flags += action.option_strings
            if action.choices and action.option_strings:
                cases = "|".join(f'"{name} {flag}"' for flag in action.option_strings)
                values.append(f"    {cases}) list={shlex.quote(' '.join(map(str, action.choices)))} ;;")
            elif action.choices:
                fixed += map(str, action.choices)
        options.append(f"        {name}) list={shlex.quote(' '.join(flags + fixed))} ;;")
    return (GRADER.format(commands=" ".join(shown), values="\n".join(values), options="\n".join(options),
                          root=shlex.quote(str(ROOT))) + MDRIVER).strip()
