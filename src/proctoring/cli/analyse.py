"""``proctoring analyse``: a recorded video, or audio alone, analysed as a live session would be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

import proctoring
from proctoring.cli.exits import fail
from proctoring.errors import ProctoringError, SettingsError


def command(
    file: Annotated[
        Path, typer.Argument(help="A video or audio file of any format that FFmpeg reads.")
    ],
    policy: Annotated[str | None, typer.Option(help="A shipped policy or a file [exam].")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the report here, as JSON.")
    ] = None,
    annotated: Annotated[
        Path | None,
        typer.Option(help="Write an MP4 of the analysed frames here, the results drawn on them."),
    ] = None,
    mirrored: Annotated[bool, typer.Option("--mirrored", help="The frames are mirrored.")] = False,
    photo: Annotated[
        Path | None,
        typer.Option(help="A JPEG or PNG of the candidate, with which faces are compared."),
    ] = None,
    voice: Annotated[
        Path | None,
        typer.Option(
            help="A recording of the candidate speaking alone (WAV, FLAC, Ogg or WebM), by which "
            "the candidate's voice is known from the start."
        ),
    ] = None,
    speakers: Annotated[
        Literal["local", "pyannote"],
        typer.Option(
            help="What tells speakers apart: the networks of live sessions, or the original "
            "pipeline over the whole recording (needs proctoring-ai[pyannote])."
        ),
    ] = "local",
    every_frame: Annotated[
        bool,
        typer.Option(
            "--every-frame", help="Measure faces in every frame, changed or not: slower, to check."
        ),
    ] = False,
) -> None:
    """Analyse a recording: the incidents that a live session of it would have had.

    Exits 2 when the recording cannot be read to its end.
    """
    from rich.console import Console

    from proctoring.cli.analysis_output import print_report, progress_bars
    from proctoring.recording.files import check_output

    try:
        if json_file is not None:
            check_output(json_file, file)
        with progress_bars(Console(stderr=True), file.name) as (fetch_progress, progress):
            report = proctoring.analyse(
                file,
                policy=policy,
                mirrored=mirrored,
                reference_photo=photo,
                reference_voice=voice,
                annotated=annotated,
                speakers=speakers,
                every_frame=every_frame,
                progress=progress,
                fetch_progress=fetch_progress,
            )
        if json_file is not None:
            _write(json_file, json.dumps(report.to_json(), indent=2) + "\n")
    except ProctoringError as error:
        fail(error)
    print_report(report, Console())
    if not report.complete:
        fail(report.problem)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror or error}") from error
