"""A sitting's signals as curves for reviewers: means of every second, not what judgement uses."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgpack
import numpy as np
from numpy.typing import NDArray

from proctoring.judgement.inputs import JudgementInput
from proctoring.observations import (
    AudioObservation,
    ConnectionObservation,
    FrameObservation,
)

BIN = 1.0
"""Seconds of media that one stored point covers."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One signal; ``None`` where it was not observed."""

    mean: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    """The lowest and highest second within each point, which show a short glance in a whole day."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Curves over a part of a sitting."""

    start: float
    step: float
    """Seconds of media that one point covers; point ``n`` starts at ``start + n * step``."""
    curves: dict[str, Curve]


def values(observation: JudgementInput) -> dict[str, float]:
    """The values of an input that are plotted. Angles in degrees, shares from 0 to 1."""
    if isinstance(observation, FrameObservation):
        return _frame_values(observation)
    if isinstance(observation, AudioObservation):
        return _audio_values(observation)
    if isinstance(observation, ConnectionObservation):
        return {"connected": float(observation.connected)}
    return {}


def _frame_values(frame: FrameObservation) -> dict[str, float]:
    found: dict[str, float | None] = {}
    if frame.faces is not None:
        found["faces"] = len(frame.faces)
    candidate = frame.candidate
    if candidate is not None:
        if candidate.gaze is not None:
            found |= {"gaze_yaw": candidate.gaze.yaw, "gaze_pitch": candidate.gaze.pitch}
        if candidate.head is not None:
            found |= {"head_yaw": candidate.head.yaw, "head_pitch": candidate.head.pitch}
        found["eyes_open"] = candidate.eyes_open
    if frame.objects is not None:
        found["persons"] = len(frame.objects.persons)
        found["phone"] = max((phone.score for phone in frame.objects.phones), default=0.0)
    if frame.liveness is not None:
        found["liveness"] = frame.liveness.score
    if frame.camera is not None:
        found["brightness"] = frame.camera.brightness
    return {name: float(value) for name, value in found.items() if value is not None}


def _audio_values(sound: AudioObservation) -> dict[str, float]:
    found: dict[str, float | None] = {"speech": sound.speech, "level": sound.level}
    if sound.diarization is not None:
        found["voices"] = len(sound.diarization.speakers)
        found["overlap"] = sound.diarization.overlap
        others = [voice.confidence for voice in sound.diarization.speakers if voice.number != 1]
        found["other_voice"] = max(others, default=0.0)
    return {name: float(value) for name, value in found.items() if value is not None}


def summarise(observations: Iterable[JudgementInput]) -> bytes:
    """Pack the means of every second."""
    sums: dict[str, dict[int, list[float]]] = {}
    for observation in observations:
        second = int(observation.time // BIN)
        for name, value in values(observation).items():
            cell = sums.setdefault(name, {}).setdefault(second, [0.0, 0.0])
            cell[0] += value
            cell[1] += 1
    curves = {
        name: [
            np.array(list(cells), np.int32).tobytes(),
            np.array([total / count for total, count in cells.values()], np.float32).tobytes(),
        ]
        for name, cells in sums.items()
    }
    packed: bytes = msgpack.packb(curves)
    return zlib.compress(packed, 6)


def join(summaries: Sequence[bytes]) -> bytes:
    """Join consecutive packed means into one, which is read faster."""
    found: dict[str, list[list[bytes]]] = {}
    for summary in summaries:
        for name, columns in msgpack.unpackb(zlib.decompress(summary)).items():
            found.setdefault(name, []).append(columns)
    joined = {
        name: [b"".join(column) for column in zip(*stretches, strict=True)]
        for name, stretches in found.items()
    }
    packed: bytes = msgpack.packb(joined)
    return zlib.compress(packed, 6)


def draw(summaries: Sequence[bytes], start: float, end: float, points: int) -> Plot:
    """Curves from ``start`` to ``end``, in seconds of media, with at most ``points`` points."""
    step = max(BIN, (end - start) / points)
    count = max(1, min(points, int(np.ceil((end - start) / step))))
    found: dict[str, list[tuple[NDArray[np.int32], NDArray[np.float32]]]] = {}
    for summary in summaries:
        for name, (seconds, means) in msgpack.unpackb(zlib.decompress(summary)).items():
            found.setdefault(name, []).append(
                (np.frombuffer(seconds, np.int32), np.frombuffer(means, np.float32))
            )
    return Plot(start, step, {n: _curve(found[n], start, step, count) for n in sorted(found)})


def _curve(
    pieces: list[tuple[NDArray[np.int32], NDArray[np.float32]]],
    start: float,
    step: float,
    count: int,
) -> Curve:
    seconds = np.concatenate([piece[0] for piece in pieces]) * BIN
    means = np.concatenate([piece[1] for piece in pieces]).astype(np.float64)
    place = np.floor((seconds - np.floor(start)) / step).astype(np.int64)
    inside = (place >= 0) & (place < count)
    place, means = place[inside], means[inside]
    seen = np.bincount(place, minlength=count)
    mean = np.bincount(place, means, minlength=count) / np.maximum(seen, 1)
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, place, means)
    np.maximum.at(high, place, means)

    def listed(column: NDArray[np.float64]) -> tuple[float | None, ...]:
        numbers: Any = np.round(column, 3).tolist()
        return tuple(
            number if there else None for number, there in zip(numbers, seen > 0, strict=True)
        )

    return Curve(listed(mean), listed(low), listed(high))
