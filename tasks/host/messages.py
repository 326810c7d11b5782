"""Why a host cannot be worked on or a port not be used, and what to do."""

from __future__ import annotations

from tasks.words.messages import Message

NO_LOOK = Message("host.no-look", "the shell on the host did not run the script that looks at it")
READ_SHELL = Message("host.read-shell", "run again with -vv and read what the host's shell said")

# Root.
NO_SUDO = Message("host.no-sudo", "there is no sudo on this host")
INSTALL_SUDO = Message(
    "host.install-sudo",
    "su -c 'apt-get install sudo && usermod -aG sudo {user}', then log in again; or run as root",
)
NO_SUDOER = Message("host.no-sudoer", "{user} may not use sudo{said}")
WANTS_PASSWORD = Message(
    "host.wants-password", "sudo wants the password of {user}, and nothing here asks for it{said}"
)
TYPE_PASSWORD = Message(
    "host.type-password",
    "type sudo -v in this terminal and run again; or allow it for good: "
    "echo '{user} ALL=(ALL) NOPASSWD:ALL' | sudo tee /etc/sudoers.d/{user}",
)
IN_NO_GROUP = Message("host.in-no-group", "{user} is in none of the groups that may use sudo{said}")
JOIN_SUDO = Message(
    "host.join-sudo",
    "log in as root (su -) and type: usermod -aG sudo {user}; then log in again",
)
SUDO_SAID = Message("host.sudo-said", ' (sudo: "{words}")')
WITHOUT_ROOT = Message("host.without-root", "{remedy}; {other}")
LOG_IN_AGAIN = Message(
    "host.log-in-again",
    "{user} was added to the group docker after this login: log out and in again (id -nG shows it)",
)
JOIN_DOCKER = Message(
    "host.join-docker",
    "to use the Docker that is here without root, as root: usermod -aG docker {user}, "
    "and log in again",
)

# Ports.
PORT_OF_CONTAINER = Message(
    "host.port-of-container", "the container {container} publishes it, and it is not of this stack"
)
PORT_OF_NOBODY = Message(
    "host.port-of-nobody", "a process that this user may not see listens there"
)
PORT_OF_PROCESS = Message("host.port-of-process", "PID {pid} ({command}) listens there")
PORT_OF_UNIT = Message("host.port-of-unit", "{process}, of the unit {unit}")
PORT_IN_CONTAINER = Message("host.port-in-container", "{process}, in the container {container}")
NO_COMMAND_LINE = Message("host.no-command-line", "its command line is empty")
OR_OTHER_PORT = Message(
    "host.or-other-port",
    "{way_out}; or give {service} another port: in stack.toml, [models.{service}], port = …",
)
SEE_HOLDER = Message("host.see-holder", "see who: sudo ss -ltnp 'sport = :{port}'")
SEE_FOR_WHOM = Message(
    "host.see-for-whom",
    "it listens for somebody else; see for whom: docker ps --filter publish={port},"
    " or systemctl list-sockets | grep {port}; stop that one alone",
)
STOP_CONTAINER = Message("host.stop-container", "stop that container: docker stop {container}")
STOP_USER_UNIT = Message(
    "host.stop-user-unit", "stop it for good: systemctl --user disable --now {unit}"
)
STOP_UNIT = Message("host.stop-unit", "stop it for good: sudo systemctl disable --now {unit}")
END_PROCESS = Message("host.end-process", "end it where it was started, or: kill {pid}")
