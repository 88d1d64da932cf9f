"""Work follows change, and no change is missed: staged with a photograph, real networks, real JPEG."""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np
import pytest
from evaluation.gating.variants import Variant

from proctoring.observations import Box, FrameObservation
from proctoring.vision.frame import Pixels
from proctoring.vision.networks import VisionModels

from .conftest import warp
from .gated import FACE, RATE, Seen, eyes_moved, per_second, portrait, watch
from .moving import pushed, reshaped, turned_print

SETTLED = 6.0
"""Seconds until baselines and references are learned and a still face costs little."""
MOST_LANDMARKS = 4.0
"""Runs of the landmark network a second on a still face, at most."""
NOISES = [
    pytest.param(Variant(0, 90), marks=pytest.mark.slow),
    Variant(2, 60),
    pytest.param(Variant(5, 60), marks=pytest.mark.slow),
]
LOOKS = [(4.0, 0.0), (-4.0, 0.0), (0.0, -3.0), (0.0, 3.0)]
"""Right, left, up and down in the picture, in pixels of ``portrait``."""


@pytest.fixture(scope="module")
def face() -> Pixels:
    """``portrait``."""
    return portrait()


def box_of(observation: FrameObservation) -> Box:
    """Of the only face."""
    (face,) = observation.faces or ()
    return face.box


def looking_about(face: Pixels, since: float = SETTLED) -> tuple[list[float], list[Pixels]]:
    """Times at which the eyes move, and the pictures from each of them on: there and back, each way."""
    pictures = [face]
    for look in LOOKS:
        pictures += [eyes_moved(face, look), face]
    return [since + 0.8 * n for n in range(len(pictures) - 1)], pictures


def test_a_still_face_in_a_still_room_costs_little_and_is_measured_twice_a_second(
    vision_models: VisionModels, face: Pixels
) -> None:
    seen = watch(vision_models, lambda _: face, SETTLED + 4)

    assert per_second(seen, "landmarks", SETTLED) <= MOST_LANDMARKS
    assert longest_without(seen, "landmarks") <= 0.5
    for one in seen:
        age = (
            0.0
            if one.observation.carried_since is None
            else one.time - one.observation.carried_since
        )
        assert age <= 0.45, "carried for longer than half a second"


def longest_without(seen: list[Seen], name: str) -> float:
    """Most seconds from one frame in which a network ran to the next."""
    times = [one.time for one in seen if one.ran[name]]
    return float(max(np.diff([0.0, *times, seen[-1].time])))


@pytest.mark.parametrize("variant", NOISES, ids=str)
def test_eyes_that_move_in_a_still_head_are_measured_in_the_same_frame(
    vision_models: VisionModels, face: Pixels, variant: Variant
) -> None:
    times, pictures = looking_about(face)
    seen = watch(
        vision_models,
        lambda time: pictures[int(np.searchsorted(times, time + 1e-6))],
        times[-1] + 0.8,
        variant=variant,
    )

    for time in times:
        (moved,) = [one for one in seen if abs(one.time - time) < 0.01]
        assert moved.ran["landmarks"] == 1, f"not measured at {time:.1f} s"
        assert moved.observation.carried_since is None
    assert gaze(seen, times[0]) == pytest.approx(10, abs=4)
    assert gaze(seen, times[1]) == pytest.approx(0, abs=3)
    assert gaze(seen, times[2]) == pytest.approx(-20, abs=5)


def gaze(seen: list[Seen], time: float) -> float:
    """Yaw in degrees, in the picture, of the frame of this media time."""
    (one,) = [one for one in seen if abs(one.time - time) < 0.01]
    candidate = one.observation.candidate
    assert candidate is not None
    assert candidate.gaze is not None
    return candidate.gaze.yaw


@pytest.mark.slow
@pytest.mark.parametrize("speed", [1.0, 4.0], ids=lambda speed: f"{speed:g} pixels a second")
def test_a_head_that_drifts_is_followed(
    vision_models: VisionModels, face: Pixels, speed: float
) -> None:
    def drifting(time: float) -> Pixels:
        return pushed(face, FACE, 190.0, (max(0.0, time - SETTLED) * speed, 0.0))

    seen = watch(vision_models, drifting, SETTLED + 10)
    truth = watch(vision_models, drifting, SETTLED + 10, gated=False)

    for one, true in zip(seen, truth, strict=True):
        apart = box_of(one.observation).left - box_of(true.observation).left
        assert abs(apart) < 2.5, f"at {one.time:.1f} s"
    went = box_of(seen[-1].observation).left - box_of(seen[int(SETTLED * RATE)].observation).left
    assert went == pytest.approx(10 * speed, abs=2.5)


@pytest.mark.slow
def test_a_head_that_turns_by_a_degree_a_second_is_followed(
    vision_models: VisionModels, face: Pixels
) -> None:
    def turning(time: float) -> Pixels:
        return turned_print(face, max(0.0, time - SETTLED), 0.0, FACE)

    seen = watch(vision_models, turning, SETTLED + 12)
    truth = watch(vision_models, turning, SETTLED + 12, gated=False)

    for one, true in zip(seen, truth, strict=True):
        here, there = one.observation.candidate, true.observation.candidate
        if here is None or there is None or here.head is None or there.head is None:
            assert (here is None or here.head is None) == (there is None or there.head is None)
            continue
        assert here.head.yaw == pytest.approx(there.head.yaw, abs=1.5), f"at {one.time:.1f} s"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["another face", "a print of the same face"])
def test_a_photo_that_replaces_a_still_face_is_measured_scored_and_compared_at_once(
    vision_models: VisionModels, face: Pixels, kind: str
) -> None:
    cut = SETTLED + 1.3  # between two of the scores that are given once a second
    photo = warp(
        reshaped(face, FACE) if kind == "another face" else face, scale=0.96, shift=(4.0, 2.0)
    )
    seen = watch(vision_models, partial(_cut, face, photo, cut), cut + 5)

    (first,) = [one for one in seen if abs(one.time - cut) < 0.01]
    assert first.observation.carried_since is None
    assert first.ran["landmarks"] == first.ran["liveness"] == 1
    assert first.ran["identity"] >= 1  # a face that differs is compared by halves, too
    assert first.observation.liveness is not None
    assert first.observation.identity is not None


def test_a_still_face_is_scored_every_other_second_and_reported_every_second(
    vision_models: VisionModels, face: Pixels
) -> None:
    seen = watch(vision_models, lambda _: face, SETTLED + 5)

    scored = times_of("liveness", seen)
    assert scored == pytest.approx([0, 1, 2, 3, 4, 6, 8, 10])
    reported = [one for one in seen if one.observation.liveness is not None]
    assert [one.time for one in reported] == pytest.approx(range(11))
    scores = [one.observation.liveness and one.observation.liveness.score for one in reported]
    assert scores[-2] == scores[-3] != scores[-1]


def _cut(before: Pixels, after: Pixels, cut: float, time: float) -> Pixels:
    return before if time < cut - 1e-6 else after


def times_of(network: str, seen: list[Seen]) -> list[float]:
    """Media times of the frames in which it ran."""
    return [one.time for one in seen if one.ran[network]]


@pytest.mark.slow
@pytest.mark.parametrize("variant", NOISES, ids=str)
def test_slow_light_and_noise_neither_trigger_without_end_nor_hide_the_eyes(
    vision_models: VisionModels, face: Pixels, variant: Variant
) -> None:
    change, end = SETTLED + 14, SETTLED + 16

    def dimming(time: float) -> Pixels:
        at = eyes_moved(face, (4.0, 0.0)) if time > change - 1e-6 else face
        share = np.clip((time - SETTLED) / (end - SETTLED), 0, 1)
        return np.asarray(cv2.convertScaleAbs(at, alpha=1 - 0.25 * share), np.uint8)

    seen = watch(vision_models, dimming, end, variant=variant)

    still = [one for one in seen if one.time < change - 1e-6]
    assert per_second(still, "landmarks", SETTLED) <= MOST_LANDMARKS
    assert longest_without(seen, "landmarks") <= 0.5
    (moved,) = [one for one in seen if abs(one.time - change) < 0.01]
    assert moved.ran["landmarks"] == 1
