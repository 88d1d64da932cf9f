"""Annotations, found in the picture by their colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.recording.conftest import AnalysedClip

from proctoring.incidents import IncidentChange, IncidentState, Severity
from proctoring.observations import (
    Box,
    Candidate,
    Detection,
    FrameObservation,
    Gaze,
    HeadPose,
    ObjectDetections,
)
from proctoring.recording.annotation import FrameAnnotator
from proctoring.vision.analyser import FrameAnalysis
from proctoring.vision.frame import Frame, Pixels

GREY = Frame(3.0, np.full((480, 640, 3), 60, np.uint8))
YELLOW, RED, BLUE = (255, 221, 51), (255, 80, 80), (90, 150, 255)


def flat_face() -> NDArray[np.float32]:
    """Landmarks on a disc of 100 pixels around the middle, the irises and the nose in place."""
    random = np.random.default_rng(7)
    angle, radius = random.uniform(0, 2 * np.pi, 478), 100 * np.sqrt(random.uniform(0, 1, 478))
    mesh = np.stack([320 + radius * np.cos(angle), 240 + radius * np.sin(angle), 0 * angle], axis=1)
    mesh[1] = (320, 250, 0)
    mesh[468:473] = [(290, 220, 0), (296, 220, 0), (290, 226, 0), (284, 220, 0), (290, 214, 0)]
    mesh[473:478] = mesh[468:473] + np.array([60, 0, 0])
    return mesh.astype(np.float32)


def analysis_of(gaze: Gaze | None = None, head: HeadPose | None = None) -> FrameAnalysis:
    candidate = Candidate(1, head, gaze, eyes_open=True)
    observation = FrameObservation(3.0, 640, 480, (), candidate, None)
    return FrameAnalysis(observation, {1: flat_face()}, {})


def nearly(picture: Pixels, colour: tuple[int, int, int]) -> NDArray[np.intp]:
    """(n, 2) where the colour is: x, y."""
    close = np.abs(picture.astype(int) - colour).max(axis=2) < 30
    return np.argwhere(close)[:, ::-1]


@pytest.mark.parametrize(
    ("gaze", "mirrored", "side"),
    [
        (Gaze(40, 0, 1), False, "right"),
        (Gaze(-40, 0, 1), False, "left"),
        (Gaze(40, 0, 1), True, "left"),
        (Gaze(0, 40, 1), False, "up"),
        (Gaze(0, -40, 1), False, "down"),
        (Gaze(40, None, 1), False, "right"),
    ],
)
def test_the_gaze_arrow_points_where_the_candidate_looks(
    gaze: Gaze, mirrored: bool, side: str
) -> None:
    drawn = FrameAnnotator(mirrored=mirrored).annotate(GREY, analysis_of(gaze), ())
    points = nearly(drawn, YELLOW)
    reach = {
        "left": 320 - points[:, 0].min(),
        "right": points[:, 0].max() - 320,
        "up": 220 - points[:, 1].min(),
        "down": points[:, 1].max() - 220,
    }
    assert reach[side] > 100
    assert max(value for key, value in reach.items() if key != side) < 60


@pytest.mark.parametrize(
    ("head", "towards"),
    [
        (HeadPose(40, 0, 0), (1, 0)),
        (HeadPose(-40, 0, 0), (-1, 0)),
        (HeadPose(0, 40, 0), (0, -1)),
        (HeadPose(0, -40, 0), (0, 1)),
    ],
)
def test_the_axis_out_of_the_face_points_where_the_nose_does(
    head: HeadPose, towards: tuple[int, int]
) -> None:
    points = nearly(FrameAnnotator().annotate(GREY, analysis_of(head=head), ()), BLUE) - [320, 250]
    farthest = points[np.abs(points).sum(axis=1).argmax()]
    assert farthest @ towards > 40


def test_roll_to_the_left_shoulder_lowers_the_pictures_right() -> None:
    points = nearly(
        FrameAnnotator().annotate(GREY, analysis_of(head=HeadPose(0, 0, 30)), ()), RED
    ) - [320, 250]
    farthest = points[points[:, 0].argmax()]
    assert farthest[1] > 15


def test_the_mesh_covers_the_face_and_nothing_else() -> None:
    drawn = FrameAnnotator().annotate(GREY, analysis_of(), ())
    changed = np.argwhere(drawn[:450].max(axis=2) > 90)
    assert len(changed) > 2000
    assert np.linalg.norm(changed - [240, 320], axis=1).max() < 110


def test_objects_are_framed() -> None:
    phone = Detection("cell phone", 0.8, Box(400, 300, 500, 400))
    analysis = analysis_of()
    observation = replace(analysis.observation, objects=ObjectDetections((phone,), (), "ssd"))
    drawn = FrameAnnotator().annotate(GREY, replace(analysis, observation=observation), ())
    assert (drawn[350, 400] != 60).any()
    assert (drawn[350, 450] == 60).all()


def test_a_caption_is_shown_while_its_incident_is_open() -> None:
    start = IncidentChange(
        1, "gaze.left", "Looking Left", IncidentState.STARTED, Severity.WARNING, 1, 1, 2, "", True
    )
    annotator = FrameAnnotator()
    corner = (slice(0, 24), slice(0, 200))
    assert (annotator.annotate(GREY, analysis_of(), ())[corner] == 60).all()
    assert (annotator.annotate(GREY, analysis_of(), (start,))[corner] != 60).any()
    assert (annotator.annotate(GREY, analysis_of(), ())[corner] != 60).any()
    end = replace(start, state=IncidentState.ENDED)
    assert (annotator.annotate(GREY, analysis_of(), (end,))[corner] == 60).all()


def test_annotating_copies_the_frame(analysed_clip: AnalysedClip) -> None:
    annotator = FrameAnnotator()
    for analysed in analysed_clip.frames[20:120:20]:
        before = analysed.frame.pixels.copy()
        drawn = annotator.annotate(analysed.frame, analysed.analysis, analysed.changes)
        assert drawn.shape == before.shape
        assert (drawn != before).any()
        assert (analysed.frame.pixels == before).all()
