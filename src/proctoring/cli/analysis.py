"""What ``proctoring analyse`` does: progress while it works, a table at the end."""

from __future__ import annotations

import json
import os
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from proctoring.capabilities import Capability
from proctoring.cli.fetching import fetch_with_bars
from proctoring.errors import BadFrameError, ModelUnavailableError, SettingsError
from proctoring.incidents import IncidentChange, Severity
from proctoring.judgement import load_policy
from proctoring.models.store import ModelStore
from proctoring.recording.drawing import Drawer
from proctoring.recording.playback import play
from proctoring.recording.report import RecordedIncident, Speed, as_json, collect
from proctoring.recording.writer import VideoWriter
from proctoring.session.pipeline import Pipeline
from proctoring.settings import Settings, read_settings
from proctoring.vision.analyser import (
    VisionAnalyser,
    VisionModels,
    load_vision_models,
    needed_models,
)
from proctoring.vision.recording import declared_duration

_STYLES = {Severity.INFO: "blue", Severity.WARNING: "yellow", Severity.VIOLATION: "red"}


def analyse(
    file: Path,
    policy_name: str | None,
    json_file: Path | None,
    annotated: Path | None,
    *,
    mirrored: bool,
) -> bool:
    """Analyse a recording, print what was found, write the files that are asked for.

    Returns:
        Whether the recording could be read to its end.

    Raises:
        ProctoringError: nothing could be analysed.
    """
    errors = Console(stderr=True)
    settings = read_settings()
    policy = load_policy(policy_name or settings.default_policy)
    duration = declared_duration(file)
    for output in (json_file, annotated):
        _refuse_unwritable(output, file)
    models = _load_models(settings, errors)
    refuse_blindness(models.capabilities)
    pipeline = Pipeline(policy, VisionAnalyser(models, mirrored=mirrored))
    played = _play(file, duration, pipeline, annotated, errors, mirrored=mirrored)
    incidents = collect(played.changes)
    report = as_json(
        file.name, policy, models.capabilities, incidents, played.speed, played.problem
    )
    if json_file is not None:
        _write(json_file, json.dumps(report, indent=2) + "\n")
    _print(incidents, models.capabilities, played.speed)
    if played.problem:
        typer.echo(f"error: {played.problem}", err=True)
    return not played.problem


@dataclass(frozen=True, slots=True)
class _Played:
    changes: tuple[IncidentChange, ...]
    speed: Speed
    problem: str


def _play(
    file: Path,
    duration: float | None,
    pipeline: Pipeline,
    annotated: Path | None,
    errors: Console,
    *,
    mirrored: bool,
) -> _Played:
    changes: list[IncidentChange] = []
    last, pictures, analysed, problem = 0.0, 0, 0, ""
    drawer = Drawer(mirrored=mirrored)
    began, cpu_began = time.perf_counter(), time.process_time()
    with _progress(errors) as bar, VideoWriter(annotated) if annotated else nullcontext() as writer:
        task = bar.add_task(file.name, total=duration, speed="")
        try:
            for moment in play(file, pipeline):
                changes += moment.changes
                last, pictures = moment.frame.time, moment.pictures
                analysed += 1
                if writer is not None:
                    drawn = drawer.draw(moment.frame, moment.analysis, moment.changes)
                    writer.write(last, drawn)
                _advance(bar, task, last, time.perf_counter() - began)
        except BadFrameError as error:
            if not analysed:
                raise
            problem = error.detail
        bar.update(task, completed=duration or last, total=duration or last)
    changes += pipeline.finish(last)
    elapsed, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    speed = Speed(last, elapsed, cpu, pictures, analysed)
    return _Played(tuple(changes), speed, problem)


def _load_models(settings: Settings, errors: Console) -> VisionModels:
    store = ModelStore(settings.models_folder, settings.models_mirror)
    fetch_with_bars(store, needed_models(settings.object_model), errors)
    return load_vision_models(store, object_model=settings.object_model)


def refuse_blindness(capabilities: tuple[Capability, ...]) -> None:
    """What nobody looked at must not be reported as free of incidents.

    Raises:
        ModelUnavailableError: every capability is off.
    """
    if not any(capability.available for capability in capabilities):
        reasons = dict.fromkeys(capability.reason for capability in capabilities)
        raise ModelUnavailableError(f"nothing to look with: {'; '.join(reasons)}")


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror or error}") from error


def _refuse_unwritable(output: Path | None, file: Path) -> None:
    """Say so now, not after the work.

    Raises:
        SettingsError: nothing can be written there, or it would overwrite the recording.
    """
    if output is None:
        return
    if output.exists() and output.samefile(file):
        raise SettingsError(f"{output}: would overwrite the recording")
    folder = output.parent
    if output.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise SettingsError(f"{output}: cannot be written")


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
        console=console,
    )


def _advance(bar: Progress, task: TaskID, done: float, elapsed: float) -> None:
    bar.update(task, completed=done, speed=f"{done / elapsed:.1f}x" if elapsed > 1 else "")


def _print(
    incidents: tuple[RecordedIncident, ...], capabilities: tuple[Capability, ...], speed: Speed
) -> None:
    console = Console()
    for capability in capabilities:
        if not capability.available:
            console.print(f"off: {capability.name} ({capability.reason})", markup=False)
    if incidents:
        table = Table("from", "to", "incident", "severity", "reason", box=None)
        for found in incidents:
            table.add_row(
                _clock(found.started_at),
                _clock(found.ended_at),
                found.label,
                f"[{_STYLES[found.severity]}]{found.severity}[/]",
                found.reason + ("" if found.alerted else " (recorded without alert)"),
            )
        console.print(table)
    else:
        console.print("no incidents")
    console.print(
        f"{speed.duration:.1f} s of video in {speed.elapsed:.1f} s ({speed.cpu:.1f} s of CPU):"
        f" {speed.times_real_time:.1f} times real time"
    )


def _clock(seconds: float) -> str:
    """ "1:02:03.4", and "2:03.4" within the first hour."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
