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
        _exit(_INTERRUPTED)
    except SystemExit as ended:
        _exit(ended.code)


def _exit(status: str | int | None) -> None:
    """End the process. Where networks were loaded, without the interpreter taking native libraries apart: that
    costs a second, and crashes if a network is being loaded on another thread."""
    if "openvino" not in sys.modules:
        sys.exit(status)
    from proctoring.cli.exits import leave

    leave(status)


if __name__ == "__main__":
    main()
