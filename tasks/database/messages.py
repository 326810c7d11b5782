"""What keeps a database from being written, and what a person can do about it."""

from __future__ import annotations

from tasks.words.messages import Message

NO_FILE = Message("database.no-file", "{path} is no file")
OTHER_PATH = Message("database.other-path", "declare another path for the database")
NOT_WRITABLE = Message("database.not-writable", "{path} cannot be written ({words})")
MEND_FOLDER = Message("database.mend-folder", "mend the rights of its folder, then run again")
ROWS_REFUSED = Message("database.rows-refused", "{path} does not take our rows ({reason})")
SEE_WHO = Message("database.see-who", "see who changes it: sudo fuser -v {path}")
STAYS = Message("database.stays", "{path} is unusable ({reason}) and cannot be set aside ({words})")
MOVE_AWAY = Message("database.move-away", "move it away by hand and run again")

# What is no fault of the file.
END_OTHER = Message(
    "database.end-other",
    "another program holds it (sudo fuser -v {path} names it): end that, then run again",
)
MEND_RIGHTS = Message(
    "database.mend-rights", "mend the rights of the file and its folder, then run again"
)
FREE_SPACE = Message(
    "database.free-space",
    "free some space on its disk (df -h tells how much there is), run again",
)
SEE_KERNEL = Message(
    "database.see-kernel", "see what the kernel says of its disk (sudo dmesg), then run again"
)
FREE_MEMORY = Message("database.free-memory", "end what takes the memory, then run again")
