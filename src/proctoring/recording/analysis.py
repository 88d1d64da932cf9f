"""``proctoring.analyse``: a recording through the same pipeline as live sessions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from heapq import merge
from pathlib import Path
from typing import Literal, get_args

from proctoring.audio.speaker_reference import (
    MAX_REFERENCE_BYTES,
    SpeakerReference,
    analyse_reference,
    decode_reference,
)
from proctoring.audio.transcription.stream import TranscriptionStream
from proctoring.audio.transcription.transcribers import MOONSHINE
from proctoring.capabilities import Capability
from proctoring.errors import SettingsError
from proctoring.incidents import fold_changes
from proctoring.judgement import Policy
from proctoring.judgement.policy import read_policies
from proctoring.models.progress import Progress
from proctoring.recording.audio_track import AudioTrack, TrackObservation, analyse_audio
from proctoring.recording.diarization import diarize_file
from proctoring.recording.files import FilePath, check_output, read_limited
from proctoring.recording.media import RecordingInfo, probe
from proctoring.recording.models import RecordingModels, load_models, require_any_capability
from proctoring.recording.report import Report, enrolment_summary
from proctoring.recording.run import AnalysisProgress, run_audio, run_video
from proctoring.session.pipeline import Pipeline
from proctoring.settings import Settings, read_settings
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.identity.reference import FaceReference
from proctoring.vision.identity.reference_photo import MAX_BYTES, embed_photo
from proctoring.vision.networks import VisionModels

Diarizer = Literal["local", "pyannote"]
"""``local``: the networks of live sessions. ``pyannote``: the original pipeline over the whole
recording, which needs ``proctoring-ai[pyannote]``."""

_NO_VISION = VisionModels(faces=None, objects=None, capabilities=())
_LOCAL_ONLY = 'recordings are never sent away: use engine = "moonshine"'


def analyse(
    path: FilePath,
    *,
    policy: Policy | FilePath | None = None,
    mirrored: bool = False,
    reference_photo: FilePath | bytes | None = None,
    reference_voice: FilePath | bytes | None = None,
    annotated: FilePath | None = None,
    speakers: Diarizer = "local",
    every_frame: bool = False,
    decoding_threads: int | None = None,
    models: RecordingModels | None = None,
    settings: Settings | None = None,
    progress: AnalysisProgress | None = None,
    fetch_progress: Progress | None = None,
) -> Report:
    """Analyse a recording: the incidents that a live session of it would have had.

    A recording that is damaged, or ends before its declared length, is analysed as far as it can be
    read; ``Report.problem`` then says why.

    Args:
        path: a video or audio file of any format that FFmpeg reads.
        policy: a policy, the name of a shipped one, or a TOML file; by default that of the
            settings. Challenges and required calibrations are left out, since nobody can answer.
        mirrored: the frames are mirrored: the candidate's left is the picture's left.
        reference_photo: JPEG or PNG (a path or the bytes) with which faces are compared.
        reference_voice: WAV, FLAC, Ogg or WebM (a path or the bytes) of the candidate speaking
            alone, by which the candidate's voice is known from the start.
        annotated: where to write an MP4 of the analysed frames with the results drawn on them.
        speakers: what tells speakers apart.
        every_frame: whether faces are measured in every frame, changed or not. Slower; the incidents are
            the same, which this serves to check.
        decoding_threads: threads that decode the video; by default one per core, as FFmpeg sees fit.
        models: networks loaded by ``load_models``, for several recordings. By default those that
            this recording and policy need are loaded.
        settings: by default the environment's.
        progress: called before the first frame, after each analysed frame (or half second of
            audio, without video), and at the end. In this thread: an exception that it raises
            ends the analysis.
        fetch_progress: called while weights are downloaded.

    Raises:
        BadRecordingError: the file cannot be read, or no frame of it.
        BadPolicyError: the policy cannot be read or does not validate.
        BadPhotoError, BadVoiceError: the reference cannot be used.
        ModelUnavailableError: no network can be loaded, or not the one that a reference needs.
        DiarizationUnavailableError: pyannote was requested and cannot be loaded.
        SettingsError: options that exclude each other, an invalid setting, or a file that cannot
            be read or written.
    """
    settings = settings or read_settings()
    used_policy = _loaded(policy, settings).unattended()
    recording = probe(Path(path))
    _check_options(recording, reference_photo, reference_voice, annotated, speakers)
    if models is None:
        models = load_models(
            settings,
            vision=recording.has_video,
            transcription=used_policy.transcription.engine == MOONSHINE,
            fetch_progress=fetch_progress,
        )
    vision = _vision(models, recording)
    capabilities = (*vision.capabilities, *models.audio.capabilities)
    require_any_capability(vision.capabilities or models.audio.capabilities)
    transcribe, transcription = _transcriber(models, used_policy)
    photo = None if reference_photo is None else _face(vision, reference_photo)
    voice = None if reference_voice is None else _voice(models, reference_voice)

    gated = not (every_frame or settings.every_frame)
    analyser = VisionAnalyser(vision, mirrored=mirrored, reference=photo, gated=gated)
    pipeline = Pipeline(used_policy, analyser)
    track = AudioTrack(
        _audio_observations(recording, models, speakers, settings, transcribe, voice)
    )
    progress = progress or _no_progress
    if recording.has_video:
        output = None if annotated is None else Path(annotated)
        run = run_video(
            recording,
            pipeline,
            track,
            progress,
            annotated=output,
            mirrored=mirrored,
            decoding_threads=decoding_threads,
        )
    else:
        run = run_audio(recording, pipeline, track, progress)
    return Report(
        file=recording.path.name,
        policy=used_policy,
        capabilities=(*capabilities, *transcription),
        incidents=fold_changes(run.changes),
        enrolment=enrolment_summary(pipeline.guidance["enrolment"]),
        speed=run.speed,
        audio=track.summary if recording.has_audio else None,
        transcript=track.transcript if used_policy.transcription.publish else (),
        problem="; ".join(filter(None, (run.problem, track.problem))),
    )


def _no_progress(_done: float, _total: float | None) -> None:
    pass


def _loaded(policy: Policy | FilePath | None, settings: Settings) -> Policy:
    if isinstance(policy, Policy):
        return policy
    known = read_policies(settings.policies)
    if policy is None:
        return known.load(settings.default_policy)
    return known.load(policy if isinstance(policy, str) else Path(policy))


def _check_options(
    recording: RecordingInfo,
    photo: FilePath | bytes | None,
    voice: FilePath | bytes | None,
    annotated: FilePath | None,
    speakers: Diarizer,
) -> None:
    """Refuse options that this recording cannot be analysed with.

    Raises:
        SettingsError: the sentence says which.
    """
    name = recording.path.name
    if speakers not in get_args(Diarizer):
        raise SettingsError(f"speakers is {speakers!r}: 'local' or 'pyannote' is needed")
    if not recording.has_video and annotated is not None:
        raise SettingsError(f"{name} has no video to draw on")
    if not recording.has_video and photo is not None:
        raise SettingsError(f"{name} has no video to compare {_named(photo)} with")
    if not recording.has_audio and voice is not None:
        raise SettingsError(f"{name} has no audio to compare {_named(voice)} with")
    if voice is not None and speakers != "local":
        raise SettingsError("a reference voice needs the local diarizer, not pyannote")
    if annotated is not None:
        check_output(annotated, recording.path)


def _named(reference: FilePath | bytes) -> str:
    return "the reference" if isinstance(reference, bytes) else os.fspath(reference)


def _vision(models: RecordingModels, recording: RecordingInfo) -> VisionModels:
    if not recording.has_video:
        return _NO_VISION
    if models.vision is None:
        raise SettingsError(f"{recording.path.name} has video; models were loaded without vision")
    return models.vision


def _transcriber(
    models: RecordingModels, policy: Policy
) -> tuple[Callable[[float], TranscriptionStream] | None, tuple[Capability, ...]]:
    """What opens a transcription at a media time, and the capability that the report lists."""
    engine = policy.transcription.engine
    if engine == "off":
        return None, ()
    if engine != MOONSHINE:
        return None, (Capability(f"transcription.{engine}", False, _LOCAL_ONLY, engine),)
    transcribers = models.transcribers
    transcribers.prepare([MOONSHINE])
    (found,) = (one for one in transcribers.capabilities if one.name.endswith(f".{MOONSHINE}"))
    if not found.available:
        return None, (found,)
    return lambda start: transcribers.begin(MOONSHINE, start, interim=False), (found,)


def _face(models: VisionModels, photo: FilePath | bytes) -> FaceReference:
    return embed_photo(models, read_limited(photo, MAX_BYTES))


def _voice(models: RecordingModels, voice: FilePath | bytes) -> SpeakerReference:
    return analyse_reference(
        models.audio, decode_reference(read_limited(voice, MAX_REFERENCE_BYTES))
    )


def _audio_observations(
    recording: RecordingInfo,
    models: RecordingModels,
    speakers: Diarizer,
    settings: Settings,
    transcribe: Callable[[float], TranscriptionStream] | None,
    voice: SpeakerReference | None,
) -> Iterator[TrackObservation]:
    path, origin, audio = recording.path, recording.origin, models.audio
    if speakers == "local":
        return analyse_audio(path, audio, origin=origin, transcribe=transcribe, voice=voice)
    token = settings.hf_token.get_secret_value() or None
    turns = diarize_file(path, origin=origin, folder=settings.pyannote_folder, token=token)
    observations = analyse_audio(
        path, replace(audio, speakers=None), origin=origin, transcribe=transcribe
    )
    return merge(observations, turns, key=lambda one: one.time)
