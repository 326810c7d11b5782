"""Why a package or its source cannot be used, and what to do. What apt says stands in {said}."""

from __future__ import annotations

from tasks.words.messages import Message

# What apt-get ended with.
INTERRUPTED = Message("apt.interrupted", "an earlier installation was interrupted")
CONFIGURE = Message("apt.configure", "sudo dpkg --configure -a, then run again")
LOCKED = Message("apt.locked", "PID {pid}{command} holds {path}")
COMMAND = Message("apt.command", " ({words})")
LOCKED_LONG = Message("apt.locked-long", "{holder}, for more than {seconds:.0f} s")
WAIT_FOR_LOCK = Message(
    "apt.wait-for-lock",
    "wait until it is done (ps -fp {pid}), then run again; the lock was left as it is",
)
DISK_FULL = Message("apt.disk-full", "the disk is full: {said}")
MAKE_ROOM = Message("apt.make-room", "make room (sudo apt-get clean helps), then run again")
UNSIGNED = Message("apt.unsigned", "a package source is not signed as it should be: {said}")
ASK = Message("apt.ask", "ask whoever keeps it")
WOULD_REMOVE = Message("apt.would-remove", "it would have to remove packages that are there{names}")
NAMES = Message("apt.names", ": {names}")
REMOVE_BY_HAND = Message(
    "apt.remove-by-hand", "remove them by hand, if nothing of yours needs them, then run again"
)
NO_PACKAGE = Message("apt.no-package", "the package sources do not have it: {said}")
NAME_SOURCE = Message(
    "apt.name-source", "name a package source that has it (/etc/apt/sources.list.d)"
)
UNREACHABLE = Message("apt.unreachable", "a package source cannot be reached: {said}")
MAKE_REACHABLE = Message("apt.make-reachable", "make it reachable (http_proxy?)")
NO_SUITE = Message("apt.no-suite", "a package source has nothing for this release: {said}")
NAME_OTHER = Message("apt.name-other", "name one that has")
NO_FILE = Message("apt.no-file", "a package source lacks what it lists: {said}")
ASK_LATER = Message("apt.ask-later", "run again later, or {ask}")
UNREADABLE = Message("apt.unreadable", "a package source cannot be read: {said}")
UPDATE = Message("apt.update", "sudo apt-get update, then run again")
UNMET = Message("apt.unmet", "packages contradict each other: {said}")
FIX = Message("apt.fix", "sudo apt-get -f install, then run again")
OTHER = Message("apt.other", "{said}")
READ_UPDATE = Message("apt.read-update", "sudo apt-get update, read what it says, then run again")

# A version that is declared.
NO_VERSION = Message(
    "apt.no-version", "the package sources have no {package} {pin}; they have: {versions}"
)
DECLARE_VERSION = Message(
    "apt.declare-version", 'declare one of these as {setting}, or "" for the newest'
)

# The key of a repository.
NO_KEY = Message("apt.no-key", "its key cannot be fetched ({words})")
NOT_A_KEY = Message("apt.not-a-key", "{url} is no key that can be used: {words}")
OPEN_IN_BROWSER = Message(
    "apt.open-in-browser", "open it in a browser: a proxy may answer in its place"
)
OTHER_KEY = Message(
    "apt.other-key",
    "{url} has the fingerprint {found}, expected is {expected}: do not trust it",
)
KEY_BESIDE = Message(
    "apt.key-beside", "{cause} ({url} also holds the key {key}, which is not the pinned one)"
)
SET_KEY = Message(
    "apt.set-key",
    "a new key is taken only through the setting {setting}: set it to the new"
    " fingerprint if the repository's owner tells of that key in another place",
)
