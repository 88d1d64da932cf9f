"""Progress bars of downloads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from proctoring.errors import ModelUnavailableError
from proctoring.models.progress import FetchProgress, Progress
from proctoring.models.store import ModelStore


@contextmanager
def fetch_bars(console: Console) -> Iterator[Progress]:
    """A progress callback that shows one bar per file; nothing is shown before the first call."""
    bars = Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
    )
    tasks: dict[str, TaskID] = {}

    def show(step: FetchProgress) -> None:
        bars.start()
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
        yield show
    finally:
        if tasks:
            bars.stop()


def fetch_with_bars(
    store: ModelStore, names: Iterable[str], console: Console
) -> dict[str, ModelUnavailableError]:
    """Fetch absent models with progress bars.

    Returns:
        The models that cannot be fetched, and why.

    Raises:
        SettingsError: the models folder cannot be written.
    """
    failures: dict[str, ModelUnavailableError] = {}
    with fetch_bars(console) as show:
        for name in names:
            try:
                store.fetch(name, show)
            except ModelUnavailableError as error:
                failures[name] = error
    return failures
