"""How long living people neither blink nor move within the face: ``python -m evaluation.motionless DATA``.

For every recording of one living person: the longest time without a blink, and the longest time without a
blink in which the movement within the face stayed below the exam policy's limit, as a photo's does that is
moved as a whole. Then the same of photos that are moved by a hand (``evaluation/held_photo.py``), one
made of each of five recordings.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from evaluation.clean_clips import clean_clips
from evaluation.held_photo import held_photo
from evaluation.sessions import evaluation_models
from proctoring.judgement.policy import load_policy
from proctoring.vision.eyes import measure_eyes
from proctoring.vision.face_tracking import FaceTracker
from proctoring.vision.frame import Frame
from proctoring.vision.landmarks import hull
from proctoring.vision.liveness.blinks import Blinks
from proctoring.vision.liveness.inner_motion import WINDOW_SECONDS, InnerMotion
from proctoring.vision.liveness.tracker import MIN_FACE
from proctoring.vision.networks import FaceNetworks
from proctoring.vision.video_file import read_frames

_PERIOD = 0.095
"""Seconds between two analysed frames, at least."""
_PHOTOS = (
    *(f"video/liveportrait/{name}.mp4" for name in ("d0", "d6", "d9")),
    "webcam/c44.mp4",
    "webcam/c26.mp4",
)


@dataclass(slots=True)
class Stretches:
    """The longest times in one recording, in seconds."""

    seconds: float = 0.0
    """Length in which a face of 80 pixels and more was tracked."""
    without_blink: float = 0.0
    still: float = 0.0
    """Without a blink and below the limit."""
    least: float | None = None
    """Least movement within the face in any 10 s."""
    most: float | None = None


def main() -> None:
    """Print one line for each recording, and for each photo."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--parts", default="living,photos")
    parser.add_argument("--only", default="", help="file names of recordings, separated by commas")
    parser.add_argument("--seconds", type=float, default=30.0, help="length of each photo's video")
    chosen = parser.parse_args()
    faces = evaluation_models(chosen.data).faces
    assert faces is not None
    limit = load_policy("exam").liveness.min_inner_motion
    if "living" in chosen.parts.split(","):
        found, only = [], chosen.only.split(",") if chosen.only else []
        for path in _recordings(chosen.data):
            if only and path.name not in only:
                continue
            found.append(stretches(faces, read_frames(path), limit))
            print(f"{path.parent.name}/{path.name}: {_line(found[-1])}", flush=True)
        print(
            f"{len(found)} recordings, {sum(one.seconds for one in found):.0f} s: longest without a "
            f"blink {max(one.without_blink for one in found):.1f} s, and still "
            f"{max(one.still for one in found):.1f} s"
        )
    if "photos" in chosen.parts.split(","):
        for number, name in enumerate(_PHOTOS):
            picture = next(iter(read_frames(chosen.data / name))).pixels
            for bezel in (False, True):
                held = held_photo(picture, seed=number, seconds=chosen.seconds, bezel=bezel)
                where = "in a tablet" if bezel else "alone"
                line = _line(stretches(faces, held, limit))
                print(f"photo of {Path(name).name} {where}: {line}", flush=True)


def _recordings(data: Path) -> Iterator[Path]:
    """Recordings of one living person each."""
    yield from clean_clips(data / "video")
    yield from sorted((data / "gaze/eyes_only").glob("*.mp4"))
    for item in json.loads((data / "webcam/manifest.json").read_text())["items"]:
        if item["people"] == 1:
            yield data / "webcam" / item["file"]


def stretches(faces: FaceNetworks, frames: Iterable[Frame], limit: float) -> Stretches:
    """Follow the widest face through a recording."""
    tracker, found = FaceTracker(faces.detector, faces.landmarker), Stretches()
    track, last = -1, float("-inf")
    blinks, inner, quiet_since, still_since = Blinks(), InnerMotion(), 0.0, None
    for frame in frames:
        if frame.time - last < _PERIOD:
            continue
        since, last = min(frame.time - last, 1.0), frame.time
        seen = [face for face in tracker.update(frame) if hull(face.mesh).width >= MIN_FACE]
        face = max(seen, key=lambda face: hull(face.mesh).width, default=None)
        eyes = None if face is None else measure_eyes(face.mesh)
        if face is None or eyes is None:
            track = -1
            continue
        if face.track != track:
            track, quiet_since, still_since = face.track, frame.time, None
            blinks, inner = Blinks(), InnerMotion()
        before = blinks.count
        blinks.update(frame.time, eyes.aperture)
        inner.update(frame.time, face.mesh, eyes)
        found.seconds += since
        if blinks.count > before:
            quiet_since, still_since = frame.time, None
        found.without_blink = max(found.without_blink, frame.time - quiet_since)
        extent = inner.extent
        if extent is None:
            continue
        found.least = extent if found.least is None else min(found.least, extent)
        found.most = extent if found.most is None else max(found.most, extent)
        if extent >= limit or frame.time - quiet_since < WINDOW_SECONDS:
            still_since = None
            continue
        still_since = still_since if still_since is not None else frame.time - WINDOW_SECONDS
        found.still = max(found.still, frame.time - still_since)
    return found


def _line(found: Stretches) -> str:
    extent = (
        "" if found.least is None else f", within the face {found.least:.3f} to {found.most:.3f}"
    )
    return (
        f"{found.seconds:.0f} s, without a blink {found.without_blink:.1f} s, and still "
        f"{found.still:.1f} s{extent}"
    )


if __name__ == "__main__":
    main()
