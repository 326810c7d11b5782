"""What the shell completes: names of the declaration and the database, never with an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

from console.looking.host import declared
from tasks.database.database import rows_of
from tasks.declared.layers import ROOT, rooted
from tasks.declared.references import ModelReference
from tasks.declared.stack import DeclarationError, Stack

VARIABLE = "_MAIN_SH_COMPLETE"
Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

# Of the line up to the cursor, since bash's own words end at each ":" of a model's name.
BASH = """\
_main_sh_completion() {
    local line=${COMP_LINE:0:COMP_POINT} words reply word head
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    word=${words[${#words[@]}-1]}
    head=
    [[ $COMP_WORDBREAKS == *:* && $word == *:* ]] && head=${word%"${word##*:}"}
    COMPREPLY=()
    while IFS= read -r reply; do
        [[ $reply == file,* ]] && compopt -o default 2>/dev/null
        [[ $reply == plain,* ]] || continue
        reply=${reply#plain,}
        COMPREPLY+=("${reply#"$head"}")
    done < <(COMP_WORDS="$line" COMP_CWORD=$((${#words[@]} - 1)) \\
        _MAIN_SH_COMPLETE=bash_complete PROGRAM 2>/dev/null)
}
complete -F _main_sh_completion main.sh
"""
ZSH = """\
#compdef main.sh
_main_sh_completion() {
    local -a found answers
    answers=("${(@f)$(COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT - 1)) \\
        _MAIN_SH_COMPLETE=zsh_complete PROGRAM 2>/dev/null)}")
    local kind key help
    for kind key help in $answers; do
        [[ $kind == plain ]] || continue
        [[ $help == _ ]] && found+=("${key//:/\\\\:}") || found+=("${key//:/\\\\:}:$help")
    done
    (( $#found )) && _describe -V values found || _files
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
compdef _main_sh_completion main.sh
"""
FISH = """\
function _main_sh_completion
    set -lx _MAIN_SH_COMPLETE fish_complete
    set -lx COMP_WORDS (commandline -cp)
    set -lx COMP_CWORD (commandline -t)
    for answer in (PROGRAM 2>/dev/null)
        set -l parts (string split -m 1 "," -- $answer)
        test "$parts[1]" = plain; and echo $parts[2]
    end
end
complete --no-files --command main.sh --arguments "(_main_sh_completion)"
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def script(shell: str) -> str:
    """Return a shell's completion, of this installation's main.sh however it is typed."""
    quoted = "'" + str(ROOT / "main.sh").replace("'", "'\\''") + "'"
    return SCRIPTS[shell].replace("PROGRAM", quoted)


def _completer(names: Callable[[Stack], Iterable[str]]) -> Completer:
    def complete(
        context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        try:
            found = sorted(set(names(declared())))
        except DeclarationError:
            # A verb names its faults; a completion has no place for them.
            return []
        given = context.params.get(str(parameter.name)) or ()
        taken = given if isinstance(given, tuple) else ()
        return [
            CompletionItem(name)
            for name in found
            if name.startswith(incomplete) and name not in taken
        ]

    return complete


def _models(stack: Stack) -> list[str]:
    """Return the models that are declared, and those that the database knows of."""
    held = (row["model"] for row in rows_of(rooted(stack.database), "service_models"))
    declared_too = (model for service in stack.services for model in service.models)
    return [*declared_too, *filter(_is_model, held)]


def _is_model(name: object) -> bool:
    """Tell whether a shell may take a name into its line: a server can name a model anything."""
    try:
        ModelReference.parse(str(name))
    except ValueError:
        return False
    return True


services = _completer(lambda stack: [s.name for s in stack.services])
active_services = _completer(lambda stack: [s.name for s in stack.services if s.active])
models = _completer(_models)
