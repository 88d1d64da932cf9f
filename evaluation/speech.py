"""Recordings of speech for evaluation and tests: source, decoding and speaker turns."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.recording import read_audio
from proctoring.models.model import Carrier, Model, ModelFile
from proctoring.models.store import ModelStore

RATE = 16_000

_WAVES = {
    "two_cities.wav": 4_260_326,
    "beckett.wav": 318_978,
    "endgame_nagg_nell.wav": 1_357_352,
}
_DIGESTS = {
    "two_cities.wav": "f3348494d77cb74a02862f5e685ed09faf3e75832c5cc5c80703282c2cd8b52e",
    "beckett.wav": "e5a26b3d29e5b0bc8dbd72c11d16a3808a4ec0ac45b21f12a27d2a2fe5c5ae61",
    "endgame_nagg_nell.wav": "78f44dc6d3da32ecab0c37f391700f0569f4612b8e0be2ecbaf33e1d3d566474",
}
CARRIED_SPEECH = Model(
    name="carried_speech",
    version="0.1.0",
    capability="evaluation",
    licence="MIT",
    attribution="Useful Sensors (Moonshine AI): test recordings of moonshine-voice",
    default=False,
    files=tuple(
        ModelFile(
            name,
            size,
            (_DIGESTS[name],),
            (Carrier("moonshine-voice", "0.1.0", f"moonshine_voice/assets/{name}", platform=True),),
        )
        for name, size in _WAVES.items()
    ),
)
"""Real speech from an installable package: two recordings of one speaker each, one of two."""


def fetch_carried_speech(store: ModelStore) -> Path:
    """The folder with the recordings of :data:`CARRIED_SPEECH`.

    Raises:
        ModelUnavailableError: the recordings are not available.
    """
    own = ModelStore(store.folder, store.mirror, catalogue=(CARRIED_SPEECH,))
    return own.fetch(CARRIED_SPEECH.name).parent


def read_pcm(path: Path) -> NDArray[np.int16]:
    """A whole recording at 16 kHz, mono."""
    chunks = [chunk.samples for chunk in read_audio(path)]
    return np.concatenate(chunks) if chunks else np.zeros(0, np.int16)


def read_speech(path: Path) -> NDArray[np.float64]:
    """A whole recording, -1 to 1, without the silence at both ends."""
    audio = read_pcm(path).astype(np.float64) / 32768
    frames = audio[: len(audio) // 160 * 160].reshape(-1, 160)
    loud = np.flatnonzero(frames.std(axis=1) > 0.1 * np.quantile(frames.std(axis=1), 0.95))
    return audio[loud[0] * 160 : (loud[-1] + 1) * 160]


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a speaker; times in seconds."""

    start: float
    end: float
    speaker: str


def read_turns(path: Path) -> dict[str, list[Turn]]:
    """Turns of an RTTM file by recording, in order of time."""
    turns: dict[str, list[Turn]] = defaultdict(list)
    for line in path.read_text().splitlines():
        fields = line.split()
        if fields and fields[0] == "SPEAKER":
            start, length = float(fields[3]), float(fields[4])
            turns[fields[1]].append(Turn(start, start + length, fields[7]))
    return {name: sorted(found, key=lambda t: t.start) for name, found in turns.items()}
