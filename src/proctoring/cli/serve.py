"""``proctoring serve``: serve until stopped; models are fetched and loaded beside it."""

from __future__ import annotations

import logging
import socket
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from proctoring.cli.access import ACCESS
from proctoring.cli.exits import fail, leave
from proctoring.errors import ProctoringError
from proctoring.server.access import access_mode
from proctoring.server.log_limit import OncePerSecond
from proctoring.server.status import Status
from proctoring.settings import Settings, read_settings


def command(
    host: Annotated[str | None, typer.Option(help="Address to serve on [127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to serve on [8000].")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Threads for analysis [one per core].")
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(help="Policy of sessions that begin with their first socket [exam]."),
    ] = None,
    insecure: Annotated[
        bool | None,
        typer.Option("--insecure", help="Serve other machines without authentication."),
    ] = None,
) -> None:
    """Serve on port 8000: sockets for video and events, the REST interface, the page.

    Everything else is set by PROCTORING_* variables.
    """
    # Large imports come last: mistakes in the settings, and the address, show at once.
    from proctoring.server.port import address_of, open_port

    console = Console(stderr=True)
    try:
        settings = read_settings(
            host=host, port=port, workers=workers, default_policy=policy, insecure=insecure
        )
        with open_port(settings) as listener:
            console.print(f"Serving at [bold]{escape(address_of(listener))}[/bold]")
            console.print(escape(ACCESS[access_mode(settings)]), highlight=False)
            _serve(settings, listener, console)
    except ProctoringError as error:
        fail(error)
    leave()


def _serve(settings: Settings, listener: socket.socket, console: Console) -> None:
    """Import, load and serve until stopped, with a display of what is being loaded.

    Raises:
        SettingsError: the default policy, the database or a folder cannot be used.
    """
    from proctoring.cli.loading_display import loading_display

    began = time.monotonic()
    with loading_display(console, "loading models") as (progress, end_display):
        from proctoring.models.store import ModelStore
        from proctoring.server.serve import serve
        from proctoring.server.service import Service

        def loading_ended() -> None:
            end_display()
            if service.status in (Status.OK, Status.DEGRADED):
                console.print(f"Ready after {time.monotonic() - began:.1f} s.", highlight=False)

        ModelStore(settings.models_folder, settings.models_mirror).create_folder()
        service = Service(settings, fetch_progress=progress, loading_ended=loading_ended)
        _log_to(console)
        serve(service, listener)


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


def _log_to(console: Console) -> None:
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        handlers=[_ConsoleHandler(console)],
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(OncePerSecond())
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if console.is_terminal:  # the display shows what is being loaded
        logging.getLogger("proctoring.models").setLevel(logging.WARNING)
