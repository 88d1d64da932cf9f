"""What is heard of candidates: talk for a share of the time, the noise of a quiet room in between."""

from __future__ import annotations

import hashlib
from itertools import cycle
from pathlib import Path

import numpy as np
from evaluation.speech import RATE, read_pcm

PIECE = RATE // 10
"""Samples of one message."""
PERIOD = 20.0
"""Seconds after which talk and silence repeat, each time with other words."""
ROOM = 20.0
"""Standard deviation of a quiet room's noise, of 32768: -64 dB."""


def tracks(data: Path, talk: float, seconds: float, cache: Path) -> list[Path]:
    """Tracks of one speaker each (LibriSpeech), at least ``seconds`` long; int16 in ``.npy``.

    Args:
        talk: share of the time, in one piece per ``PERIOD``. Somebody who reads aloud pauses in it too.
    """
    readers = sorted(path for path in (data / "speech/librispeech").iterdir() if path.is_dir())
    return [_track(reader, talk, seconds, cache) for reader in readers]


def _track(reader: Path, talk: float, seconds: float, cache: Path) -> Path:
    key = f"{reader.name} {talk} {seconds}"
    path = cache / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.npy"
    if path.exists():
        return path
    periods = int(np.ceil(seconds / PERIOD))
    length, spoken = round(PERIOD * RATE), round(PERIOD * talk * RATE)
    track = np.random.default_rng(1).normal(0.0, ROOM, periods * length)
    speech = np.zeros(0)
    if spoken:
        for file in cycle(sorted(reader.glob("*.flac"))):
            speech = np.concatenate([speech, read_pcm(file)])
            if len(speech) >= periods * spoken:
                break
    for number in range(periods):
        part = speech[number * spoken : (number + 1) * spoken]
        track[number * length :][: len(part)] += part
    cache.mkdir(parents=True, exist_ok=True)
    part_file = path.with_suffix(".part.npy")
    np.save(part_file, np.clip(np.rint(track), -32768, 32767).astype(np.int16))
    return part_file.rename(path)
