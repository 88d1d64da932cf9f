"""Fetching models with progress bars."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from proctoring.errors import ModelUnavailableError
from proctoring.models.progress import FetchProgress
from proctoring.models.store import ModelStore


def fetch_with_bars(
    store: ModelStore, names: Iterable[str], console: Console
) -> dict[str, ModelUnavailableError]:
    """Fetch what is absent, a bar per file; shows nothing where nothing is.

    Returns:
        The models that cannot be had, and why.

    Raises:
        SettingsError: the models folder cannot be written.
    """
    failures: dict[str, ModelUnavailableError] = {}
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
    )
    tasks: dict[str, TaskID] = {}

    def show(step: FetchProgress) -> None:
        bars.start()  # not before there is something to show
        name = f"{step.model}/{step.file}"
        if name not in tasks:
            tasks[name] = bars.add_task(name, total=step.total)
        bars.update(
            tasks[name],
            completed=step.received,
            total=step.total,
            description=f"{name} from {step.source}",
        )

    try:
        for name in names:
            try:
                store.fetch(name, show)
            except ModelUnavailableError as error:
                failures[name] = error
    finally:
        if tasks:
            bars.stop()
    return failures
