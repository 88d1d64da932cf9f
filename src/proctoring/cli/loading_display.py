"""What the terminal shows while something is loaded: elapsed time, and bars of downloads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
)
from rich.progress import Progress as Bars
from rich.table import Column
from rich.text import Text

from proctoring.models.progress import FetchProgress, Progress

BAR_WIDTH = 16
"""Columns of a bar: description, bar and amounts fit into 80 columns."""


class _Amount(ProgressColumn):
    """Bytes of a download; seconds of an activity that has none."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = DownloadColumn()

    def render(self, task: Task) -> Text:
        if task.fields["download"]:
            return self._bytes.render(task)
        return Text(f"{task.elapsed or 0:.0f} s")


@contextmanager
def loading_display(
    console: Console, activity: str | None = None
) -> Iterator[tuple[Progress, Callable[[], None]]]:
    """Show an activity and the downloads that it causes.

    On a terminal it is a spinner with a bar for each file; elsewhere one line for each. Without an
    activity nothing is shown before the first download.

    Yields:
        The listener for downloads, and a function that ends the display early.
    """
    if not console.is_terminal:
        yield _lines(console, activity), lambda: None
        return
    bars = Bars(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, ratio=1)),
        BarColumn(bar_width=BAR_WIDTH),
        _Amount(),
        console=console,
        transient=True,
        expand=True,
    )
    tasks: dict[str, TaskID] = {}
    received: dict[str, int] = {}

    def show(step: FetchProgress) -> None:
        if not bars.live.is_started:
            bars.start()
        name = f"{step.model}/{step.file}"
        if name not in tasks:
            tasks[name] = bars.add_task(f"fetching {step.file}", total=step.total, download=True)
        received[name] = step.received
        bars.update(tasks[name], completed=step.received, total=step.total)

    def end() -> None:
        bars.stop()
        if received:
            console.print(_summary(received), highlight=False)
            received.clear()

    if activity is not None:
        bars.add_task(activity, total=None, download=False)
        bars.start()
    try:
        yield show, end
    finally:
        end()


def _summary(received: dict[str, int]) -> str:
    files = f"{len(received)} file{'' if len(received) == 1 else 's'}"
    return f"fetched {files}, {sum(received.values()) / 1e6:.1f} MB"


def _lines(console: Console, activity: str | None) -> Progress:
    shown: set[str] = set()

    def show(step: FetchProgress) -> None:
        name = f"{step.model}/{step.file}"
        if name not in shown:
            shown.add(name)
            console.print(
                f"fetching {name} from {step.source}", markup=False, highlight=False, soft_wrap=True
            )

    if activity is not None:
        console.print(f"{activity} ...", markup=False, highlight=False)
    return show
