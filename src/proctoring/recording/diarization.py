"""Speaker diarization of a recording by the original pyannote pipeline."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from proctoring.audio.pcm import SAMPLE_RATE
from proctoring.audio.pyannote import as_observations, diarize
from proctoring.audio.recording import read_audio
from proctoring.observations import AudioObservation


def diarize_file(
    path: Path, *, origin: float | None, folder: Path | None, token: str | None
) -> tuple[AudioObservation, ...]:
    """Observations of the speakers of a recording, one a second; level and speech are ``None``.

    Args:
        path: the recording. Its audio is held in memory: 115 MB an hour.
        origin: as for ``audio_track.analyse_audio``.
        folder: a local copy of the pipeline.
        token: a Hugging Face token, needed without a local copy.

    Raises:
        DiarizationUnavailableError: as ``diarize``.
        BadRecordingError: as ``read_audio``.
    """
    chunks = list(read_audio(path))
    if not chunks:
        return ()
    begin = chunks[0].time
    samples = np.zeros(
        round((chunks[-1].time - begin) * SAMPLE_RATE) + len(chunks[-1].samples), np.int16
    )
    for chunk in chunks:
        at = round((chunk.time - begin) * SAMPLE_RATE)
        samples[at : at + len(chunk.samples)] = chunk.samples[: len(samples) - at]
    turns = diarize(samples, folder=folder, token=token)
    start = 0.0 if origin is None else begin - origin
    observations = as_observations(turns, len(samples) / SAMPLE_RATE, start=start)
    return tuple(
        AudioObservation(found.time, found.duration, None, None, found.diarization)
        for found in observations
        if found.time >= 0
    )
