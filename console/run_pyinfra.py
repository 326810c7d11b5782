"""pyinfra as the console starts it: Ctrl-C ends with 130, in words, from the first moment.

By itself it ends with 0 before a deploy is loaded, and with a traceback before it listens.
"""

import os
import signal

signal.signal(signal.SIGINT, lambda *_: os._exit(130))

from pyinfra_cli import main as module  # noqa: E402

from tasks.run.pyinfra.usage import end_with_130_on_interrupt  # noqa: E402


def main() -> None:
    """Run pyinfra; its own answer to Ctrl-C, which it sets first, gives way to ours."""
    command = module.cli

    def cli() -> None:
        end_with_130_on_interrupt()
        command()

    module.cli = cli
    module.main()


if __name__ == "__main__":
    main()
