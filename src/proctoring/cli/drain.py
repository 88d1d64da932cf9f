"""``proctoring drain``: have a running server hand its sessions to others, and stop."""

from __future__ import annotations

import os
import time
from typing import Annotated

import typer

from proctoring.cli.exits import fail

PERIOD = 0.5
"""Seconds between two looks at what is left."""


def command(
    server: Annotated[
        str,
        typer.Option(envvar="PROCTORING_URL", help="The server's own address, not a balancer's."),
    ] = "http://127.0.0.1:8000",
    wait: Annotated[bool, typer.Option(help="Wait until the server has stopped.")] = True,
) -> None:
    """Let no session begin, let the open ones go on at other servers, and stop the server.

    As SIGTERM to its process. Where there are no others, sessions wait for the next process, or end if nothing
    is recorded.
    PROCTORING_TOKEN: a token with the scope admin, where tokens are used.
    """
    import httpx

    address = server.replace("ws", "http", 1) if server.startswith("ws") else server
    token = os.environ.get("PROCTORING_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with httpx.Client(base_url=address.rstrip("/"), headers=headers, timeout=30) as client:
        try:
            answer = client.post("/api/drain")
            told = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            fail(f"no answer from {address}: {error!r}")
        if answer.is_error:
            fail(told.get("error", {}).get("detail", f"HTTP status {answer.status_code}"))
        typer.echo(f"the server is stopping; open sessions: {told['sessions']}")
        left = None
        while wait:
            time.sleep(PERIOD)
            try:
                found = client.get("/api/health").json().get("sessions")
            except (httpx.HTTPError, ValueError):
                typer.echo("the server has stopped")
                return
            if found != left and found is not None:
                left = found
                typer.echo(f"open sessions: {left}")
