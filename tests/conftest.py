"""For all tests: hypothesis asserts no times, a busy machine is no fault.

In CI it tries the same examples each time; whoever works on the code tries new ones.
"""

import os

from hypothesis import settings

settings.register_profile("untimed", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("untimed")
