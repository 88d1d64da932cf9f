"""The whole visual path of one session on real pixels with the real networks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from proctoring.vision.analyser import FrameAnalysis, VisionAnalyser, VisionModels
from proctoring.vision.frame import Frame, Pixels

from .conftest import photograph, warp


def analyse(
    models: VisionModels, pictures: Iterable[Pixels], *, mirrored: bool = False
) -> list[FrameAnalysis]:
    """Ten pictures a second through one session's analyser."""
    analyser = VisionAnalyser(models, mirrored=mirrored)
    return [analyser.analyse(Frame(index / 10, pixels)) for index, pixels in enumerate(pictures)]


def test_a_face_is_found_followed_and_read(vision_models: VisionModels, astronaut: Pixels) -> None:
    analyses = analyse(vision_models, [astronaut] * 40)

    for analysis in analyses:
        (face,) = analysis.observation.faces or ()
        assert face.track == 1
        assert face.presence > 0.9
        assert face.box.left == pytest.approx(244, abs=5)
        assert face.box.bottom == pytest.approx(199, abs=5)
        assert analysis.meshes[1].shape == (478, 3)
        assert analysis.milliseconds["faces"] > 0
    candidate = analyses[-1].observation.candidate
    assert candidate is not None
    assert candidate.head is not None
    assert max(abs(candidate.head.yaw), abs(candidate.head.pitch), abs(candidate.head.roll)) < 1
    assert candidate.gaze is not None
    assert abs(candidate.gaze.yaw) < 3
    assert candidate.gaze.pitch is not None
    assert abs(candidate.gaze.pitch) < 3
    assert candidate.eyes_open is True


def test_before_neutral_is_learned_the_head_is_not_read_and_the_reason_is_said(
    vision_models: VisionModels, astronaut: Pixels
) -> None:
    (first,) = analyse(vision_models, [astronaut])

    assert first.observation.candidate is not None
    assert first.observation.candidate.head is None
    assert {entry.what for entry in first.observation.not_read} == {"head", "gaze"}


@pytest.mark.parametrize("name", ["coffee", "chelsea"])
def test_pictures_without_people_have_no_faces(vision_models: VisionModels, name: str) -> None:
    (analysis,) = analyse(vision_models, [photograph(name)])

    assert analysis.observation.faces == ()
    assert analysis.observation.candidate is None


def test_a_face_that_moves_keeps_its_track(vision_models: VisionModels) -> None:
    portrait = photograph("astronaut")
    analyses = analyse(
        vision_models, [warp(portrait, shift=(64.0 + 8 * step, 20.0)) for step in range(20)]
    )

    lefts = []
    for analysis in analyses:
        (face,) = analysis.observation.faces or ()
        assert face.track == 1
        lefts.append(face.box.left)
    assert np.diff(lefts) == pytest.approx(np.full(19, 8.0), abs=2)


def test_a_head_tilted_in_the_picture_rolls_and_mirroring_flips_its_side(
    vision_models: VisionModels,
) -> None:
    portrait = photograph("astronaut")
    straight, tilted = (warp(portrait, shift=(64.0, 20.0), turn=turn) for turn in (0.0, -15.0))
    pictures = [straight] * 20 + [tilted] * 3

    for mirrored, roll in ((False, 15.0), (True, -15.0)):
        candidate = analyse(vision_models, pictures, mirrored=mirrored)[-1].observation.candidate
        assert candidate is not None
        assert candidate.head is not None
        # Clockwise in the picture is towards the candidate's left shoulder.
        assert candidate.head.roll == pytest.approx(roll, abs=3)
