"""Covered faces in many kinds of light, by session: ``python -m evaluation.covered_faces DATA``.

Each session is one person of a real recording (played forth and back) in one kind of light: eight seconds
make the reference, then the face is lost from sight for a moment and comes back with a cover painted over it
for 14 seconds. So every face is compared as after an interruption, which is where a mismatch counts.
Printed: sessions with "Different Person Detected" (false alarms) and with "Identity Not Verified"; with
``--others``, the same where another person comes back, covered: what of it the reviewer is told.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from evaluation.covers import COVERS, LIGHTS, Cover, Light
from evaluation.sessions import evaluation_models
from proctoring.incidents import IncidentState
from proctoring.judgement.judge import judge
from proctoring.judgement.policy import load_policy
from proctoring.judgement.state import initial_state
from proctoring.observations import FrameObservation, InjectionIndicators
from proctoring.vision.face_tracking import FaceTracker
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.identity.reference import FaceReference
from proctoring.vision.identity.verifier import IdentityVerifier
from proctoring.vision.landmarks import Mesh
from proctoring.vision.networks import VisionModels
from proctoring.vision.video_file import read_frames

RATE = 2
"""Frames per second: each of them is compared while identity is in doubt."""
_REFERENCE_SECONDS, _COVERED_SECONDS = 8, 14
_SOURCE_SECONDS = 30
_STREAM = InjectionIndicators(unchanged_for=0, ever_changed=True, repeats_after=None)

PEOPLE = {
    "d6": "video/liveportrait/d6.mp4",
    "d9": "video/liveportrait/d9.mp4",
    "clm-A": "webcam/c01.mp4",
    "vr1": "webcam/c07.mp4",
    "AOC": "webcam/c13.mp4",
    "vr4": "webcam/c10.mp4",
    "vr5": "webcam/c11.mp4",
    "ls2": "webcam/c26.mp4",
    "bil": "webcam/c37.mp4",
    "nalin": "webcam/c44.mp4",
}
"""Person to a recording with one large face."""

Shot = tuple[Pixels, Mesh]
"""A frame, and the landmarks of its face before anything covers it."""


def main() -> None:
    """Print the table of ``docs/accuracy.md``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--people", nargs="*", default=list(PEOPLE))
    parser.add_argument("--lights", nargs="*", default=list(LIGHTS))
    parser.add_argument("--covers", nargs="*", default=list(COVERS))
    parser.add_argument("--whole", action="store_true", help="do not compare halves of faces")
    parser.add_argument("--others", action="store_true", help="another person comes back")
    arguments = parser.parse_args()
    models = evaluation_models(arguments.data, object_model="none")
    people = {name: shots(models, arguments.data / PEOPLE[name]) for name in arguments.people}
    told: Counter[tuple[str, str, str]] = Counter()
    for number, name in enumerate(people):
        then = arguments.people[(number + 1) % len(people)] if arguments.others else name
        for light in arguments.lights:
            known = reference(models, people[name], LIGHTS[light])
            if known is None:
                told.update((light, cover, "not compared") for cover in arguments.covers)
                continue
            for cover in arguments.covers:
                kinds = session(
                    models, known, people[then], COVERS[cover], LIGHTS[light], whole=arguments.whole
                )
                told.update((light, cover, kind) for kind in kinds or {"nothing"})
                if kinds:
                    print(f"{name} {then} {light} {cover}: {' '.join(sorted(kinds))}", flush=True)
    for kind in ("face.mismatch", "face.unverified", "nothing", "not compared"):
        print(f"\n{kind}, of {len(people)} people each")
        print(f"{'':26}" + "".join(f"{light:>14}" for light in arguments.lights))
        for cover in arguments.covers:
            row = "".join(f"{told[light, cover, kind]:14d}" for light in arguments.lights)
            print(f"{cover:26}{row}")
    for kind in ("face.mismatch", "face.unverified", "nothing", "not compared"):
        print(f"{kind}: {sum(count for key, count in told.items() if key[2] == kind)}")


def shots(models: VisionModels, path: Path) -> list[Shot]:
    """Frames with one face, ``RATE`` a second."""
    assert models.faces is not None
    tracker = FaceTracker(models.faces.detector, models.faces.landmarker)
    found: list[Shot] = []
    due = 0.0
    for frame in islice(read_frames(path), 60 * _SOURCE_SECONDS):
        if frame.time > _SOURCE_SECONDS:
            break
        if frame.time < due:
            continue
        due = frame.time + 1 / RATE
        faces = tracker.update(frame)
        if len(faces) == 1:
            found.append((frame.pixels, faces[0].mesh))
    return found


def reference(models: VisionModels, before: list[Shot], light: Light) -> FaceReference | None:
    """What a session learns in its first seconds; ``None``: the face cannot be compared in this light."""
    assert models.faces is not None
    assert models.identity is not None
    verifier = IdentityVerifier(models.identity)
    tracker = FaceTracker(models.faces.detector, models.faces.landmarker)
    for number in range(_REFERENCE_SECONDS * RATE):
        pixels = np.ascontiguousarray(light(_at(before, number)[0]))
        faces = tracker.update(Frame(number / RATE, pixels))
        verifier.update(number / RATE, faces[0].track if faces else None, None, _STREAM)
        if len(faces) == 1 and verifier.is_due(number / RATE) and verifier.reference is None:
            verifier.verify(number / RATE, pixels, faces[0].mesh, alone=True)
    return verifier.reference


def session(
    models: VisionModels,
    known: FaceReference,
    after: list[Shot],
    cover: Cover,
    light: Light,
    *,
    whole: bool = False,
) -> set[str]:
    """Kinds of incident about identity where a face with a cover comes back."""
    assert models.faces is not None
    assert models.identity is not None
    verifier = IdentityVerifier(models.identity, reference=known)
    tracker = FaceTracker(models.faces.detector, models.faces.landmarker)
    policy, state, found = load_policy("exam"), initial_state(), set[str]()
    for number in range(_COVERED_SECONDS * RATE):
        time = number / RATE
        pixels, mesh = _at(after, _REFERENCE_SECONDS * RATE + number)
        pixels = np.ascontiguousarray(light(cover(pixels, mesh)))
        faces = tracker.update(Frame(time, pixels))
        verifier.update(time, faces[0].track if faces else None, None, _STREAM)
        if len(faces) != 1 or not verifier.is_due(time):
            continue
        identity, unread = verifier.verify(time, pixels, faces[0].mesh, alone=True)
        if whole and identity is not None:
            identity = replace(identity, visible=None)
        not_read = () if unread is None else (unread,)
        seen = FrameObservation(time, 1, 1, None, None, None, not_read=not_read, identity=identity)
        state, changes = judge(policy, state, seen)
        found |= {change.kind for change in changes if change.state is IncidentState.STARTED}
    return found & {"face.mismatch", "face.unverified"}


def _at(source: list[Shot], number: int) -> Shot:
    """The shot of this number, forth and back."""
    period = max(1, 2 * len(source) - 2)
    place = number % period
    return source[place if place < len(source) else period - place]


if __name__ == "__main__":
    main()
