"""What candidates do before the camera: recordings as JPEGs, ten a second, in a cache."""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import simplejpeg

from proctoring.vision.frame import Pixels
from proctoring.vision.video_file import read_frames

RATE = 10
"""Frames per second."""
WIDTH, HEIGHT = 640, 480
QUALITY = 85


@dataclass(frozen=True, slots=True)
class Clip:
    """A part of a recording."""

    file: str
    """Path in the data folder."""
    start: float = 0.0
    end: float = math.inf
    """Seconds."""

    def __str__(self) -> str:
        part = "" if self.start == 0 and self.end == math.inf else f" {self.start:g}-{self.end:g} s"
        return self.file + part


LONGEST = 28.5
"""Seconds for which no recording repeats, forth and back. The server finds repetitions, noise or not."""
SCENES = {
    # Eyes on the screen throughout, head still; a noisy camera.
    "still": (Clip("webcam/c44.mp4"),),
    # Eyes that go to the foot of the screen and back; the head moves with them.
    "reading": (Clip("gaze/down/demo.mp4"),),
    # With head and hands.
    "talking": (Clip("webcam/c26.mp4"), Clip("webcam/c27.mp4")),
    # No recording shows an empty chair: he moves down and close, hand at the chin; and leans back.
    "leaving": (Clip("webcam/c01.mp4", 30.0, 53.0), Clip("webcam/c02.mp4", 10.0, 30.6)),
}
"""Scene -> recordings, all of real people before webcams and honest: no incident begins."""
MIXED = ("still", "reading", "still", "talking", "still", "still", "reading", "still", "leaving", "still")  # fmt: skip
"""Scenes of the first ten sessions of ``mixed``, then again: six still, two reading, one talking, one leaving."""
MIX = "mixed"


def clips_of(scene: str, sessions: int) -> list[Clip]:
    """The recording that each session shows."""
    if scene != MIX:
        return [SCENES[scene][n % len(SCENES[scene])] for n in range(sessions)]
    scenes = [MIXED[n % len(MIXED)] for n in range(sessions)]
    # The n-th session of a scene shows that scene's n-th recording.
    return [SCENES[one][scenes[:n].count(one) % len(SCENES[one])] for n, one in enumerate(scenes)]


def stream(data: Path, clip: Clip, seconds: float, noise: float, cache: Path) -> Path:
    """A folder of JPEGs, numbered, of the recording forth and back for at least ``seconds``.

    Every picture has noise of its own, so no two are the same.

    Args:
        noise: standard deviation of the luma noise that is added, of 255. The recordings were
            compressed, which took much of their camera's noise.
    """
    key = f"{clip} {seconds} {noise} {QUALITY} {(data / clip.file).stat().st_mtime_ns}"
    folder = cache / hashlib.sha256(key.encode()).hexdigest()[:16]
    if folder.is_dir():
        return folder
    pictures = list(_pictures(data / clip.file, clip))
    turn = [*pictures, *pictures[-2:0:-1]]
    making = folder.with_suffix(".part")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    generator = np.random.default_rng(1)
    for number in range(math.ceil(seconds * RATE / len(turn)) * len(turn)):
        pixels = _noisy(turn[number % len(turn)], noise, generator)
        encoded = simplejpeg.encode_jpeg(pixels, quality=QUALITY, colorsubsampling="420")
        (making / f"{number:05}.jpg").write_bytes(encoded)
    return making.rename(folder)


def read_stream(folder: Path) -> list[bytes]:
    """The JPEGs of a stream, in order."""
    return [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]


def _pictures(path: Path, clip: Clip) -> Iterator[Pixels]:
    wanted = clip.start
    for frame in read_frames(path):
        if frame.time >= clip.end:
            return
        if frame.time >= wanted:
            wanted += 1 / RATE
            yield _fitted(frame.pixels)


def _fitted(pixels: Pixels) -> Pixels:
    """The middle of a picture, in the shape of 640 x 480."""
    height, width = pixels.shape[:2]
    kept_width, kept_height = (
        min(width, height * WIDTH // HEIGHT),
        min(height, width * HEIGHT // WIDTH),
    )
    left, top = (width - kept_width) // 2, (height - kept_height) // 2
    kept = pixels[top : top + kept_height, left : left + kept_width]
    shrinks = kept_width > WIDTH
    fitted = cv2.resize(
        kept, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    return np.asarray(fitted, np.uint8)


def _noisy(pixels: Pixels, noise: float, generator: np.random.Generator) -> Pixels:
    if not noise:
        return pixels
    added = generator.standard_normal((HEIGHT, WIDTH, 1), np.float32) * np.float32(noise)
    return np.clip(np.rint(pixels + added), 0, 255).astype(np.uint8)
