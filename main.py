"""The console: `python main.py --help`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

try:
    from console.cli import main

    if __name__ == "__main__":
        main()
except KeyboardInterrupt:
    sys.exit(130)
