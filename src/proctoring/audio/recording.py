"""The sound of a recording, as the audio socket would carry it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from proctoring.audio.pcm import SAMPLE_RATE, Pcm
from proctoring.errors import BadRecordingError

_MOST_MISSING = 0.05
"""Seconds by which time stamps may differ from the count of samples before that is a gap."""


@dataclass(frozen=True, slots=True, eq=False)
class SoundChunk:
    """A stretch of sound."""

    time: float
    """Media time of the first sample in seconds: the recording's own time stamps."""
    samples: Pcm


def read_sound(path: Path) -> Iterator[SoundChunk]:
    """The first sound track of a video or sound file, mixed to mono at 16 kHz.

    Chunks follow each other without a hole, unless the recording has one; then the next chunk's
    time says so. A file without a sound track gives nothing.

    Raises:
        BadRecordingError: the file cannot be opened, or it is no recording; or, after the last
            chunk, that a part was damaged: what follows it is left out.
    """
    with _opened(path) as container:
        if container.streams.audio:
            yield from _chunks(path, container)


def holds_sound(path: Path) -> bool:
    """Whether a file can be opened and has a sound track."""
    try:
        with _opened(path) as container:
            return bool(container.streams.audio)
    except BadRecordingError:
        return False


def declared_seconds(path: Path) -> float | None:
    """Seconds of sound that a file declares to hold; ``None`` where it does not say.

    Raises:
        BadRecordingError: the file cannot be opened, or it is no recording.
    """
    with _opened(path) as container:
        return container.duration / av.time_base if container.duration else None


def _opened(path: Path) -> av.container.InputContainer:
    try:
        # A file may name others (playlists do): nothing but files is opened for it.
        return av.open(str(path), metadata_errors="ignore", options={"protocol_whitelist": "file"})
    except (av.FFmpegError, OSError, ValueError) as error:
        raise BadRecordingError(f"{path}: not a recording: {error}") from error


def _chunks(path: Path, container: av.container.InputContainer) -> Iterator[SoundChunk]:
    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
    time: float | None = None
    damage = ""
    try:
        for frame in container.decode(audio=0):
            stamp = None if frame.time is None else float(frame.time)
            if time is None:
                time = stamp if stamp is not None else 0.0
            elif stamp is not None and stamp - time > _MOST_MISSING + _latency(frame):
                for chunk in resampled(resampler, None, time):
                    yield chunk
                resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
                time = stamp
            frame.pts = None
            for chunk in resampled(resampler, frame, time):
                yield chunk
                time = chunk.time + len(chunk.samples) / SAMPLE_RATE
    except av.FFmpegError as error:
        damage = str(error.strerror or error)
    if time is not None:
        yield from resampled(resampler, None, time)
    if damage:
        at = f"after {time:.1f} s" if time is not None else "from the beginning"
        raise BadRecordingError(f"{path.name}: the sound is damaged {at}: {damage}")


def _latency(frame: av.AudioFrame) -> float:
    """What the resampler may hold back, at most: one frame."""
    return frame.samples / max(frame.sample_rate, 1)


def resampled(
    resampler: av.AudioResampler, frame: av.AudioFrame | None, time: float
) -> Iterator[SoundChunk]:
    """What a resampler to 16 bit, mono, gives for a frame; ``None`` brings out what it still holds."""
    for piece in resampler.resample(frame):
        samples = np.ascontiguousarray(piece.to_ndarray()[0])
        yield SoundChunk(time, samples)
        time += len(samples) / SAMPLE_RATE
