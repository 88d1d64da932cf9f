"""``proctoring serve``: serve until stopped; models are fetched and loaded beside it."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from proctoring.cli.exits import fail
from proctoring.errors import ProctoringError

if TYPE_CHECKING:
    import socket

    from rich.console import Console

    from proctoring.settings import Settings


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
    from rich.console import Console
    from rich.markup import escape

    from proctoring.cli.access import ACCESS
    from proctoring.server.access import access_mode
    from proctoring.server.port import address_of, open_port
    from proctoring.settings import read_settings

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


def _serve(settings: Settings, listener: socket.socket, console: Console) -> None:
    """Import, load and serve until stopped, with a display of what is being loaded.

    Raises:
        SettingsError: the default policy, the database or a folder cannot be used.
    """
    from proctoring.cli.console_log import log_to
    from proctoring.cli.loading_display import loading_display

    began = time.monotonic()
    # OpenVINO imports its converter of models unless it is missing: 60 modules and a library, 8 MiB.
    sys.modules.setdefault("openvino.tools.ovc", None)  # type: ignore[arg-type]
    with loading_display(console, "loading models") as (progress, end_display):
        from proctoring.models.runtime import available_cores
        from proctoring.server.heap import limit_arenas
        from proctoring.server.model_loading import ModelLoading

        limit_arenas(max(2, available_cores()))

        loading = ModelLoading(settings, progress)
        loading.store.create_folder()
        log_to(console)
        # Beside the imports that follow. Their own imports come first: two threads that import
        # modules of one package may see it half imported.
        loading.start()
        from proctoring.server.serve import serve
        from proctoring.server.service import Service
        from proctoring.server.status import Status

        def loading_ended() -> None:
            end_display()
            if service.status in (Status.OK, Status.DEGRADED):
                console.print(f"Ready after {time.monotonic() - began:.1f} s.", highlight=False)

        service = Service(settings, loading=loading, loading_ended=loading_ended)
        serve(service, listener)
