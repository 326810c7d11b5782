"""The command line: `ollama-qwen` is the ollama CLI on the server of qwen."""

from __future__ import annotations

import shlex

from tasks.clients.wiring import WiredService

# Ollama is a cobra program: its hidden __complete answers what may follow, a ":" line at the end.
COMPLETION = r"""# Written by ollama-stack: completion of @NAME@, by the CLI's own answers.
_@FUNCTION@() {
    local word=${COMP_WORDS[COMP_CWORD]} found one
    found=$("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" </dev/null 2>/dev/null |
        sed '/^:/d; s/\t.*//')
    if [ -z "$found" ] && [ "$COMP_CWORD" -ge 2 ]; then
        found=$("${COMP_WORDS[0]}" list 2>/dev/null </dev/null | sed '1d; s/ .*//')
    fi
    COMPREPLY=()
    # The server's own words, and compgen -W would expand them: only what no shell reads is taken.
    while IFS= read -r one; do
        case $one in
            '' | *[!A-Za-z0-9._:/@%+=,-]*) ;;
            "$word"*) COMPREPLY+=("$one") ;;
        esac
    done <<<"$found"
    # A model's tag holds a ":", at which bash splits words.
    declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$word"
}
complete -F _@FUNCTION@ @NAME@
"""


def wrapper(service: WiredService, *, is_remote: bool) -> str:
    """Return the script: the host's CLI where there is one, else the one in the container."""
    lines = [
        "#!/bin/sh",
        f"# Written by ollama-stack: the ollama CLI on the server of {service.name}.",
        f"export OLLAMA_HOST={shlex.quote(service.url)}",
        'if command -v ollama >/dev/null 2>&1; then exec ollama "$@"; fi',
    ]
    if is_remote:
        lines += ['echo "$0: there is no ollama here: install its CLI" >&2', "exit 127"]
    else:
        lines += [
            "tty=",
            "if [ -t 0 ] && [ -t 1 ]; then tty=-t; fi",
            f'exec docker exec -i $tty {shlex.quote(service.id)} ollama "$@"',
        ]
    return "\n".join(lines) + "\n"


def completion(service: WiredService) -> str:
    """Return the completion of the wrapper for bash."""
    function = "".join(c if c.isalnum() else "_" for c in service.id)
    return COMPLETION.replace("@FUNCTION@", function).replace("@NAME@", shlex.quote(service.id))
