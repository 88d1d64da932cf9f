"""``proctoring livekit-agent``: proctor the rooms of a LiveKit server."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from proctoring.cli.exits import fail
from proctoring.errors import SettingsError

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Proctor the candidates in LiveKit rooms."
)

_LiveKit = Annotated[
    str, typer.Option(envvar="LIVEKIT_URL", help="The LiveKit server, ws:// or wss://.")
]
_Key = Annotated[str, typer.Option(envvar="LIVEKIT_API_KEY", help="Its API key.")]
_Secret = Annotated[str, typer.Option(envvar="LIVEKIT_API_SECRET", help="Its API secret.")]
_Server = Annotated[
    str | None,
    typer.Option(
        "--url", envvar="PROCTORING_URL", help="The proctoring server.", show_default=False
    ),
]
_Name = Annotated[
    str,
    typer.Option(
        envvar="LIVEKIT_AGENT_NAME",
        help="Join rooms that dispatch this name; without it, every room.",
    ),
]
_Candidates = Annotated[
    str | None,
    typer.Option(
        envvar="PROCTORING_LIVEKIT_CANDIDATES",
        help="Participants who are proctored: attribute:KEY=VALUE, metadata:KEY=VALUE, identity:PATTERN, everyone.",
    ),
]
_Proctors = Annotated[
    str | None,
    typer.Option(
        envvar="PROCTORING_LIVEKIT_PROCTORS", help="Participants who receive alerts; as above."
    ),
]
_Policy = Annotated[
    str | None, typer.Option(envvar="PROCTORING_LIVEKIT_POLICY", help="The policy to judge by.")
]
_Host = Annotated[
    str,
    typer.Option(
        help="Address of the worker's health check: this machine only; 0.0.0.0: for other machines, too."
    ),
]
_Port = Annotated[int, typer.Option(help="Port of the worker's health check; 0: any.")]
_Load = Annotated[
    float,
    typer.Option(
        help="CPU load of this machine, 0 to 1, above which rooms are declined; above 1: never."
    ),
]
_Drain = Annotated[
    int, typer.Option(help="Seconds in which running rooms may finish after SIGTERM.")
]


_Watch = Annotated[
    bool | None,
    typer.Option(
        "--watch/--no-watch",
        envvar="PROCTORING_LIVEKIT_WATCH",
        help="Dispatch the agent again to rooms with candidates that have none [on].",
        show_default=False,
    ),
]


@app.command()
def start(
    livekit_url: _LiveKit = "",
    api_key: _Key = "",
    api_secret: _Secret = "",
    url: _Server = None,
    agent_name: _Name = "",
    candidates: _Candidates = None,
    proctors: _Proctors = None,
    policy: _Policy = None,
    host: _Host = "127.0.0.1",
    port: _Port = 8081,
    load_threshold: _Load = 0.7,
    drain_timeout: _Drain = 3600,
    watch: _Watch = None,
) -> None:
    """Run the agent. SIGTERM lets running rooms finish."""
    _environment(url, candidates, proctors, policy)
    _serve(
        livekit_url, api_key, api_secret, agent_name, development=False,
        watch=watch is not False,
        host=host, port=port, load_threshold=load_threshold, drain_timeout=drain_timeout,
    )  # fmt: skip


@app.command()
def dev(
    livekit_url: _LiveKit = "ws://127.0.0.1:7880",
    api_key: _Key = "devkey",
    api_secret: _Secret = "secret",  # noqa: S107 - the published default of `livekit-server --dev`
    url: _Server = None,
    agent_name: _Name = "",
    candidates: _Candidates = None,
    proctors: _Proctors = None,
    policy: _Policy = None,
    host: _Host = "127.0.0.1",
    port: _Port = 0,
    watch: _Watch = None,
) -> None:
    """Run the agent against a local `livekit-server --dev`: no drain, debug log, no room declined."""
    _environment(url, candidates, proctors, policy)
    _serve(
        livekit_url, api_key, api_secret, agent_name, development=True, watch=watch is not False,
        host=host, port=port, load_threshold=2.0,
    )  # fmt: skip


def _environment(
    url: str | None, candidates: str | None, proctors: str | None, policy: str | None
) -> None:
    """Pass options to job processes, which read their settings from the environment."""
    for name, value in (
        ("PROCTORING_URL", url),
        ("PROCTORING_LIVEKIT_CANDIDATES", candidates),
        ("PROCTORING_LIVEKIT_PROCTORS", proctors),
        ("PROCTORING_LIVEKIT_POLICY", policy),
    ):
        if value:
            os.environ[name] = value


def _serve(
    livekit_url: str,
    api_key: str,
    api_secret: str,
    agent_name: str,
    *,
    development: bool,
    watch: bool,
    **options: float | str,
) -> None:
    import asyncio
    import logging

    from proctoring.livekit import agent
    from proctoring.livekit.address import server_address

    for what, value in (
        ("--livekit-url or LIVEKIT_URL", livekit_url),
        ("--api-key or LIVEKIT_API_KEY", api_key),
        ("--api-secret or LIVEKIT_API_SECRET", api_secret),
    ):
        if not value:
            fail(f"{what} is missing")
    try:
        agent.check_settings()
        server_address()
    except SettingsError as error:
        fail(error)
    logging.basicConfig(
        level=logging.DEBUG if development else logging.INFO,
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
    )
    for noisy in ("aiohttp.access", "asyncio", "httpx", "httpcore", "websockets"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    server = agent.create_server(
        agent_name,
        ws_url=livekit_url,
        api_key=api_key,
        api_secret=api_secret,
        **options,
    )
    watched = agent_name if watch else None
    asyncio.run(agent.serve(server, development=development, watched=watched))
