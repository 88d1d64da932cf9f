"""``proctoring models``: fetch, list, verify and import weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proctoring.cli.exits import fail
from proctoring.errors import ProctoringError

if TYPE_CHECKING:
    from proctoring.models.store import ModelStore
    from proctoring.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Fetch, list, verify and import the weights of the networks.",
)

Folder = Annotated[
    Path | None, typer.Option("--folder", help="The models folder (PROCTORING_MODELS_FOLDER).")
]
Mirror = Annotated[
    Path | None,
    typer.Option("--mirror", help="A folder tried before every other source."),
]


@app.command()
def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(help="Models to fetch; by default all that are used.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Also optional models.")] = False,
    folder: Folder = None,
    mirror: Mirror = None,
) -> None:
    """Fetch absent models and verify them. Exits 1 if one cannot be fetched."""
    from rich.console import Console

    from proctoring.cli.fetching import fetch_with_bars

    store = _store(folder, mirror)
    if not names:
        names = [
            status.model.name
            for status in store.statuses()
            if every or status.model.default or status.model.name == _settings().object_model
        ]
    try:
        failures = fetch_with_bars(store, names, Console(stderr=True))
    except ProctoringError as error:
        fail(error, 1)
    for name in names:
        if name not in failures:
            typer.echo(f"{name}: verified")
    for failure in failures.values():
        typer.echo(f"error: {failure.detail}", err=True)
    if failures:
        raise typer.Exit(1)


@app.command("list")
def list_models(
    *,
    sources: Annotated[bool, typer.Option("--sources", help="Also their sources.")] = False,
    folder: Folder = None,
) -> None:
    """List the models with their capability, state, version and licence."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("name", "for", "state", "version", "licence", "MB", box=None)
    table.columns[0].no_wrap = True
    for status in _store(folder, None).statuses():
        model = status.model
        megabytes = sum(file.size for file in model.files) / 1e6
        table.add_row(
            escape(model.name),
            model.capability,
            status.state,
            escape(model.version),
            escape(model.licence),
            f"{megabytes:.1f}",
        )
        if sources:
            for source in sorted({str(s) for file in model.files for s in file.sources}):
                table.add_row(escape(f"  {source}"))
    Console().print(table)


@app.command()
def verify(*, folder: Folder = None) -> None:
    """Verify the digests of all models that are present. Exits 1 if one does not match."""
    statuses = _store(folder, None).statuses()
    for status in statuses:
        reason = f"  {status.reason}" if status.state == "damaged" else ""
        typer.echo(f"{status.state:8} {status.model.name}{reason}")
    if any(status.state == "damaged" for status in statuses):
        raise typer.Exit(1)


@app.command("import")
def import_model(
    source: Annotated[
        Path,
        typer.Argument(help="An ONNX file, an OpenVINO .xml, or the folder of an export."),
    ],
    name: Annotated[str, typer.Option("--name", help="Its name in the settings.")],
    *,
    classes: Annotated[
        str,
        typer.Option(
            help="Its classes in order, separated by commas, if the file does not name them."
        ),
    ] = "",
    licence: Annotated[
        str, typer.Option(help="Licence of the weights, for the record.")
    ] = "as its owner says",
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace an imported model of that name.")
    ] = False,
    folder: Folder = None,
) -> None:
    """Import a YOLO11 or YOLOX detector for PROCTORING_OBJECT_MODEL."""
    from proctoring.models.imported import import_detector

    try:
        model = import_detector(
            folder or _settings().models_folder,
            source,
            name,
            classes=tuple(word for word in classes.split(",") if word.strip()),
            licence=licence,
            replace=replace,
        )
    except ProctoringError as error:
        fail(error, 1)
    typer.echo(
        f"{model.name}: {model.family}, {model.version}, {len(model.classes)} classes; "
        f"use it with PROCTORING_OBJECT_MODEL={model.name}"
    )


def _store(folder: Path | None, mirror: Path | None) -> ModelStore:
    from proctoring.models.store import ModelStore

    settings = _settings()
    return ModelStore(folder or settings.models_folder, mirror or settings.models_mirror)


def _settings() -> Settings:
    from proctoring.settings import read_settings

    try:
        return read_settings()
    except ProctoringError as error:
        fail(error, 1)
