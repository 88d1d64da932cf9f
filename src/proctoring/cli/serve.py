"""``proctoring serve``: fetch the models, then serve until stopped."""

from __future__ import annotations

import logging
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from proctoring.cli.exits import fail
from proctoring.errors import ProctoringError
from proctoring.settings import read_settings


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
    # Large imports come last, so that mistakes in the settings show at once.
    from proctoring.server.port import address_of, open_port

    console = Console(stderr=True)
    try:
        settings = read_settings(
            host=host, port=port, workers=workers, default_policy=policy, insecure=insecure
        )
        with open_port(settings) as listener:
            from proctoring.cli.access import ACCESS
            from proctoring.cli.fetching import fetch_with_bars
            from proctoring.models.store import ModelStore
            from proctoring.server.serve import serve
            from proctoring.server.service import Service
            from proctoring.session.loaded_models import needed_models

            service = Service(settings)
            _log_to_stderr()
            store = ModelStore(settings.models_folder, settings.models_mirror)
            wanted = needed_models(
                settings.object_model, service.default_policy.transcription.engine
            )
            for error in fetch_with_bars(store, wanted, console).values():
                console.print(f"[yellow]off:[/yellow] {escape(error.detail)}")
            address = address_of(listener)
            console.print(escape(ACCESS[service.access]))
            serve(service, listener, lambda: console.print(f"Serving at [bold]{address}[/bold]"))
    except ProctoringError as error:
        fail(error)


def _log_to_stderr() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
