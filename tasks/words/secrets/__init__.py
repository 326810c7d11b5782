"""What looks like a secret in a text, by names, by shapes and by what services call theirs. Pure.

Every look is linear: whatever a look reads behind the place where a secret begins it also takes
away, or it reads no more than some hundred characters there. Nothing is searched to the end of a
text only to be given up on.
"""

from __future__ import annotations

# What stands where a secret was.
MASK = "…"
