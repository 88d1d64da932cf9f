"""``proctoring analyse``: a recorded video through the same pipeline as live sessions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from proctoring.errors import ProctoringError


def command(
    file: Annotated[Path, typer.Argument(help="A video file, of any kind that FFmpeg reads.")],
    policy: Annotated[str | None, typer.Option(help="A shipped policy or a file [exam].")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the report here, as JSON.")
    ] = None,
    annotated: Annotated[
        Path | None, typer.Option(help="Write an MP4 of the analysed frames, drawn on, here.")
    ] = None,
    mirrored: Annotated[
        bool, typer.Option("--mirrored", help="The pictures are mirrored.")
    ] = False,
) -> None:
    """Analyse a recorded video: the incidents that a live session would have had."""
    # What analyses is imported when it analyses: see the package.
    from proctoring.cli.analysis import analyse

    try:
        complete = analyse(file, policy, json_file, annotated, mirrored=mirrored)
    except ProctoringError as error:
        typer.echo(f"error: {error.detail}", err=True)
        raise typer.Exit(2) from error
    if not complete:
        raise typer.Exit(2)
