"""Why a file of a client is left alone, and what to do. {where} is a file, as people write it."""

from __future__ import annotations

from tasks.words.messages import Message

# A file.
DANGLING = Message("clients.dangling", "{where} is a link to {target}, which is not there")
MEND_LINK = Message("clients.mend-link", "mend or remove it")
IS_A_FOLDER = Message("clients.is-a-folder", "{where} is a folder")
NO_ORDINARY_FILE = Message("clients.no-ordinary-file", "{where} is no ordinary file")
MOVE_AWAY = Message("clients.move-away", "move it away")
TOO_LARGE = Message("clients.too-large", "{where} is larger than {limit} KiB")
MAKE_SMALLER = Message("clients.make-smaller", "make it smaller")
UNREAD = Message("clients.unread", "{where} {words}")
LEFT_UNREAD = Message(
    "clients.left-unread", "is left unread: the files together have more than {limit}"
)
READ_IN_PART = Message("clients.read-in-part", "changed while it was read, or cannot be read whole")
MEND_AND_RUN = Message("clients.mend-and-run", "mend that, then run it again")
NOT_READABLE = Message("clients.not-readable", "{user} may not read {where}")
OF_OTHER = Message("clients.of-other", "{where} belongs to {owner}")
READ_ONLY = Message("clients.read-only", "{where} is read-only")
FOLDER_READ_ONLY = Message("clients.folder-read-only", "{user} may not write into {folder}")
GIVE_RIGHTS = Message("clients.give-rights", "chmod u+rw {path}")
GIVE_BACK = Message("clients.give-back", "sudo chown {user}: {path}")
OUTSIDE = Message(
    "clients.outside",
    "it is outside of the home of {user}: see whose it is, or take the link to it away",
)
NOT_OURS = Message("clients.not-ours", "{where} is there and not ours")
LEAVE_OUT = Message("clients.leave-out", "move it away, or leave the client out")
EDITED = Message("clients.edited", "{where} was edited by hand")
REMOVE_BY_HAND = Message("clients.remove-by-hand", "remove it by hand, if it is not needed")
CHANGED_MEANWHILE = Message("clients.changed-meanwhile", "{where} changed meanwhile")
RUN_IT_AGAIN = Message("clients.run-it-again", "run it again")
NOT_WRITTEN = Message("clients.not-written", "{where} could not be written: {words}")
MEND_RUN_AGAIN = Message("clients.mend-run-again", "mend that, run again")
ODD = Message(
    "clients.odd", "nobody foresaw what it holds, or its record {place} ({kind}: {words})"
)
REPORT = Message(
    "clients.report",
    "nothing of it was changed: move it or its record away; and please report it",
)

# What a file holds.
INVALID = Message("clients.invalid", "{where}, line {line}: {reason}")
MEND_THERE = Message("clients.mend-there", "mend it there; nothing of it was changed")
UNSAFE = Message(
    "clients.unsafe",
    "is laid out so that nothing can be written there without touching what is yours",
)
MANY_VALUES = Message("clients.many-values", "has more than {count} values")
MANY_OF_OURS = Message("clients.many-of-ours", "would hold more than {count} values of ours")
MUCH_WORK = Message("clients.much-work", "is too large for as many changes as it needs")
DEEP = Message("clients.deep", "is nested deeper than {levels}")
TOO_DEEP = Message("clients.too-deep", "is nested too deeply")
NO_UTF8 = Message("clients.no-utf8", "is not UTF-8")
NO_OBJECT = Message("clients.no-object", "the document is no object in {{braces}}")
MORE_FOLLOWS = Message("clients.more-follows", "something follows the end of the document")
OPEN_COMMENT = Message("clients.open-comment", "a comment is not closed")
OPEN_TEXT = Message("clients.open-text", "a text is not closed")
OPEN_BRACKET = Message("clients.open-bracket", "{bracket} is never closed")
NO_VALUE = Message("clients.no-value", "a value is missing")
NO_JSON_VALUE = Message("clients.no-json-value", "what stands there is no JSON value")
NO_COMMA = Message("clients.no-comma", "a comma is missing before this")
NO_COLON = Message("clients.no-colon", "a colon is missing after {key}")
NO_KEY = Message("clients.no-key", 'a key in "double quotes" is missing')
NO_JSON_KEY = Message("clients.no-json-key", "the key there is no JSON text")
KEY_TWICE = Message("clients.key-twice", "the key {key} is there twice")
NO_MAPPING = Message("clients.no-mapping", "the document is neither a mapping nor a list")
YAML = Message("clients.yaml", "{words}")
NO_YAML = Message("clients.no-yaml", "is no YAML: {words}")
ALIAS_LOOP = Message("clients.alias-loop", "an alias in it leads back to it")

# What we wrote down of a file.
RECORD = Message("clients.record", "{place}: {reason}")
RECORD_AWAY = Message(
    "clients.record-away", "move it away: what stands in the file as we write it is ours again"
)
RECORD_EMPTY = Message("clients.record-empty", "it is empty, or cannot be read")
RECORD_LARGE = Message("clients.record-large", "it is larger than {limit} MiB")
RECORD_VERSION = Message(
    "clients.record-version", "it is of version {version}, this one reads {known}"
)
RECORD_DAMAGED = Message("clients.record-damaged", "it is damaged: {words}")
NO_PLACE_OF_OURS = Message(
    "clients.no-place-of-ours", "its record names {where}, which is no place of ours"
)
MOVE_RECORD = Message("clients.move-record", "move the record away")
CROWD = Message(
    "clients.crowd", "{place} holds more than {count} records, which no run of ours writes"
)
CLEAR_CROWD = Message(
    "clients.clear-crowd",
    "move away those that are not ours; no file of this user is changed until then",
)

# A user.
NO_HOME = Message("clients.no-home", "{user} has no account with a home folder on this host")
SEE_ACCOUNTS = Message(
    "clients.see-accounts", "client_users names them; getent passwd shows those that are there"
)
ROOT_NO_HOME = Message("clients.root-no-home", "root has no home folder")
CUT_OFF = Message("clients.cut-off", "the look at the files was cut off: {cause}")
LOOK_SAID = Message("clients.look-said", "{words}")
SEE_LOGIN = Message(
    "clients.see-login",
    "see that this user can log in there and reach the home folder, then run it again",
)
NEEDS_ROOT = Message("clients.needs-root", "{user} cannot become {other} without root")
RUN_AS = Message("clients.run-as", "run it as a user who may use sudo, or as {other}")
IS_ROOTS = Message("clients.is-roots", "{place} is root's, and this user cannot become root")
SUDO_OR_UNMANAGED = Message(
    "clients.sudo-or-unmanaged", "run it as a user who may use sudo; or kilo_managed = false"
)
