"""Why the lock of a host's proven state cannot be used, and what to do."""

from __future__ import annotations

from tasks.words.messages import Message

NO_LOCK = Message("records.no-lock", "{path}: is not a lock that this version can read: {words}")
RESTORE = Message("records.restore", "restore it, or move it away: what runs is proven anew then")
BEING_WRITTEN = Message(
    "records.being-written", "{path} is being written by {holder} for more than {seconds} s"
)
WAIT = Message("records.wait", "wait until that ends, then run again")
NEWER_LOCK = Message("records.newer-lock", "{path} {words}")
UPDATE_OR_MOVE = Message(
    "records.update-or-move",
    "update ollama-stack (git pull); or move the file away: what runs is proven anew then, and"
    " there is nothing left to roll back to",
)
MEND_RIGHTS = Message("records.mend-rights", "mend the rights or the file, then run again")
NOT_WRITTEN = Message("records.not-written", "{path} cannot be written: {cause}")
