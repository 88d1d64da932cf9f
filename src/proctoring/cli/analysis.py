"""What ``proctoring analyse`` does: progress while it works, a table at the end."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from enum import StrEnum
from heapq import merge
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from proctoring.audio.analyser import AudioModels, load_audio_models
from proctoring.audio.recording import declared_seconds, holds_sound
from proctoring.audio.transcription.transcribers import MOONSHINE, Transcribers
from proctoring.audio.voice_reference import (
    LARGEST,
    VoiceReference,
    decode_reference,
    read_reference,
)
from proctoring.capabilities import Capability
from proctoring.cli.fetching import fetch_with_bars
from proctoring.errors import BadFrameError, ModelUnavailableError, SettingsError
from proctoring.incidents import IncidentChange, IncidentSummary, Severity, fold_changes
from proctoring.judgement import Policy, load_policy
from proctoring.models.store import ModelStore
from proctoring.recording.diarization import diarize_file
from proctoring.recording.drawing import Drawer
from proctoring.recording.playback import play
from proctoring.recording.report import Speed, as_json
from proctoring.recording.sound_track import Heard, SoundSummary, SoundTrack, listen
from proctoring.recording.writer import VideoWriter
from proctoring.session.pipeline import Pipeline
from proctoring.session.senses import needed_models
from proctoring.settings import Settings, read_settings
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.identity.embedding import Embedding
from proctoring.vision.identity.photo import MAX_BYTES, read_photo
from proctoring.vision.networks import VisionModels, load_vision_models
from proctoring.vision.networks import needed_models as vision_models
from proctoring.vision.recording import declared_duration, first_shown

_LIVE_ONLY = 'recordings are never sent away: use engine = "moonshine"'


class Speakers(StrEnum):
    """Who tells the voices of a recording apart."""

    LOCAL = "local"
    """The networks that live sessions use, as they use them."""
    PYANNOTE = "pyannote"
    """The original pipeline, over the whole recording (``proctoring-ai[pyannote]``)."""


_STYLES = {Severity.INFO: "blue", Severity.WARNING: "yellow", Severity.VIOLATION: "red"}


def analyse(
    file: Path,
    policy_name: str | None,
    json_file: Path | None,
    annotated: Path | None,
    *,
    mirrored: bool,
    photo: Path | None = None,
    voice: Path | None = None,
    speakers: Speakers = Speakers.LOCAL,
) -> bool:
    """Analyse a recording, print what was found, write the files that are asked for.

    Returns:
        Whether the recording could be read to its end.

    Raises:
        ProctoringError: nothing could be analysed.
    """
    errors = Console(stderr=True)
    settings = read_settings()
    policy = load_policy(policy_name or settings.default_policy).unattended()
    try:
        duration, origin = declared_duration(file), first_shown(file)
    except BadFrameError:
        if not holds_sound(file):
            raise
        duration, origin = declared_seconds(file), None
        if annotated is not None:
            raise SettingsError(f"{file.name} has no pictures to draw on") from None
        if photo is not None:
            raise SettingsError(f"{file.name} has no pictures to compare {photo} with") from None
    if voice is not None and not holds_sound(file):
        raise SettingsError(f"{file.name} has no sound to compare {voice} with")
    if voice is not None and speakers is not Speakers.LOCAL:
        raise SettingsError("a reference voice is compared by --speakers local alone")
    for output in (json_file, annotated):
        _refuse_unwritable(output, file)
    equipment = _equip(settings, policy, errors, pictures=origin is not None)
    reference = None if photo is None else _read_photo(equipment.vision, photo)
    known = None if voice is None else _read_voice(equipment.audio, voice)
    sound = SoundTrack(_heard(file, equipment, origin, speakers, settings, known))
    analyser = VisionAnalyser(equipment.vision, mirrored=mirrored, reference=reference)
    pipeline = Pipeline(policy, analyser)
    if origin is None:
        played = _play_sound(file, duration, pipeline, sound, errors)
    else:
        played = _play(file, duration, pipeline, sound, annotated, errors, mirrored=mirrored)
    incidents = fold_changes(played.changes)
    problem = "; ".join(filter(None, (played.problem, sound.summary.problem)))
    heard = sound.summary if holds_sound(file) else None
    enrolment = pipeline.guidance["enrolment"]
    report = as_json(
        file.name,
        policy,
        equipment.capabilities,
        incidents,
        played.speed,
        enrolment,
        problem,
        heard,
    )
    if json_file is not None:
        _write(json_file, json.dumps(report, indent=2) + "\n")
    _print(incidents, equipment.capabilities, played.speed, enrolment)
    if heard is not None:
        _print_sound(heard, told=policy.transcription.tell)
    if problem:
        typer.echo(f"error: {problem}", err=True)
    return not problem


@dataclass(frozen=True, slots=True)
class _Played:
    changes: tuple[IncidentChange, ...]
    speed: Speed
    problem: str


def _play(
    file: Path,
    duration: float | None,
    pipeline: Pipeline,
    sound: SoundTrack,
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
                last, pictures = moment.frame.time, moment.pictures
                found = moment.changes + _judge(sound, last, pipeline)
                changes += found
                analysed += 1
                if writer is not None:
                    drawn = drawer.draw(moment.frame, moment.analysis, found)
                    writer.write(last, drawn)
                _advance(bar, task, last, time.perf_counter() - began)
        except BadFrameError as error:
            if not analysed:
                raise
            problem = error.detail
        changes += _judge(sound, math.inf, pipeline)
        bar.update(task, completed=duration or last, total=duration or last)
    changes += pipeline.finish(last)
    elapsed, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    speed = Speed(last, elapsed, cpu, pictures, analysed)
    return _Played(tuple(changes), speed, problem)


def _play_sound(
    file: Path, duration: float | None, pipeline: Pipeline, sound: SoundTrack, errors: Console
) -> _Played:
    """A file without pictures."""
    changes: list[IncidentChange] = []
    last = 0.0
    began, cpu_began = time.perf_counter(), time.process_time()
    with _progress(errors) as bar:
        task = bar.add_task(file.name, total=duration, speed="")
        for heard in sound.up_to(math.inf):
            changes += pipeline.apply(heard)
            last = max(last, heard.time)
            _advance(bar, task, last, time.perf_counter() - began)
        bar.update(task, completed=duration or last, total=duration or last)
    changes += pipeline.finish(last)
    elapsed, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    return _Played(tuple(changes), Speed(last, elapsed, cpu, 0, 0), "")


def _judge(sound: SoundTrack, until: float, pipeline: Pipeline) -> tuple[IncidentChange, ...]:
    """What the sound up to a time changes."""
    return tuple(change for heard in sound.up_to(until) for change in pipeline.apply(heard))


@dataclass(frozen=True, slots=True)
class _Equipment:
    """What a recording is analysed with."""

    vision: VisionModels
    audio: AudioModels
    transcribers: Transcribers | None
    capabilities: tuple[Capability, ...]


def _equip(settings: Settings, policy: Policy, errors: Console, *, pictures: bool) -> _Equipment:
    """Load what this recording and this policy need; what cannot be had is off.

    Raises:
        ModelUnavailableError: nothing can be had.
    """
    store = ModelStore(settings.models_folder, settings.models_mirror)
    engine = policy.transcription.engine
    wanted = needed_models(settings.object_model, engine)
    seeing = vision_models(settings.object_model)
    if not pictures:
        wanted = tuple(name for name in wanted if name not in seeing)
    fetch_with_bars(store, wanted, errors)
    vision = (
        load_vision_models(store, object_model=settings.object_model)
        if pictures
        else VisionModels(faces=None, objects=None, capabilities=())
    )
    audio = load_audio_models(store)
    refuse_blindness(vision.capabilities if pictures else audio.capabilities)
    capabilities = (*vision.capabilities, *audio.capabilities)
    if engine == "off":
        return _Equipment(vision, audio, None, capabilities)
    if engine != MOONSHINE:
        off = Capability(f"transcription.{engine}", False, _LIVE_ONLY, engine)
        return _Equipment(vision, audio, None, (*capabilities, off))
    transcribers = Transcribers(store, audio.voice_activity)
    transcribers.prepare([MOONSHINE])
    (known,) = (found for found in transcribers.capabilities if found.wanted)
    return _Equipment(
        vision, audio, transcribers if known.available else None, (*capabilities, known)
    )


def _heard(
    file: Path,
    equipment: _Equipment,
    origin: float | None,
    speakers: Speakers,
    settings: Settings,
    voice: VoiceReference | None,
) -> Iterator[Heard]:
    """What is heard of the recording, by the chosen networks."""
    transcribers = equipment.transcribers
    transcribe = (
        None
        if transcribers is None
        else lambda start: transcribers.begin(MOONSHINE, start, interim=False)
    )
    audio = equipment.audio
    if speakers is Speakers.LOCAL:
        return listen(file, audio, origin=origin, transcribe=transcribe, voice=voice)
    token = settings.hf_token.get_secret_value() or None
    turns = diarize_file(file, origin=origin, folder=settings.pyannote_folder, token=token)
    heard = listen(file, replace(audio, speakers=None), origin=origin, transcribe=transcribe)
    return merge(heard, turns, key=lambda one: one.time)


def refuse_blindness(capabilities: tuple[Capability, ...]) -> None:
    """What nobody looked at must not be reported as free of incidents.

    Raises:
        ModelUnavailableError: every capability is off.
    """
    if not any(capability.available for capability in capabilities):
        reasons = dict.fromkeys(capability.reason for capability in capabilities)
        raise ModelUnavailableError(f"nothing to look with: {'; '.join(reasons)}")


def _read_photo(models: VisionModels, file: Path) -> Embedding:
    """The face in a reference photo.

    Raises:
        SettingsError: the file cannot be read.
        BadPhotoError: nobody can be compared with it; the sentence says why.
        ModelUnavailableError: faces are not compared on this machine.
    """
    return read_photo(models, _read(file, MAX_BYTES))


def _read_voice(models: AudioModels, file: Path) -> VoiceReference:
    """The voice in a reference recording.

    Raises:
        SettingsError: the file cannot be read.
        BadVoiceError: no voice can be learned from it; the sentence says why.
        ModelUnavailableError: voices are not told apart on this machine.
    """
    return read_reference(models, decode_reference(_read(file, LARGEST)))


def _read(file: Path, most: int) -> bytes:
    """A small file's content; of a larger one, a byte more than is allowed, which is refused."""
    try:
        with file.open("rb") as opened:
            return opened.read(most + 1)
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror or error}") from error


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
    incidents: tuple[IncidentSummary, ...],
    capabilities: tuple[Capability, ...],
    speed: Speed,
    enrolment: Mapping[str, Any],
) -> None:
    console = Console()
    for capability in capabilities:
        if not capability.available:
            console.print(f"off: {capability.name} ({capability.reason})", markup=False)
    if enrolment["state"] == "ready":
        console.print(f"ready after {enrolment['ready_at']:.1f} s")
    elif enrolment["state"] == "calibrating":
        missing = " ".join(item["text"] for item in enrolment["missing"])
        console.print(f"never ready to be judged. {missing}", markup=False)
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
        f"{speed.duration:.1f} s of recording in {speed.elapsed:.1f} s ({speed.cpu:.1f} s of CPU):"
        f" {speed.times_real_time:.1f} times real time"
    )


def _print_sound(sound: SoundSummary, *, told: bool) -> None:
    console = Console()
    voices = f"{len(sound.voices)} voice{'' if len(sound.voices) == 1 else 's'}"
    console.print(f"{sound.seconds:.1f} s of sound, {sound.speech:.1f} s of speech, {voices}")
    for said in sound.transcript if told else ():
        console.print(f"{_clock(said.start)}  {said.text}", markup=False, highlight=False)


def _clock(seconds: float) -> str:
    """ "1:02:03.4", and "2:03.4" within the first hour."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
