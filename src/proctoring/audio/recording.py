"""The audio of a recording, in the format of the audio socket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from proctoring.audio.pcm import SAMPLE_RATE, Pcm
from proctoring.errors import BadRecordingError

_GAP_TOLERANCE = 0.05
"""Seconds by which timestamps may lead the count of samples before that is a gap."""


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk:
    """Contiguous audio."""

    time: float
    """Media time of the first sample in seconds, from the recording's own timestamps."""
    samples: Pcm


def read_audio(path: Path) -> Iterator[AudioChunk]:
    """The first audio track of a video or audio file, mixed to mono at 16 kHz.

    Chunks are contiguous unless the recording has a gap, which shows in the next chunk's time. A file
    without an audio track yields nothing.

    Raises:
        BadRecordingError: the file cannot be opened or is no recording; or, after the last chunk,
            the file is damaged from there on.
    """
    with _opened(path) as container:
        if container.streams.audio:
            yield from _chunks(path, container)


def has_audio_track(path: Path) -> bool:
    """Whether a file can be opened and has an audio track."""
    try:
        with _opened(path) as container:
            return bool(container.streams.audio)
    except BadRecordingError:
        return False


def declared_seconds(path: Path) -> float | None:
    """Duration that a file declares, in seconds; ``None``: it declares none.

    Raises:
        BadRecordingError: the file cannot be opened or is no recording.
    """
    with _opened(path) as container:
        return container.duration / av.time_base if container.duration else None


def _opened(path: Path) -> av.container.InputContainer:
    try:
        # Playlists name other resources: only files may be opened for them.
        return av.open(str(path), metadata_errors="ignore", options={"protocol_whitelist": "file"})
    except (av.FFmpegError, OSError, ValueError) as error:
        raise BadRecordingError(f"{path}: not a recording: {error}") from error


def _chunks(path: Path, container: av.container.InputContainer) -> Iterator[AudioChunk]:
    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
    time: float | None = None
    damage = ""
    try:
        for frame in container.decode(audio=0):
            stamp = None if frame.time is None else float(frame.time)
            if time is None:
                time = stamp if stamp is not None else 0.0
            elif stamp is not None and stamp - time > _GAP_TOLERANCE + _latency(frame):
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
        raise BadRecordingError(f"{path.name}: the audio is damaged {at}: {damage}")


def _latency(frame: av.AudioFrame) -> float:
    """Seconds that the resampler may hold back, at most: one frame."""
    return frame.samples / max(frame.sample_rate, 1)


def resampled(
    resampler: av.AudioResampler, frame: av.AudioFrame | None, time: float
) -> Iterator[AudioChunk]:
    """The output of a resampler to 16 bit mono for one frame; ``None`` flushes the resampler.

    Args:
        time: media time of the first sample, in seconds.
    """
    for piece in resampler.resample(frame):
        samples = np.ascontiguousarray(piece.to_ndarray()[0])
        yield AudioChunk(time, samples)
        time += len(samples) / SAMPLE_RATE
