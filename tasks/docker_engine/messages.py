"""Why Docker Engine does not answer or cannot be changed, and what to do."""

from __future__ import annotations

from tasks.words.messages import Message

# The engine.
NO_APT = Message("docker_engine.no-apt", "{system} has no apt-get")
INSTALL_BY_HAND = Message(
    "docker_engine.install-by-hand",
    "install Docker Engine by hand (docs.docker.com/engine/install), then run again",
)
NO_REPOSITORY = Message("docker_engine.no-repository", "Docker has no apt repository for {system}")
TAKE_DISTRIBUTION = Message("docker_engine.take-distribution", 'set docker_source = "distro"')
REPOSITORY_FAILED = Message(
    "docker_engine.repository-failed", "Docker's apt repository cannot be used: {cause}"
)
OR_DISTRIBUTION = Message(
    "docker_engine.or-distribution", '{remedy}, or set docker_source = "distro" or "auto"'
)
SOCKET_DENIED = Message("docker_engine.socket-denied", "{user} may not use {socket}")
SEE_WHO_MAY = Message("docker_engine.see-who-may", "see who may: ls -l {socket}")
NO_CURL = Message(
    "docker_engine.no-curl", "{socket} cannot be asked: there is no curl on this host"
)
INSTALL_CURL = Message("docker_engine.install-curl", "install it: sudo apt-get install curl")
NOBODY_THERE = Message(
    "docker_engine.nobody-there",
    "no Docker Engine answers on {socket}, which docker_socket names",
)
START_THAT_ENGINE = Message(
    "docker_engine.start-that-engine",
    "start that engine, or take docker_socket out of stack.toml to use the host's own",
)
IS_PODMAN = Message(
    "docker_engine.is-podman",
    "the docker command here is podman's (package podman-docker), which is no Docker Engine",
)
REMOVE_PODMAN = Message(
    "docker_engine.remove-podman",
    "sudo apt-get remove podman-docker, then run again; podman itself may stay",
)
SNAP_SILENT = Message(
    "docker_engine.snap-silent", "Docker is installed as a snap and does not answer"
)
START_SNAP = Message(
    "docker_engine.start-snap", "sudo snap start docker; why not: sudo snap logs docker"
)
MASKED = Message("docker_engine.masked", "docker.service is masked")
UNMASK = Message(
    "docker_engine.unmask", "sudo systemctl unmask docker, if that was not meant, then run again"
)
UNIT_DOWN = Message("docker_engine.unit-down", "docker.service is {state} ({sub})")
DAEMON_SILENT = Message(
    "docker_engine.daemon-silent", "dockerd runs (PID {pid}) and does not answer on {socket}"
)
SILENT = Message("docker_engine.silent", "the engine does not answer on {socket}")
SEE_AND_RESTART = Message(
    "docker_engine.see-and-restart",
    "see why: sudo journalctl -u docker -n 50; then sudo systemctl restart docker",
)
SEE_LOG = Message(
    "docker_engine.see-log",
    "see why in {log}; if it listens elsewhere, name that as docker_socket",
)
JOURNAL = Message("docker_engine.journal", "sudo journalctl -u docker -n 50")
LOG_OF_DAEMON = Message("docker_engine.log-of-daemon", "the log of that dockerd")
SEE_LOG_FILE = Message("docker_engine.see-log-file", "see why: tail -n 50 /var/log/dockerd.log")
READ_JOURNAL = Message(
    "docker_engine.read-journal", "sudo journalctl -u docker -n 50, then run again"
)
READ_LOG = Message("docker_engine.read-log", "read {log}, then run again")
COMMAND_FAILED = Message("docker_engine.command-failed", "{words}{said}")
LOG_SAYS = Message("docker_engine.log-says", "; its log says: {words}")
NOT_RELOADED = Message("docker_engine.not-reloaded", "the engine was not reloaded: {words}")

# A restart.
HIDES_CONTAINERS = Message(
    "docker_engine.hides-containers",
    "it needs a restart of Docker Engine, which did not tell whose containers run on it",
)
SEE_CONTAINERS = Message("docker_engine.see-containers", "see docker ps, then run again")
STOPS_OTHERS = Message(
    "docker_engine.stops-others",
    "it needs a restart of Docker Engine, which would stop containers of others: {names}",
)
ALLOW_RESTART = Message(
    "docker_engine.allow-restart",
    "when that suits them: run again with --data allow_docker_restart=true",
)

# daemon.json: what is wrong in it.
CORRECT_FILE = Message(
    "docker_engine.correct-file",
    "correct it by hand (sudoedit {path}), then run again; it was left as it is",
)
UNREADABLE = Message("docker_engine.unreadable", "{words}")
NOT_READ = Message("docker_engine.not-read", "it cannot be read")
NOT_UTF8 = Message("docker_engine.not-utf8", "it is not UTF-8 text")
HAS_MARK = Message(
    "docker_engine.has-mark", "it begins with a byte order mark; it should be UTF-8 without one"
)
TWO_VALUES = Message("docker_engine.two-values", "it holds more than one JSON value (line {line})")
NO_JSON = Message(
    "docker_engine.no-json", "it is not valid JSON: {words} in line {line}, column {column}"
)
TOO_DEEP = Message("docker_engine.too-deep", "it is nested too deep")
NO_OBJECT = Message("docker_engine.no-object", "it is not a JSON object")
KEY_NO_OBJECT = Message("docker_engine.key-no-object", '"{key}" is {kind} and should be an object')
RUNTIME_NO_OBJECT = Message(
    "docker_engine.runtime-no-object", 'the runtime "{name}" is {kind} and should be an object'
)
NO_TEXTS = Message("docker_engine.no-texts", '"{key}" is {kind} and should be a list of texts')
HALF_CHARACTER = Message(
    "docker_engine.half-character", "it holds half a character (a lone surrogate)"
)
KEY_TWICE = Message("docker_engine.key-twice", 'it holds the key "{key}" twice')
NO_NUMBER = Message("docker_engine.no-number", "it is not valid JSON: {text} is no number there")
LARGE_NUMBER = Message("docker_engine.large-number", "the number {text} is too large")
MANY_DIGITS = Message("docker_engine.many-digits", "it holds a number of {count} digits")

# daemon.json: what came of a change.
LEFT_ALONE = Message("docker_engine.left-alone", "{what}: {cause}")
NOT_TAKEN = Message(
    "docker_engine.not-taken",
    "the engine read daemon.json anew and does not show {what}; the old file is back{said}",
)
READ_LAST_LINES = Message("docker_engine.read-last-lines", "sudo journalctl -u docker -n 20")
NOT_WRITTEN = Message(
    "docker_engine.not-written",
    "the new {path} was refused: {words}; the old one is untouched",
)
SEE_FILE = Message(
    "docker_engine.see-file",
    "see what is in it: sudo cat {path}; and what holds it: findmnt {path}; sudo lsattr {path}",
)
CHANGED_MEANWHILE = Message(
    "docker_engine.changed-meanwhile", "{path} changed while this run went on{said}"
)
IT_SAID = Message("docker_engine.it-said", " ({words})")
NOT_PUT_BACK = Message(
    "docker_engine.not-put-back", "the old {path} could not be put back: {words}"
)
PUT_BACK = Message("docker_engine.put-back", "sudo sh -c {command}")
NOT_EVEN_OLD = Message(
    "docker_engine.not-even-old", "{cause}; with the old daemon.json back: {again}"
)
DONE_ALREADY = Message("docker_engine.done-already", "{remedy}; done already: {command}")
OLD_IS_BACK = Message(
    "docker_engine.old-is-back",
    "with the new daemon.json: {cause}; the old one is back and the engine runs",
)
