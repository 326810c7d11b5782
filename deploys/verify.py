"""Check the installation of every host with testinfra: the suite in tests/verify."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator
from importlib.util import find_spec
from typing import Any

from pyinfra import logger
from pyinfra.api import DeployError, FunctionCommand, Host, operation

from tasks.declared.layers import ROOT
from tasks.declared.stack import DeclarationError
from tasks.run.last_words import print_failures_last
from tasks.run.pyinfra.current import current_run, declare_all
from tasks.run.pyinfra.usage import check_usage, end_with_130_on_interrupt
from tasks.words.failures import Failure
from tasks.words.printable import WHOLE, printable_lines
from tasks.words.steps import LOCAL
from tests.verify import DECLARED

CONTAINERS = ("@docker/", "@podman/")


def suite(host: Host) -> Iterator[str]:
    """Return the words that run the suite against a host, as its connector reaches it."""
    yield from (sys.executable, "-P", "-m", "pytest", "-p", "no:cacheprovider", "--table")
    # pytest's own comparisons want its reporter, which the table stands in for.
    yield "--assert=plain"
    yield from ("-c", str(ROOT / "pyproject.toml"), str(ROOT / "tests" / "verify"))
    yield f"--host-name={host.name}"
    if host.name == LOCAL:
        yield "--hosts=local://"
    elif host.name.startswith(CONTAINERS):
        kind, _, name = host.name[1:].partition("/")
        yield f"--hosts={kind}://{name}"
    else:
        yield from by_ssh(host)


def by_ssh(host: Host) -> Iterator[str]:
    """Return the options for a host behind SSH; nobody is there to answer a question of ssh."""
    get = host.data.get
    name = get("ssh_hostname") or host.name
    user = f"{get('ssh_user')}@" if get("ssh_user") else ""
    port = f":{get('ssh_port')}" if get("ssh_port") else ""
    yield f"--hosts=ssh://{user}{f'[{name}]' if ':' in name else name}{port}"
    if get("ssh_key"):
        yield f"--ssh-identity-file={get('ssh_key')}"
    if get("ssh_config_file"):
        yield f"--ssh-config={get('ssh_config_file')}"
    check = get("ssh_strict_host_key_checking") or "accept-new"
    options = ["BatchMode=yes", f"StrictHostKeyChecking={check}"]
    if get("ssh_known_hosts_file"):
        options.append(f"UserKnownHostsFile={get('ssh_known_hosts_file')}")
    yield "--ssh-extra-args=" + shlex.join(word for o in options for word in ("-o", o))


@operation()
def verified() -> Generator[FunctionCommand, None, None]:
    """Run the suite from the controller against the current host; fail where it fails."""

    declared = current_run().stack.model_dump_json()

    def execute(state: Any, host: Host) -> bool:
        if not find_spec("testinfra"):
            logger.error("testinfra is not installed; remedy: ./main.sh verify installs it")
            return False
        # The whole declaration of this host: groups and --data are known only here.
        width = str(shutil.get_terminal_size((140, 24)).columns)
        environment = {**os.environ, DECLARED: declared, "COLUMNS": width}
        result = subprocess.run(
            list(suite(host)), env=environment, capture_output=True, text=True, check=False
        )
        print(printable_lines(f"{result.stdout}{result.stderr}", WHOLE), flush=True)
        if result.returncode:
            last = (result.stdout.strip() or result.stderr.strip()).splitlines()[-1:]
            cause = last[0].strip("= ") if last else "the suite did not run"
            remedy = f"the table above names each; pyinfra … deploys/stack.py --limit {host.name}"
            current_run().teller.failures.append(Failure("not as declared", cause, remedy))
        return result.returncode == 0

    yield FunctionCommand(execute, (), {})


check_usage()
end_with_130_on_interrupt()
print_failures_last()
try:
    declare_all()
except DeclarationError as error:
    raise DeployError(printable_lines(error)) from None
verified(name="Verify the installation")
