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

from tasks.layers import ROOT
from tasks.preflight.usage import check_usage, end_with_130_on_interrupt
from tasks.run import current_run
from tasks.stack import DeclarationError
from tests.verify import DECLARED

CONTAINERS = ("@docker/", "@podman/")


def suite(host: Host) -> Iterator[str]:
    """Return the words that run the suite against a host, as its connector reaches it."""
    yield from (sys.executable, "-P", "-m", "pytest", "-p", "no:cacheprovider", "--table")
    yield from ("-c", str(ROOT / "pyproject.toml"), str(ROOT / "tests" / "verify"))
    yield f"--host-name={host.name}"
    if host.name == "@local":
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
        print(f"{result.stdout}{result.stderr}", flush=True)
        return result.returncode == 0

    yield FunctionCommand(execute, (), {})


check_usage()
end_with_130_on_interrupt()
try:
    current_run()
except DeclarationError as error:
    raise DeployError(str(error)) from None
verified(name="Verify the installation")
