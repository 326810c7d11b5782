"""daemon.json on the host: a byte-exact backup, one atomic write, and the way back."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tasks.docker_engine import messages, service
from tasks.docker_engine.daemon_json import (
    INSECURE,
    LIVE_RESTORE,
    PATH,
    Refused,
    knows_proxies,
    merge,
    text_of,
    wanted,
)
from tasks.docker_engine.facts import observe_engine
from tasks.docker_engine.observed import ObservedEngine
from tasks.docker_engine.settings import no_proxies, possible, restart_refusal, settings_of
from tasks.host.facts import observe_host
from tasks.run.run import Run
from tasks.run.session import RUN_ID
from tasks.shell.output import PRELUDE
from tasks.words.failures import StepFailed
from tasks.words.messages import RUN_AGAIN
from tasks.words.steps import Step

STAMP = RUN_ID.partition("-")[0]
BACKUP = f"{PATH}.backup-{STAMP}"


@dataclass
class Edit:
    """What the steps of one operation did to daemon.json, so that a later one can take it back.

    `backup` is the copy of the file as it was before, "" where there was none.
    `needs_restart`: a restart is due even where the file did not change.
    """

    is_made: bool = False
    backup: str = ""
    needs_restart: bool = False


def configure_registry(run: Run, step: Step, edit: Edit) -> None:
    """Let the engine use the declared mirror without TLS. A reload is enough. Raises StepFailed."""
    mirror = wanted(run.stack).insecure_registry
    _reload(
        run, edit, f'{mirror} in "{INSECURE}"', lambda engine: mirror in engine.insecure_registries
    )


def configure_live_restore(run: Run, step: Step, edit: Edit) -> None:
    """Let containers outlive a restart of the engine. A reload is enough. Raises StepFailed."""
    _reload(run, edit, f'"{LIVE_RESTORE}"', lambda engine: engine.keeps_containers)


def _reload(run: Run, edit: Edit, what: str, holds: Callable[[ObservedEngine], bool]) -> None:
    """Write what is wanted and see that the engine takes it. Raises StepFailed, all as before."""
    answers = observe_host(run).answers
    write(run, settings(run, proxies=False), edit)
    if not answers:
        return
    try:
        service.reload(run)
    except StepFailed:
        take_back(run, edit)
        raise
    run.seen.forget()
    if holds(observe_engine(run, is_up=True)):
        return
    said = service.last_log_line(run)
    take_back(run, edit)
    service.reload(run)
    told = messages.LOG_SAYS(words=said) if said else ""
    raise StepFailed(messages.NOT_TAKEN(what=what, said=told), messages.READ_LAST_LINES())


def configure_proxy(run: Run, step: Step, edit: Edit) -> None:
    """Write the declared proxies, where the engine knows them. Raises StepFailed."""
    version = observe_engine(run, is_up=observe_host(run).answers).version
    if version and not knows_proxies(version):
        run.teller.note(no_proxies(version))
        return
    write(run, settings(run, proxies=True), edit)
    # Also where the file said so already: a run may have been cut off before the restart.
    edit.needs_restart = True


def settings(run: Run, *, proxies: bool) -> dict[str, Any]:
    """Return daemon.json as it is now with what is wanted. Raises StepFailed."""
    before = current(run)
    engine = observe_engine(run, is_up=observe_host(run).answers)
    return merge(before, possible(wanted(run.stack), engine), proxies=proxies)


def current(run: Run) -> dict[str, Any]:
    """Return daemon.json as it is now, checked. Raises StepFailed."""
    seen = observe_engine(run, is_up=observe_host(run).answers)
    try:
        return settings_of(seen)
    except Refused as error:
        cause = messages.LEFT_ALONE(what=error.failure.what, cause=error.cause)
        raise StepFailed(cause, error.remedy) from None


def write(run: Run, new: dict[str, Any], edit: Edit) -> None:
    """Back daemon.json up and replace it, unless it says so already. Raises StepFailed."""
    old = current(run)
    if new == old:
        return
    seen = observe_engine(run, is_up=observe_host(run).answers)
    is_first = not edit.is_made
    if is_first:
        back_up(run, seen.daemon_json, edit)
    result = run.shell.sh(_WRITE, stdin=text_of(new))
    run.seen.forget()
    if not result.ok:
        if is_first and edit.backup:
            run.shell.sh(f"rm -f {edit.backup}")
        cause = messages.NOT_WRITTEN(path=PATH, words=result.last_words)
        raise StepFailed(cause, messages.SEE_FILE(path=PATH))
    edit.is_made = True
    if is_first and edit.backup:
        run.teller.log(f"  daemon.json as it was: {edit.backup}")


def back_up(run: Run, text: str | None, edit: Edit) -> None:
    """Copy daemon.json byte for byte, if it still is what was looked at. Raises StepFailed.

    A copy that is there already, of this run's other operation, is never overwritten.
    """
    if text is None:
        check = f"[ ! -e {PATH} ]"
    else:
        digest = hashlib.sha256(text.encode()).hexdigest()
        check = f"""[ "$(sha256sum <{PATH} | cut -d' ' -f1)" = {digest} ] || exit 1
copy={BACKUP}; i=1
while [ -e "$copy" ]; do i=$((i+1)); copy={BACKUP}-$i; done
cp -p {PATH} "$copy" && echo "$copy\""""
    result = run.shell.sh(check)
    if not result.ok:
        words = result.stderr.strip()
        said = messages.IT_SAID(words=words) if words else ""
        raise StepFailed(messages.CHANGED_MEANWHILE(path=PATH, said=said), RUN_AGAIN())
    edit.backup = result.stdout.strip()


# Writes its standard input; dockerd checks it, where it can. Where daemon.json is a symbolic link,
# what it leads to is replaced. The file may hold the password of a proxy: it keeps its mode and
# owner; one that holds the password of a proxy is its owner's alone.
_WRITE = f"""{PRELUDE}
set -e
mkdir -p /etc/docker
file=$(readlink -f {PATH})
new=$(mktemp "${{file%/*}}/.daemon.json.XXXXXX")
trap 'rm -f "$new"' EXIT
cat >"$new"
if [ -e {PATH} ]; then
  chmod --reference={PATH} "$new"; chown --reference={PATH} "$new"
else
  chmod 644 "$new"
fi
# A proxy's address may hold a password.
if grep -q '"proxies"' "$new" && grep -q '://[^/]*@' "$new"; then
  chmod go-rwx "$new"
fi
if command -v dockerd >/dev/null && dockerd --help 2>&1 | grep -q -e --validate; then
  dockerd --validate --config-file "$new" >/dev/null
fi
sync "$new"
mv -f "$new" "$file\""""


def take_back(run: Run, edit: Edit) -> None:
    """Put daemon.json back as it was before this run. Raises StepFailed."""
    if not edit.is_made:
        return
    command = way_back(edit)
    result = run.shell.sh(command)
    run.seen.forget()
    if not result.ok:
        cause = messages.NOT_PUT_BACK(path=PATH, words=result.last_words)
        raise StepFailed(cause, messages.PUT_BACK(command=shlex.quote(command)))
    edit.is_made = False


def way_back(edit: Edit) -> str:
    """Return the command that puts the old daemon.json back, in one move."""
    if not edit.backup:
        return f"rm -f {PATH}"
    file = f'"$(readlink -f {PATH})"'
    return f"cp -p {edit.backup} {file}.old && mv -f {file}.old {file}"


def start_engine(run: Run, step: Step, edit: Edit) -> None:
    """Start the engine; with a daemon.json of ours that it refuses, the old one. StepFailed."""
    _up(run, edit, service.start)


def restart_engine(run: Run, step: Step, edit: Edit) -> None:
    """Restart the engine, if it may be, and go back where it does not come up. StepFailed."""
    if not edit.is_made and not edit.needs_restart:
        return
    refused = restart_refusal(run.stack, observe_engine(run, is_up=True), step.text)
    if refused is not None:
        take_back(run, edit)
        raise StepFailed.of(refused)
    _up(run, edit, service.restart)


def _up(run: Run, edit: Edit, go: Any) -> None:
    try:
        go(run)
    except StepFailed as error:
        if not edit.is_made:
            raise
        back = way_back(edit)
        take_back(run, edit)
        try:
            service.restart(run)
        except StepFailed as again:
            cause = messages.NOT_EVEN_OLD(cause=error.cause, again=again.cause)
            remedy = messages.DONE_ALREADY(remedy=again.remedy, command=back)
            raise StepFailed(cause, remedy) from None
        raise StepFailed(messages.OLD_IS_BACK(cause=error.cause), error.remedy) from None
