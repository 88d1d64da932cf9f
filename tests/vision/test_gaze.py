"""Gaze by iris, lids and head, against a baseline that cannot be manipulated."""

from __future__ import annotations

import pytest

from proctoring.observations import HeadPose
from proctoring.vision.eyes import EyeShape
from proctoring.vision.gaze import (
    DEGREES_PER_EYE_WIDTH,
    FIRST_SECONDS,
    LOST_SECONDS,
    MAX_AIM,
    EyeMeasurement,
    GazeEstimate,
    GazeEstimator,
)
from proctoring.vision.lids import DOWN_DEGREES, UP_DEGREES

STILL = HeadPose(0.0, 0.0, 0.0)
LEVEL = EyeShape(iris_across=0.02, iris_down=-0.05, upper_lid=-0.19, lower_lid=0.11)


def eyes(
    *, left: float = 0.0, iris: float = 0.0, upper: float = 0.0, lower: float = 0.0
) -> EyeShape:
    """``LEVEL``, changed by degrees to the candidate's left and eye widths downwards."""
    return EyeShape(
        LEVEL.iris_across + left / DEGREES_PER_EYE_WIDTH,
        LEVEL.iris_down + iris,
        LEVEL.upper_lid + upper,
        LEVEL.lower_lid + lower,
    )


class Sitting:
    """One session's gaze reader, fed ten frames a second."""

    def __init__(self) -> None:
        self.estimator = GazeEstimator()
        self.time = 0.0

    def look(
        self,
        shape: EyeShape = LEVEL,
        head: HeadPose = STILL,
        seconds: float = 0.1,
        *,
        look_up: float = 0.05,
        pixels: float = 150.0,
    ) -> GazeEstimate:
        """Hold a look; the last frame's reading."""
        for _ in range(round(seconds * 10)):
            reading = self.estimator.estimate(
                EyeMeasurement(self.time, shape, look_up, head),
                head,
                neutral_learned=True,
                face_pixels=pixels,
            )
            self.time += 0.1
        return reading


@pytest.fixture
def sitting() -> Sitting:
    """A session whose baseline is settled."""
    sitting = Sitting()
    sitting.look(seconds=4.0)
    return sitting


def pitch(reading: GazeEstimate) -> float:
    assert reading.gaze is not None
    assert reading.gaze.pitch is not None
    return reading.gaze.pitch


def test_scores_of_looking_up_are_not_needed_where_they_change_nothing(sitting: Sitting) -> None:
    assert GazeEstimator().needs_look_up(LEVEL, STILL)  # the baseline is learned from them
    looks = [
        (eyes(iris=iris, upper=upper), HeadPose(0.0, head, 0.0))
        for iris in (-0.06, -0.01, 0.0, 0.03)
        for upper in (-0.05, -0.01, 0.0, 0.06, 0.1)
        for head in (-20.0, -9.0, 0.0, 9.0, 20.0)
    ]
    needed = [look for look in looks if sitting.estimator.needs_look_up(*look)]
    assert 0 < len(needed) < len(looks) / 2
    for shape, head in looks:
        without = sitting.look(shape, head, look_up=0.0)
        if (shape, head) not in needed:
            assert without == sitting.look(shape, head, look_up=0.4)


def test_nothing_is_read_before_the_baseline_is_learned() -> None:
    reading = Sitting().look(seconds=FIRST_SECONDS - 0.3)

    assert reading.gaze is None
    assert "baseline" in reading.reason


def test_a_level_look_reads_as_level(sitting: Sitting) -> None:
    reading = sitting.look()

    assert reading.gaze is not None
    assert reading.gaze.yaw == pytest.approx(0, abs=0.5)
    assert pitch(reading) == pytest.approx(0, abs=0.5)
    assert reading.gaze.confidence > 0.9
    assert reading.eyes_open is True


@pytest.mark.parametrize("left", [-25.0, -8.0, 8.0, 25.0])
def test_eyes_that_turn_read_their_degrees(sitting: Sitting, left: float) -> None:
    reading = sitting.look(eyes(left=left))

    assert reading.gaze is not None
    assert reading.gaze.yaw == pytest.approx(left, abs=0.5)


def test_a_head_that_turns_while_the_eyes_stay_on_the_screen_reads_as_level(
    sitting: Sitting,
) -> None:
    reading = sitting.look(eyes(left=-20), HeadPose(20.0, 0.0, 0.0))

    assert reading.gaze is not None
    assert reading.gaze.yaw == pytest.approx(0, abs=0.5)


def test_lids_that_fall_with_the_look_read_as_down(sitting: Sitting) -> None:
    assert pitch(sitting.look(eyes(iris=0.05, upper=0.1))) <= -DOWN_DEGREES


def test_the_bottom_of_the_screen_reads_as_less_than_down(sitting: Sitting) -> None:
    assert -DOWN_DEGREES < pitch(sitting.look(eyes(iris=0.02, upper=0.05))) < -3


def test_a_look_further_down_reads_more_degrees(sitting: Sitting) -> None:
    near, far = sitting.look(eyes(upper=0.1)), sitting.look(eyes(upper=0.14))

    assert pitch(far) < pitch(near)


def test_a_low_head_needs_less_of_the_lids(sitting: Sitting) -> None:
    assert pitch(sitting.look(eyes(upper=0.06), HeadPose(0.0, -20.0, 0.0))) <= -DOWN_DEGREES


def test_a_low_head_with_the_eyes_on_the_screen_is_not_down(sitting: Sitting) -> None:
    assert pitch(sitting.look(eyes(upper=-0.02), HeadPose(0.0, -20.0, 0.0))) > -DOWN_DEGREES


@pytest.mark.parametrize("shape", [eyes(upper=0.25, lower=-0.02), eyes(upper=0.12, lower=-0.08)])
def test_eyes_that_shut_are_not_read(sitting: Sitting, shape: EyeShape) -> None:
    reading = sitting.look(shape)

    assert reading.gaze is None
    assert reading.reason == "eyes shut"
    assert reading.eyes_open is False


def test_raised_eyes_read_as_up(sitting: Sitting) -> None:
    assert pitch(sitting.look(eyes(iris=-0.05, upper=-0.04), look_up=0.3)) >= UP_DEGREES


@pytest.mark.parametrize("head_up", [16.0, 30.0])
def test_a_raised_head_reads_as_up(sitting: Sitting, head_up: float) -> None:
    assert pitch(sitting.look(LEVEL, HeadPose(0.0, head_up, 0.0))) >= UP_DEGREES


def test_a_head_turned_far_gives_sideways_only(sitting: Sitting) -> None:
    reading = sitting.look(eyes(upper=0.1), HeadPose(40.0, 0.0, 0.0))

    assert reading.gaze is not None
    assert reading.gaze.yaw == pytest.approx(40, abs=1)
    assert reading.gaze.pitch is None
    assert "turned" in reading.reason


def test_small_faces_are_not_read(sitting: Sitting) -> None:
    reading = sitting.look(pixels=79.0)

    assert reading.gaze is None
    assert "80 pixels" in reading.reason


def test_a_small_face_teaches_nothing() -> None:
    sitting = Sitting()
    sitting.look(eyes(upper=0.1), seconds=6.0, pixels=60.0)
    sitting.look(seconds=4.0)

    assert pitch(sitting.look()) == pytest.approx(0, abs=0.5)


def test_confidence_falls_with_turn_size_and_narrow_eyes(sitting: Sitting) -> None:
    def confidence(**how: object) -> float:
        reading = sitting.look(**how)  # type: ignore[arg-type]
        assert reading.gaze is not None
        return reading.gaze.confidence

    full = confidence()
    assert confidence(head=HeadPose(45.0, 0.0, 0.0)) < full
    assert confidence(pixels=90.0) < full
    assert confidence(shape=eyes(upper=0.1, lower=-0.04)) < full


def test_the_baseline_is_learned_at_two_frames_a_second_too() -> None:
    sitting = Sitting()
    for _ in range(12):
        reading = sitting.look()
        sitting.time += 0.4

    assert sitting.estimator.aim_settled
    assert sitting.estimator.lids_settled
    assert pitch(reading) == pytest.approx(0, abs=0.5)


def test_blinks_while_learning_do_not_matter() -> None:
    sitting = Sitting()
    for _ in range(8):
        sitting.look(eyes(upper=0.28), seconds=0.1)
        sitting.look(seconds=0.4)

    assert pitch(sitting.look()) == pytest.approx(0, abs=0.5)


def test_looking_down_from_the_first_second_is_not_learned_as_level() -> None:
    sitting = Sitting()
    down = sitting.look(eyes(iris=0.05, upper=0.11), seconds=10.0)
    assert down.gaze is not None
    assert down.gaze.pitch is None  # refused: not read rather than read as level

    sitting.look(seconds=4.0)
    assert pitch(sitting.look()) == pytest.approx(0, abs=1)
    assert pitch(sitting.look(eyes(iris=0.05, upper=0.11))) <= -DOWN_DEGREES


@pytest.mark.parametrize("side", [1, -1])
def test_looking_aside_from_the_first_second_is_not_learned_as_ahead(side: int) -> None:
    sitting = Sitting()
    aside = sitting.look(eyes(left=side * (MAX_AIM + 10)), seconds=30.0)
    assert aside.gaze is not None
    assert aside.gaze.yaw * side > 14

    sitting.look(seconds=4.0)
    ahead = sitting.look()
    assert ahead.gaze is not None
    assert abs(ahead.gaze.yaw) < 1


def test_an_aim_learned_askew_is_corrected_towards_the_one_held_most() -> None:
    sitting = Sitting()
    sitting.look(eyes(left=8), seconds=4.0)
    first = sitting.look()
    assert first.gaze is not None
    assert first.gaze.yaw == pytest.approx(-8, abs=1)

    sitting.look(seconds=150.0)
    later = sitting.look()
    assert later.gaze is not None
    assert abs(later.gaze.yaw) < 1.5


def test_looks_aside_now_and_then_do_not_move_the_aim(sitting: Sitting) -> None:
    for _ in range(20):
        sitting.look(seconds=6.0)
        sitting.look(eyes(left=15), seconds=3.0)

    reading = sitting.look()
    assert reading.gaze is not None
    assert abs(reading.gaze.yaw) < 1


def test_a_face_lost_while_the_head_went_down_counts_as_down_for_a_while(
    sitting: Sitting,
) -> None:
    for turn in (-5.0, -12.0, -18.0):
        sitting.look(LEVEL, HeadPose(0.0, turn, 0.0))
    lost_at = sitting.time

    first = sitting.estimator.estimate_while_lost(lost_at)
    assert first is not None
    assert first.pitch is not None
    assert first.pitch <= -DOWN_DEGREES
    assert first.confidence < 0.5
    assert sitting.estimator.estimate_while_lost(lost_at + LOST_SECONDS - 0.1) is not None
    assert sitting.estimator.estimate_while_lost(lost_at + LOST_SECONDS + 0.1) is None


def test_a_level_face_that_is_lost_has_no_gaze(sitting: Sitting) -> None:
    assert sitting.estimator.estimate_while_lost(sitting.time) is None


def test_a_face_lost_twice_is_estimated_anew(sitting: Sitting) -> None:
    sitting.look(LEVEL, HeadPose(0.0, -18.0, 0.0))
    assert sitting.estimator.estimate_while_lost(sitting.time) is not None
    sitting.time += 0.5
    sitting.look(seconds=1.0)

    assert sitting.estimator.estimate_while_lost(sitting.time) is None
