"""``proctoring batch``: many recordings, analysed by worker processes."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proctoring.cli.exits import fail
from proctoring.errors import ProctoringError

if TYPE_CHECKING:
    from rich.console import Console

    from proctoring.batch.options import Options
    from proctoring.batch.results import Results
    from proctoring.batch.workers import Workers
    from proctoring.settings import Settings

_INTERRUPTED = 130


def command(
    recordings: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            help="A folder, a file with one path a line (-: standard input), or s3://bucket/prefix.",
        ),
    ],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="A folder for the results.")],
    policy: Annotated[str | None, typer.Option(help="A shipped policy or a file [exam].")] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, max=10_000, help="Processes at a time, each with one core [all cores]."
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Recordings to analyse now, at most [all].")
    ] = None,
    retries: Annotated[
        int,
        typer.Option(
            min=0,
            max=100,
            help="How often a recording is tried again whose analysis was cut short.",
        ),
    ] = 2,
    mirrored: Annotated[bool, typer.Option("--mirrored", help="The frames are mirrored.")] = False,
    every_frame: Annotated[
        bool,
        typer.Option(
            "--every-frame", help="Measure faces in every frame, changed or not: slower, to check."
        ),
    ] = False,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Work in this Ray cluster, 'auto' or 'local' (needs proctoring-ai[ray]).",
        ),
    ] = None,
) -> None:
    """Analyse many recordings, each as `analyse` would. What OUT holds already is not done again.

    Exits 0 when every recording was analysed to its end, 1 when the summary lists some that were not,
    2 when the batch could not be run, 130 when it was interrupted. The same command resumes it.
    """
    from rich.console import Console

    from proctoring.batch.results import Results
    from proctoring.settings import read_settings

    console = Console(stderr=True)
    try:
        settings = read_settings()
        options = _options(settings, policy, mirrored, every_frame)
        output.mkdir(parents=True, exist_ok=True)
        with Results(output, options) as results:
            whole = _run(console, settings, results, recordings, ray, workers, limit, retries)
    except ProctoringError as error:
        fail(error)
    except (OSError, sqlite3.Error) as error:
        fail(f"{output}: {error}")
    if not whole:
        raise typer.Exit(1)


def _options(settings: Settings, policy: str | None, mirrored: bool, every_frame: bool) -> Options:
    from proctoring.batch.options import Options
    from proctoring.judgement.policy import read_policies

    return Options(
        policy=read_policies(settings.policies).load(policy or settings.default_policy),
        mirrored=mirrored,
        every_frame=every_frame or settings.every_frame,
        object_model=settings.object_model,
    )


def _run(
    console: Console,
    settings: Settings,
    results: Results,
    recordings: str,
    ray: str | None,
    limit_workers: int | None,
    limit: int | None,
    retries: int,
) -> bool:
    """Run the batch and write its summary; whether all is analysed to its end."""
    from rich.console import Console

    from proctoring.batch.run import Run
    from proctoring.batch.sources import find_sources
    from proctoring.batch.summary import write_summary
    from proctoring.cli.batch_display import batch_bar, print_totals

    listed = results.index.list(find_sources(recordings, results.folder))

    def failure(name: str, reason: str) -> None:
        console.print(f"{name}: {reason}", markup=False, highlight=False, soft_wrap=True)

    workers = _workers(console, settings, results.options, ray, limit_workers)
    run = Run(results, workers, listed, retries=retries, limit=limit, failure=failure)
    try:
        with batch_bar(console, listed) as progress:
            run.run(progress)
    except KeyboardInterrupt:
        workers.close()
        console.print("interrupted: the same command goes on where it was")
        write_summary(results, listed)
        print_totals(Console(), run.totals, results)
        raise typer.Exit(_INTERRUPTED) from None
    finally:
        workers.close()
    write_summary(results, listed)
    print_totals(Console(), run.totals, results)
    outcomes = results.index.outcomes()
    return not outcomes.get("failed") and not outcomes.get("incomplete")


def _workers(
    console: Console, settings: Settings, options: Options, ray: str | None, limit: int | None
) -> Workers:
    from proctoring.batch.processes import LocalProcesses
    from proctoring.cli.fetching import fetch_with_bars
    from proctoring.models.runtime import available_cores
    from proctoring.models.store import ModelStore
    from proctoring.session.loaded_models import needed_models

    if ray is not None:
        from proctoring.batch.ray_actors import RayActors

        return RayActors(options, ray, limit)
    # Before the workers start, which would otherwise all fetch the same.
    store = ModelStore(settings.models_folder, settings.models_mirror)
    fetch_with_bars(
        store, needed_models(settings.object_model, options.policy.transcription.engine), console
    )
    return LocalProcesses(options, limit or available_cores())
