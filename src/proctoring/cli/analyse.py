"""``proctoring analyse``: a recorded video, or sound alone, through the same pipeline as live sessions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from proctoring.errors import ProctoringError


def command(
    file: Annotated[
        Path, typer.Argument(help="A video or sound file, of any kind that FFmpeg reads.")
    ],
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
    photo: Annotated[
        Path | None,
        typer.Option(
            help="A JPEG or PNG of the candidate, with whom whoever sits there is compared."
        ),
    ] = None,
    voice: Annotated[
        Path | None,
        typer.Option(
            help="A recording of the candidate speaking alone (WAV, FLAC, Ogg or WebM), from which "
            "their voice is known."
        ),
    ] = None,
    speakers: Annotated[
        str,
        typer.Option(
            help="Who tells voices apart: 'local' as live sessions do, or 'pyannote', the original "
            "pipeline over the whole recording (needs proctoring-ai[pyannote])."
        ),
    ] = "local",
) -> None:
    """Analyse a recording, pictures and sound: the incidents that a live session would have had."""
    # What analyses is imported when it analyses: see the package.
    from proctoring.cli.analysis import Speakers, analyse

    if speakers not in tuple(Speakers):
        raise typer.BadParameter(f"{speakers!r} is neither local nor pyannote")
    try:
        complete = analyse(
            file,
            policy,
            json_file,
            annotated,
            mirrored=mirrored,
            photo=photo,
            voice=voice,
            speakers=Speakers(speakers),
        )
    except ProctoringError as error:
        typer.echo(f"error: {error.detail}", err=True)
        raise typer.Exit(2) from error
    if not complete:
        raise typer.Exit(2)
