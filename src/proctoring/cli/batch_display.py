"""What ``proctoring batch`` shows: a bar while it works on a terminal, a few lines at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bars

from proctoring.batch.results import Results
from proctoring.batch.run import Totals
from proctoring.batch.summary import CSV, PAGE


@contextmanager
def batch_bar(console: Console, listed: int) -> Iterator[Callable[[Totals], None]]:
    """A function that shows how far the batch is; nothing where the console is no terminal."""
    if not console.is_terminal:
        yield lambda _: None
        return
    bar = Bars(
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        TextColumn("{task.fields[speed]}"),
        TextColumn("{task.fields[left]}"),
        console=console,
    )
    task = bar.add_task("", total=max(listed, 1), count=f"0 of {listed}", speed="", left="")

    def show(totals: Totals) -> None:
        failed = f", {totals.failed} failed" if totals.failed else ""
        bar.update(
            task,
            completed=totals.done + totals.under_way,
            count=f"{totals.done} of {totals.listed}{failed}",
            speed=speed(totals),
            left=time_left(totals),
        )

    with bar:
        yield show


def speed(totals: Totals) -> str:
    """Recordings an hour and seconds of recording per second, once the first one is done."""
    if not totals.analysed or totals.elapsed <= 0:
        return ""
    per_hour = 3600 * (totals.analysed + totals.under_way) / totals.elapsed
    return f"{per_hour:,.0f} an hour, {totals.seconds / totals.elapsed:.1f}x real time"


def time_left(totals: Totals) -> str:
    """At the mean rate of this run so far, as if the rest were of the same length and all missing."""
    worked = totals.analysed + totals.under_way
    if worked <= 0 or totals.elapsed <= 0:
        return ""
    seconds = (totals.listed - totals.done - totals.under_way) * totals.elapsed / worked
    minutes = round(max(seconds, 0.0) / 60)
    if minutes < 1:
        return "less than a minute left"
    return f"{minutes // 60}:{minutes % 60:02} h left" if minutes >= 60 else f"{minutes} min left"


def print_totals(console: Console, totals: Totals, results: Results) -> None:
    """The last lines."""
    outcomes = results.index.outcomes()
    parts = [f"{totals.listed} recording{'' if totals.listed == 1 else 's'}"]
    parts += [f"{count} {outcome}" for outcome, count in sorted(outcomes.items())]
    if missing := totals.listed - sum(outcomes.values()):
        parts.append(f"{missing} not analysed yet")
    console.print("; ".join(parts), highlight=False)
    if rate := speed(totals):
        retried = f", {totals.retried} attempts repeated" if totals.retried else ""
        console.print(f"{totals.analysed} analysed now: {rate}{retried}", highlight=False)
    for name in (PAGE, CSV):
        console.print(str(results.folder / name), markup=False, highlight=False, soft_wrap=True)
