"""Entry point of the ``proctoring`` command, and of ``python -m proctoring``.

Imports nothing at module level, so that Ctrl-C during the first imports ends the command quietly, too.
"""

from __future__ import annotations

import sys

_INTERRUPTED = 130
"""Exit status of shells for a command that SIGINT ended."""


def main() -> None:
    """Run the command line."""
    try:
        from proctoring.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
