"""Faces tracked from frame to frame, on real pixels with the real networks."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import pytest

from proctoring.models.network import Network
from proctoring.vision.face_tracking import MAX_FACES, FaceTracker, TrackedFace
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.networks import VisionModels

from .conftest import photograph, warp

WALL = np.full((480, 640, 3), 90, np.uint8)


def follow(
    models: VisionModels,
    pictures: Iterable[Pixels],
    detector: object = None,
    *,
    gated: bool = False,
) -> list[tuple[TrackedFace, ...]]:
    """The faces in pictures a tenth of a second apart."""
    assert models.faces is not None
    tracker = FaceTracker(models.faces.detector, models.faces.landmarker, gated=gated)
    if detector is not None:
        tracker._detector = detector  # type: ignore[assignment]
    return [tracker.update(Frame(index / 10, pixels)) for index, pixels in enumerate(pictures)]


def heads(*places: tuple[int, int], size: int = 150) -> Pixels:
    """A wall with the astronaut's head at each of these places (left, top)."""
    head = cv2.resize(photograph("astronaut")[0:220, 120:340], (size, size))
    picture = WALL.copy()
    for left, top in places:
        picture[top : top + size, left : left + size] = head
    return picture


def tracks(faces: tuple[TrackedFace, ...]) -> list[int]:
    return [face.track for face in faces]


class CountingDetector:
    """The real detector, and how often it was asked."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.calls = 0

    def __call__(self, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        self.calls += 1
        return self.network(*arrays)


def test_two_faces_have_two_tracks_and_keep_them(vision_models: VisionModels) -> None:
    seen = follow(vision_models, [heads((60 + 4 * step, 100), (400, 200)) for step in range(12)])

    assert all(sorted(tracks(faces)) == [1, 2] for faces in seen)
    by_track = [{face.track: face.box.left for face in faces} for faces in seen]
    left = min(by_track[0], key=lambda track: by_track[0][track])
    assert by_track[-1][left] - by_track[0][left] == pytest.approx(44, abs=4)


def test_a_newcomer_is_seen_within_about_a_second(vision_models: VisionModels) -> None:
    seen = follow(vision_models, [heads((60, 100))] * 3 + [heads((60, 100), (400, 200))] * 11)

    assert all(tracks(faces) == [1] for faces in seen[:3])
    assert tracks(seen[-1]) == [1, 2]


def test_while_one_face_is_tracked_the_detector_runs_about_once_a_second(
    vision_models: VisionModels,
) -> None:
    assert vision_models.faces is not None
    detector = CountingDetector(vision_models.faces.detector)
    seen = follow(vision_models, [heads((200, 150))] * 30, detector)

    assert all(tracks(faces) == [1] for faces in seen)
    assert detector.calls == 3


def test_a_face_that_was_away_is_a_new_track_and_the_old_number_is_not_reused(
    vision_models: VisionModels,
) -> None:
    seen = follow(vision_models, [heads((60, 100))] * 2 + [WALL] * 2 + [heads((60, 100))] * 2)

    assert [tracks(faces) for faces in seen] == [[1], [1], [], [], [2], [2]]


def test_a_face_that_jumps_is_found_again_in_the_same_frame(vision_models: VisionModels) -> None:
    seen = follow(vision_models, [heads((20, 20)), heads((20, 20)), heads((440, 300))])

    assert len(seen[2]) == 1
    assert seen[2][0].box.left > 440


def test_two_tracks_that_meet_on_one_face_become_one(vision_models: VisionModels) -> None:
    apart = [heads((80 + 12 * step, 150), (400, 150)) for step in range(27)]
    seen = follow(vision_models, [*apart, *[heads((400, 150))] * 12])

    assert len(seen[0]) == 2
    assert all(len(faces) == 1 for faces in seen[-10:])


def test_only_the_largest_faces_are_tracked(vision_models: VisionModels) -> None:
    places = [(20 + 205 * column, 10 + 235 * row) for row in range(2) for column in range(3)]
    seen = follow(vision_models, [heads(*places)] * 3)

    assert all(len(faces) == MAX_FACES for faces in seen)


@pytest.mark.parametrize("turn", [-60, -30, 30, 60])
def test_a_head_tilted_far_is_still_tracked(vision_models: VisionModels, turn: int) -> None:
    portrait = photograph("astronaut")
    steps = np.linspace(0, turn, 13)
    seen = follow(vision_models, [warp(portrait, shift=(64, 60), turn=step) for step in steps])

    assert all(tracks(faces) == [1] for faces in seen)


@pytest.mark.parametrize("scale", [0.5, 0.7, 1.5, 2.5])
def test_small_and_large_faces_are_found(vision_models: VisionModels, scale: float) -> None:
    (faces,) = follow(
        vision_models, [warp(photograph("astronaut"), shift=(64, 120 * scale), scale=scale)]
    )

    assert len(faces) == 1
    assert faces[0].box.width == pytest.approx(91 * scale, rel=0.1)


def test_a_dim_face_is_found(vision_models: VisionModels, astronaut: Pixels) -> None:
    (faces,) = follow(vision_models, [(astronaut * 0.2).astype(np.uint8)])

    assert len(faces) == 1


@pytest.mark.parametrize("shape", [(32, 32), (33, 500), (720, 64)])
def test_pictures_of_odd_shapes_are_analysed(
    vision_models: VisionModels, shape: tuple[int, int]
) -> None:
    assert follow(vision_models, [np.zeros((*shape, 3), np.uint8)] * 2) == [(), ()]


def test_new_faces_are_looked_for_where_something_changes(vision_models: VisionModels) -> None:
    """While nothing does, every three seconds; somebody who comes in is found in the same frame as ever."""
    assert vision_models.faces is not None
    alone, together = heads((60, 100)), heads((60, 100), (400, 200))
    pictures = [alone] * 34 + [together] * 8
    found, calls = [], []
    for gated in (True, False):
        detector = CountingDetector(vision_models.faces.detector)
        seen = follow(vision_models, pictures, detector, gated=gated)
        found.append([len(faces) for faces in seen])
        calls.append(detector.calls)
    assert found[0] == found[1]
    assert found[0][-1] == 2
    assert calls == [3, 5]
