"""Why the lock of a host's proven state cannot be used, and what to do."""

from __future__ import annotations

from tasks.words.messages import Message

NO_LOCK = Message("records.no-lock", "{path}: is not a lock that this version can read: {words}")
RESTORE = Message("records.restore", "restore it, or move it away: what runs is proven anew then")
BEING_WRITTEN = Message(
    "records.being-written", "{path} is being written by {holder} for more than {seconds} s"
)
WAIT = Message("records.wait", "wait until that ends, then run again")
