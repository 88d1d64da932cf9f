"""The whole visual path of one session on real pixels with the real networks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from proctoring.errors import BadFrameError
from proctoring.observations import FrameObservation, ObjectDetections
from proctoring.vision.analyser import FrameAnalysis, VisionAnalyser
from proctoring.vision.decode import read_jpeg
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.networks import VisionModels
from proctoring.vision.neutral import LEARNING_SECONDS
from proctoring.vision.steps import Steps
from proctoring.vision.video_file import read_frames

from .conftest import photograph, warp


def analyse(
    models: VisionModels, pictures: Iterable[Pixels], *, mirrored: bool = False
) -> list[FrameAnalysis]:
    """Ten pictures a second through one session's analyser."""
    analyser = VisionAnalyser(models, mirrored=mirrored)
    return [analyser.analyse(Frame(index / 10, pixels)) for index, pixels in enumerate(pictures)]


def test_a_face_is_detected_tracked_and_measured(
    vision_models: VisionModels, astronaut: Pixels
) -> None:
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


def test_a_frame_that_is_measured_whatever_it_shows_is_decoded_once(
    vision_models: VisionModels, astronaut: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = simplejpeg.encode_jpeg(astronaut)
    decode, decoded = simplejpeg.decode_jpeg, []

    def counted(*given: object, colorspace: str, **more: object) -> object:
        decoded.append(colorspace)
        return decode(*given, colorspace=colorspace, **more)

    monkeypatch.setattr(simplejpeg, "decode_jpeg", counted)
    VisionAnalyser(vision_models).analyse_immediate(Frame(0.0, read_jpeg(data)))
    assert decoded == ["RGB"]


def test_a_damaged_frame_leaves_the_session_as_it_was(
    vision_models: VisionModels, astronaut: Pixels
) -> None:
    data = simplejpeg.encode_jpeg(astronaut)
    analyser = VisionAnalyser(vision_models)
    with pytest.raises(BadFrameError):
        analyser.analyse_immediate(Frame(1.0, read_jpeg(data[: len(data) // 2])))
    assert analyser.is_due(1.0)
    assert analyser.analyse_immediate(Frame(1.0, read_jpeg(data))).observation.faces


def test_before_neutral_is_learned_the_head_is_not_read_and_the_reason_is_said(
    vision_models: VisionModels, astronaut: Pixels
) -> None:
    (first,) = analyse(vision_models, [astronaut])

    assert first.observation.candidate is not None
    assert first.observation.candidate.head is None
    assert {entry.what for entry in first.observation.not_read} == {"head", "gaze", "identity"}


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


def test_a_mirrored_session_reads_the_same_sides(vision_models: VisionModels) -> None:
    portrait = photograph("astronaut")
    straight, tilted = (warp(portrait, shift=(64.0, 20.0), turn=turn) for turn in (0.0, 12.0))
    pictures = [straight] * 30 + [tilted] * 5

    plain = analyse(vision_models, pictures)[-1].observation.candidate
    flipped = [np.ascontiguousarray(picture[:, ::-1]) for picture in pictures]
    mirrored = analyse(vision_models, flipped, mirrored=True)[-1].observation.candidate

    assert plain is not None
    assert mirrored is not None
    assert plain.head is not None
    assert mirrored.head is not None
    assert mirrored.head.roll == pytest.approx(plain.head.roll, abs=2)
    assert mirrored.head.yaw == pytest.approx(plain.head.yaw, abs=2)
    assert mirrored.head.pitch == pytest.approx(plain.head.pitch, abs=2)


def test_an_empty_chair_has_no_faces(vision_models: VisionModels, astronaut: Pixels) -> None:
    chair = np.full_like(astronaut, 90)
    analyses = analyse(vision_models, [astronaut] * 20 + [chair] * 5 + [astronaut] * 5)

    gone = analyses[22].observation
    assert gone.faces == ()
    assert gone.candidate is None
    back = analyses[-1].observation
    assert [face.track for face in back.faces or ()] == [2]
    assert back.candidate is not None
    assert back.candidate.head is not None  # what was learned before is kept


def test_a_second_face_is_counted_and_the_candidate_stays_the_first(
    vision_models: VisionModels, astronaut: Pixels
) -> None:
    second = astronaut.copy()
    second[100:320, 420:640] = photograph("astronaut")[0:220, 120:340]
    analyses = analyse(vision_models, [astronaut] * 3 + [second] * 12)

    faces = analyses[-1].observation.faces or ()
    assert [face.track for face in faces] == [1, 2]
    assert faces[1].box.width > faces[0].box.width * 0.95
    candidate = analyses[-1].observation.candidate
    assert candidate is not None
    assert candidate.track == 1
    assert set(analyses[-1].meshes) == {1, 2}


def test_a_camera_that_was_moved_has_a_new_neutral_pose_to_learn(
    vision_models: VisionModels,
) -> None:
    room = warp(photograph("coffee"), scale=1.6)
    head = photograph("astronaut")[20:200, 130:320]

    def seen(across: int) -> Pixels:
        picture = warp(room, shift=(float(across), 0.0))
        picture[140:320, 220 + across : 410 + across] = head
        return picture

    analyses = analyse(vision_models, [seen(0)] * 30 + [seen(140)] * 60)
    unread = [
        analysis.observation.time
        for analysis in analyses[30:]
        if "head" in {entry.what for entry in analysis.observation.not_read}
    ]

    assert unread
    assert unread[-1] - unread[0] <= LEARNING_SECONDS
    assert analyses[-1].observation.candidate is not None
    assert analyses[-1].observation.candidate.head is not None


def test_each_analyser_runs_at_its_own_rate(vision_models: VisionModels, astronaut: Pixels) -> None:
    looked: list[int] = []

    def look(pixels: Pixels, **__: bool) -> Steps[ObjectDetections]:
        looked.append(pixels.shape[1])
        yield
        return ObjectDetections((), (), "counting")

    analyser = VisionAnalyser(replace(vision_models, objects=look))
    observed = []
    for index in range(90):  # three seconds at 30 frames a second
        time = index / 30
        if analyser.is_due(time):
            observed.append(analyser.analyse(Frame(time, astronaut)).observation)

    assert len([look for look in observed if look.faces is not None]) == 30
    assert len(looked) == 3
    assert [look.time for look in observed if look.objects is not None] == pytest.approx([0, 1, 2])


def test_a_frame_that_is_not_due_is_not_analysed(
    vision_models: VisionModels, astronaut: Pixels
) -> None:
    analyser = VisionAnalyser(vision_models)
    analyser.analyse(Frame(0.0, astronaut))

    assert not analyser.is_due(0.02)
    analysis = analyser.analyse(Frame(0.02, astronaut))
    assert analysis.observation.faces is None
    assert analysis.observation.candidate is None
    assert analysis.milliseconds == {}


def test_a_lower_rate_analyses_fewer_frames(vision_models: VisionModels, astronaut: Pixels) -> None:
    analyser = VisionAnalyser(vision_models, rate=2.0)
    times = [index / 10 for index in range(31)]
    looks = [time for time in times if analyser.analyse(Frame(time, astronaut)).meshes]

    assert len(looks) == pytest.approx(6, abs=1)


def test_without_the_face_networks_the_other_capabilities_go_on(astronaut: Pixels) -> None:
    def look(_: Pixels, **__: bool) -> Steps[ObjectDetections]:
        yield
        return ObjectDetections((), (), "none")

    analyser = VisionAnalyser(VisionModels(None, look, ()))
    observation = analyser.analyse(Frame(0.0, astronaut)).observation

    assert observation.faces is None
    assert observation.objects is not None


def test_sessions_do_not_share_what_they_learn(
    vision_models: VisionModels, astronaut: Pixels
) -> None:
    first, second = VisionAnalyser(vision_models), VisionAnalyser(vision_models)
    for index in range(20):
        first.analyse(Frame(index / 10, astronaut))

    candidate = second.analyse(Frame(2.0, astronaut)).observation.candidate
    assert candidate is not None
    assert candidate.head is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "label", "side"),
    [("center_left_center.mp4", (135, 240), -1), ("center_right_center.mp4", (150, 246), 1)],
)
def test_labelled_glances_of_the_eyes_alone_read_to_their_side(
    vision_models: VisionModels, shared_data: Path, name: str, label: tuple[int, int], side: int
) -> None:
    analyser = VisionAnalyser(vision_models)
    sides: Counter[str] = Counter()
    for index, frame in enumerate(read_frames(shared_data / "gaze" / "eyes_only" / name)):
        if index > label[1] or not analyser.is_due(frame.time):
            continue
        gaze = _gaze_yaw(analyser.analyse(frame).observation)
        if gaze is None:
            continue
        glance = label[0] <= index
        beyond = gaze * side > 14
        if glance or index < label[0] - 6:
            sides[f"{'glance' if glance else 'centre'} {'beyond' if beyond else 'within'}"] += 1

    assert sides["glance beyond"] > 35
    assert sides["glance within"] <= 2
    assert sides["centre beyond"] == 0
    assert sides["centre within"] > 35


def _gaze_yaw(observation: FrameObservation) -> float | None:
    if observation.candidate is None or observation.candidate.gaze is None:
        return None
    return observation.candidate.gaze.yaw
