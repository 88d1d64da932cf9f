"""Parts of a snapshot that are older than the rest, or missing: what belongs to something else is not used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from proctoring.observations import HeadPose
from proctoring.vision.camera_movement import CameraMovementDetector
from proctoring.vision.depicted_faces import DepictedFaceDetector
from proctoring.vision.eyes import EyeShape
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.gaze import EyeMeasurement, GazeEstimator
from proctoring.vision.identity.halves import FaceHalves
from proctoring.vision.identity.reference import FaceReference
from proctoring.vision.identity.verifier import (
    IdentityVerifier,
    Probe,
    VerifierFaces,
    VerifierState,
)
from proctoring.vision.injection import InjectionDetector
from proctoring.vision.landmarks import Mesh
from proctoring.vision.liveness.tracker import LivenessTracker
from proctoring.vision.neutral import NeutralPose
from proctoring.vision.repetition import RepetitionDetector

from .test_camera_movement import FACE, room
from .test_depicted_faces import CANDIDATE, OTHER, face
from .test_repetition import sampled, source

POSE = HeadPose(2.0, -4.0, 1.0)


def learned_pose(begins: float) -> NeutralPose:
    neutral = NeutralPose()
    for n in range(200):
        neutral.update(begins + n / 10, POSE)
    return neutral


def test_a_pose_is_corrected_by_its_own_history_only() -> None:
    earlier, now = learned_pose(0.0), learned_pose(30.0)

    same = NeutralPose(now.state, now.history)
    other = NeutralPose(now.state, earlier.history)

    assert same.memory == now.memory
    assert list(other.memory) == []
    assert other.pose == now.pose
    assert other.learned


def watched_gaze(begins: float) -> GazeEstimator:
    gaze = GazeEstimator()
    for n in range(60):
        sample = EyeMeasurement(begins + n / 10, EyeShape(0.01, -0.05, -0.18, 0.1), 0.1, POSE)
        gaze.estimate(sample, HeadPose(0, 0, 0), neutral_learned=True, face_pixels=150)
    return gaze


def test_the_baseline_of_the_eyes_stands_without_its_history() -> None:
    earlier, now = watched_gaze(0.0), watched_gaze(30.0)
    assert now.learned
    for history in (None, earlier.history):
        other = GazeEstimator(now.state, history)
        assert (other.aim, other.lids, other.learned) == (now.aim, now.lids, True)
        assert list(other.memory) == []


def test_a_background_from_before_the_camera_was_moved_is_not_used() -> None:
    watch = CameraMovementDetector()

    def see(across: float, times: Iterable[int]) -> list[bool]:
        return [watch.update(Frame(float(n), room(across)), [FACE]).moved for n in times]

    see(0, range(5))
    older = watch.backgrounds
    assert any(see(110, range(5, 15)))

    watch = CameraMovementDetector(watch.state, older)
    assert not any(see(110, range(15, 25))), "the same movement is told again"


def test_a_camera_that_is_moved_while_nobody_looks_is_told() -> None:
    watch = CameraMovementDetector()
    for n in range(5):
        watch.update(Frame(float(n), room()), [FACE])
    watch = CameraMovementDetector(watch.state, watch.backgrounds)
    assert any(watch.update(Frame(float(n), room(110)), [FACE]).moved for n in range(8, 15))


def test_a_face_on_the_wall_stays_a_picture_without_its_path() -> None:
    faces = DepictedFaceDetector()

    def see(n: int) -> bool | None:
        own = face(CANDIDATE, 200, 200, 60, 3 * np.sin(n / 10))
        return faces.update(n / 10, (own, face(OTHER, 500, 100, 20)), CANDIDATE)[OTHER].depicted

    assert [see(n) for n in range(50)][-1] is True
    faces = DepictedFaceDetector(faces.state)
    assert {see(n) for n in range(60, 110)} == {True}


def mesh(n: int) -> Mesh:
    return np.random.default_rng(n).uniform(100, 300, (478, 3)).astype(np.float32)


def test_movement_of_another_track_is_not_used() -> None:
    tracker = LivenessTracker(None)
    for n in range(30):
        tracker.update(n / 10, 1, mesh(n))
    older = tracker.history
    tracker.update(3.0, 2, mesh(30))

    other = LivenessTracker(None, tracker.state, older)

    assert older is not None
    assert len(older.motion.times)
    assert other.history is not None
    assert len(other.history.motion.times) == 0
    assert other.state == tracker.state


def reference(seed: int) -> FaceReference:
    generator = np.random.default_rng(seed)
    whole = generator.normal(0, 0.1, 128).astype(np.float32)
    return FaceReference(whole, FaceHalves({}, np.zeros((150, 150), np.float32)))


def test_probes_that_were_discarded_since_are_not_used() -> None:
    probes = tuple(Probe(float(n), reference(n).whole, None) for n in range(3))
    faces = VerifierFaces(reference(9), probes=probes)
    state = VerifierState(begun=True, probes=(2.0, 4.0), next=20.0)

    verifier = IdentityVerifier(None, state=state, faces=faces)

    assert verifier.state.probes == (2.0,)
    assert verifier.state.next == 20.0


def test_a_lost_reference_is_made_again_at_once_or_comes_from_the_photo() -> None:
    state = VerifierState(begun=True, next=20.0)
    assert IdentityVerifier(None, state=state).state.next == float("-inf")
    photo = IdentityVerifier(None, state=state, reference=reference(1))
    assert photo.state.next == 20.0
    assert photo.state.from_photo


def still(n: int) -> Pixels:
    """A picture that stands still, after some of a camera."""
    return source(min(n, 10))


@pytest.mark.parametrize("with_pictures", [True, False])
def test_a_picture_that_stands_still_goes_on_standing_still(with_pictures: bool) -> None:
    stream = InjectionDetector()
    for n in range(40):
        stream.update(Frame(n / 5, still(n)))
    stream = InjectionDetector(stream.state, stream.pictures if with_pictures else None)
    since = stream.update(Frame(10.0, still(50))).unchanged_for
    assert since == pytest.approx(8.0, abs=0.3)


@pytest.mark.parametrize(
    ("kept", "within"),
    [("all", 0.2), ("a minute", 3.5), ("nothing", 7.5)],
)
def test_a_loop_is_found_again_the_sooner_the_more_is_kept(kept: str, within: float) -> None:
    """A loop of four seconds; after the snapshot as in the table of ``docs/internals/vision.md``."""
    frames = list(sampled(4.0, 8))
    half = len(frames) // 2
    detector = RepetitionDetector()
    for time, pixels in frames[:half]:
        detector.update(Frame(time, pixels))
    assert detector.repetition(frames[half - 1][0]) is not None
    histories = {"all": detector.history(), "a minute": detector.history(600, returned=False)}
    detector = RepetitionDetector(histories.get(kept))
    found = None
    for time, pixels in frames[half:]:
        detector.update(Frame(time, pixels))
        if detector.repetition(time) is not None:
            found = time
            break
    assert found is not None
    assert found - frames[half - 1][0] <= within


def test_a_part_of_the_digests_begins_a_new_ring() -> None:
    detector = RepetitionDetector()
    for time, pixels in sampled(4.0, 3):
        detector.update(Frame(time, pixels))
    part = replace(detector.history(), digests=np.arange(5, dtype=np.uint64), times=np.arange(5.0))
    again = RepetitionDetector(part).history()
    assert again.pictures == 5
    assert again.digests.tolist() == [0, 1, 2, 3, 4]
