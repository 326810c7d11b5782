"""Look at every host and change nothing: `./main.py status` asks for it."""

from pyinfra.api import DeployError

from tasks.containers.look import script
from tasks.declared.stack import DeclarationError
from tasks.host.preflight import preflight
from tasks.run.host_looks import HostLook
from tasks.run.pyinfra.current import current_run, declare_all
from tasks.run.session import SESSION
from tasks.words.printable import printable_lines

try:
    declare_all()
except DeclarationError as error:
    raise DeployError(printable_lines(error)) from None
run = current_run()
declared = run.stack.model_dump_json()
if preflight(run) is not None:
    look = HostLook(declared, run.shell.sh(script(run.stack), timeout=120).stdout)
else:
    failure = run.teller.failures[0]
    look = HostLook(declared, cause=failure.cause, remedy=failure.remedy)
SESSION.looks[run.shell.name] = look
