"""The server's log, on the terminal."""

from __future__ import annotations

import logging

from rich.console import Console

from proctoring.server.log_limit import OncePerSecond


class _ConsoleHandler(logging.Handler):
    """Prints log lines above a running display."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
            self._console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)
        except Exception:  # noqa: BLE001  # a log line never disturbs the program
            self.handleError(record)


def log_to(console: Console) -> None:
    """Log to this console; what the display of loading models shows is left out."""
    handler = _ConsoleHandler(console)
    handler.addFilter(OncePerSecond())
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        handlers=[handler],
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if console.is_terminal:  # the display shows what is being loaded
        logging.getLogger("proctoring.models").setLevel(logging.WARNING)
