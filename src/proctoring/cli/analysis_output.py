"""What ``proctoring analyse`` shows: progress while it works, a table at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table

from proctoring.cli.loading_display import loading_display
from proctoring.incidents import Severity
from proctoring.models.progress import Progress
from proctoring.recording.report import Report
from proctoring.recording.run import AnalysisProgress

_STYLES = {Severity.INFO: "blue", Severity.WARNING: "yellow", Severity.VIOLATION: "red"}


@contextmanager
def progress_bars(console: Console, name: str) -> Iterator[tuple[Progress, AnalysisProgress]]:
    """Two callbacks: bars of downloads, then one of the analysis of ``name``."""
    bar = Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
        console=console,
    )
    task = bar.add_task(name, total=None, speed="")
    with ExitStack() as downloads:
        fetch_progress, _ = downloads.enter_context(loading_display(console, "loading models"))
        began = 0.0

        def show(done: float, total: float | None) -> None:
            nonlocal began
            if not began:
                downloads.close()  # a console has one live display at a time
                began = time.perf_counter()
                bar.start()
            elapsed = time.perf_counter() - began
            speed = f"{done / elapsed:.1f}x" if elapsed > 1 else ""
            bar.update(task, completed=done, total=total, speed=speed)

        try:
            yield fetch_progress, show
        finally:
            if began:
                bar.stop()


def print_report(report: Report, console: Console) -> None:
    """Print what was found as lines and a table."""
    for capability in report.capabilities:
        if not capability.available:
            console.print(f"off: {capability.name} ({capability.reason})", markup=False)
    if report.enrolment.ready_at is not None:
        console.print(f"ready after {report.enrolment.ready_at:.1f} s")
    elif report.enrolment.state == "calibrating":
        missing = " ".join(requirement.text for requirement in report.enrolment.missing)
        console.print(f"never ready to be judged. {missing}", markup=False)
    if report.incidents:
        console.print(_table(report))
    else:
        console.print("no incidents")
    speed = report.speed
    console.print(
        f"{speed.duration:.1f} s of recording in {speed.elapsed:.1f} s ({speed.cpu:.1f} s of CPU):"
        f" {speed.times_real_time:.1f} times real time"
    )
    if report.audio is not None:
        audio = report.audio
        voices = f"{len(audio.voices)} voice{'' if len(audio.voices) == 1 else 's'}"
        console.print(
            f"{audio.seconds:.1f} s of audio, {audio.speech_seconds:.1f} s of speech, {voices}"
        )
    for utterance in report.transcript:
        line = f"{_clock(utterance.start)}  {utterance.text}"
        console.print(line, markup=False, highlight=False)


def _table(report: Report) -> Table:
    table = Table("from", "to", "incident", "severity", "reason", box=None)
    for incident in report.incidents:
        table.add_row(
            _clock(incident.started_at),
            _clock(incident.ended_at),
            escape(incident.label),
            f"[{_STYLES[incident.severity]}]{incident.severity}[/]",
            escape(incident.reason) + ("" if incident.alerted else " (recorded without alert)"),
        )
    return table


def _clock(seconds: float) -> str:
    """ "1:02:03.4", and "2:03.4" within the first hour."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
