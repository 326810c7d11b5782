"""The console, whose runs of pyinfra keep the host's lock in a test's own folder (pyinfra_here).

It starts them by `sys.executable`, and here that is a small script: so no module of the product has
to be known. Run by its path, in the root of the product.
"""

import os
import runpy
import sys

# The script that stands in for Python.
PYTHON = "RECORDED_PYTHON"

if __name__ == "__main__":
    sys.executable = os.environ[PYTHON]
    sys.argv[0] = "main.py"
    runpy.run_path("main.py", run_name="__main__")
