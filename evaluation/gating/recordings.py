"""The recordings that are compared: every labelled video, and sequences of stills that were one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from evaluation.gating.variants import as_the_page_scales
from proctoring.errors import BadFrameError
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.frame import Frame
from proctoring.vision.video_file import read_frames

_VIDEOS = ("gaze", "video", "webcam")
_SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".mpg", ".gif"}
_SEQUENCES = "spoof/nuaa_sequences"
_PERIOD = 0.095
"""Seconds between two frames that are kept, at least: more are not analysed."""
_SEQUENCE_RATE = 20
"""Frames a second, nominally, by which files of a sequence are numbered."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A video file, or a folder of numbered stills."""

    name: str
    """Path below the labelled data."""
    path: Path

    def frames(self, seconds: float, at_least: float = 0.0) -> Iterator[Frame]:
        """The first ``seconds``, played to and fro until they have lasted for ``at_least`` seconds."""
        source = _stills(self.path) if self.path.is_dir() else _readable(self.path)
        return to_and_fro(takewhile(lambda frame: frame.time < seconds, source), at_least)


def to_and_fro(frames: Iterable[Frame], at_least: float) -> Iterator[Frame]:
    """Frames forwards, then backwards, forwards and so on: longer, and without a cut.

    Most recordings are shorter than the seconds in which a session learns and analyses every frame.
    """
    kept: list[Frame] = []
    last = 0.0
    for frame in frames:
        yield frame
        last = frame.time
        if last < at_least and (not kept or last - kept[-1].time >= _PERIOD):
            kept.append(Frame(last, as_the_page_scales(frame.pixels)))
    if not kept or last >= at_least:
        return
    first, turn, backwards = kept[0].time, last, True
    while turn < at_least and last > first:
        for frame in reversed(kept) if backwards else kept:
            after = last - frame.time if backwards else frame.time - first
            if turn + after >= at_least:
                return
            if after > 0:
                yield Frame(turn + after, frame.pixels)
        turn, backwards = turn + last - first, not backwards


def recordings(data: Path, only: str = "") -> list[Recording]:
    """All recordings below ``data`` whose name contains one of ``only`` (separated by commas)."""
    paths = [
        path
        for folder in _VIDEOS
        for path in sorted((data / folder).rglob("*"))
        if path.suffix in _SUFFIXES
    ]
    sequences = json.loads((data / _SEQUENCES / "manifest.json").read_text())["items"]
    paths += [data / _SEQUENCES / name for name in sequences]
    found = [Recording(path.relative_to(data).as_posix(), path) for path in paths]
    return [one for one in found if any(part in one.name for part in only.split(","))]


def _readable(path: Path) -> Iterator[Frame]:
    try:
        yield from read_frames(path)
    except BadFrameError as error:
        print(f"{path.name}: {error.detail}", flush=True)


def _stills(folder: Path) -> Iterator[Frame]:
    files = sorted(folder.glob("*.jpg"))
    first = int(files[0].stem)
    for file in files:
        yield Frame((int(file.stem) - first) / _SEQUENCE_RATE, decode_jpeg(file.read_bytes()))
