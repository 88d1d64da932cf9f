"""Enrolment: missing codes, when a session is ready, what is judged before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from tests.judgement.build import EXAM, look, of_kind, run_on, seen, times

from proctoring.errors import BadPolicyError
from proctoring.incidents import IncidentState
from proctoring.judgement import (
    JudgementState,
    Policy,
    initial_state,
    parse_policy,
    state_from_json,
    state_to_json,
)
from proctoring.judgement.enrolment import MISSING, Phase, phase, progress
from proctoring.observations import (
    Box,
    ConnectionObservation,
    Face,
    FrameObservation,
    ImageQuality,
    Observation,
    TurnedPicture,
)

GUIDED = parse_policy('name = "guided"\n[enrolment]\nsuspended = ["gaze", "head", "face.absent"]')
DARK = ImageQuality(brightness=5.0, overexposed=0.0, structure=10.0, detail=5.0)


def begin(
    observations: Iterable[Observation], policy: Policy = EXAM
) -> tuple[JudgementState, list[tuple[float, str]]]:
    """A session from its start: the final state, and kind and start of each incident."""
    state, changes = run_on(observations, policy, initial_state())
    started = [(round(t, 3), c.kind) for t, c in changes if c.state is IncidentState.STARTED]
    return state, started


def missing_after(observations: Iterable[Observation], policy: Policy = EXAM) -> tuple[str, ...]:
    return begin(observations, policy)[0].enrolment.missing


def unlearned(time: float) -> FrameObservation:
    observation = seen(time, readable=False, unread="baseline of the eyes not yet learned")
    assert observation.candidate is not None
    return replace(observation, candidate=replace(observation.candidate, baseline_ready=False))


def boxed(time: float, box: Box) -> FrameObservation:
    return replace(seen(time), faces=(Face(1, box, 0.9),))


SCENES: dict[str, Callable[[float], FrameObservation]] = {
    "nobody": lambda t: seen(t, faces=0),
    "two_persons": lambda t: seen(t, faces=2),
    "face_too_small": lambda t: boxed(t, Box(300, 200, 370, 290)),
    "face_cut_off": lambda t: boxed(t, Box(-30, 200, 120, 380)),
    "face_turned_away": lambda t: seen(t, head=(25, 0)),
    "looking_away": lambda t: seen(t, yaw=-25),
    "too_dark": lambda t: replace(seen(t, faces=0), camera=DARK),
    "camera_covered": lambda t: replace(
        seen(t, faces=0), camera=ImageQuality(60.0, 0.0, structure=0.5, detail=0.1)
    ),
    "too_bright": lambda t: replace(
        seen(t), camera=ImageQuality(250.0, 0.9, structure=10.0, detail=5.0)
    ),
    "out_of_focus": lambda t: replace(
        seen(t), camera=ImageQuality(90.0, 0.0, structure=10.0, detail=0.5)
    ),
    "picture_turned": lambda t: replace(seen(t, faces=0), turned=TurnedPicture(90, certain=False)),
    "baseline_not_learned": unlearned,
}


def test_every_code_has_a_scene() -> None:
    assert {*SCENES, "not_calibrated"} == MISSING.keys()  # see test_calibration.py


@pytest.mark.parametrize(("code", "scene"), SCENES.items())
def test_missing_codes_are_listed_and_prevent_ready(
    code: str, scene: Callable[[float], FrameObservation]
) -> None:
    state, _ = begin(map(scene, times(0, 5)))
    assert state.enrolment.missing == (code,)
    assert phase(EXAM, state.enrolment) is Phase.CALIBRATING


def test_a_person_without_a_face_counts_until_the_next_object_detection() -> None:
    scene = [seen(0, objects=look(persons=(0.9, 0.8))), *map(seen, times(0.1, 0.9))]
    assert missing_after(scene) == ("two_persons",)
    assert missing_after([*scene, seen(1.0, objects=look()), *map(seen, times(1.1, 1.6))]) == ()


def test_a_well_seated_candidate_is_ready_after_a_second() -> None:
    assert begin(map(seen, times(0, 0.9)))[0].enrolment.ready_at is None
    assert begin(map(seen, times(0, 3)))[0].enrolment.ready_at == pytest.approx(1.0)


def test_ready_waits_for_the_baseline() -> None:
    state, _ = begin([*map(unlearned, times(0, 1.4)), *map(seen, times(1.5, 3))])
    assert state.enrolment.ready_at == pytest.approx(1.5)


@pytest.mark.parametrize(("gap", "ready"), [(0.3, 1.2), (0.8, 2.4)])
def test_only_a_longer_interruption_restarts_the_steady_time(gap: float, ready: float) -> None:
    nobody = (seen(t, faces=0) for t in times(0.6, 0.5 + gap))
    state, _ = begin([*map(seen, times(0, 0.5)), *nobody, *map(seen, times(0.6 + gap, 4))])
    assert state.enrolment.ready_at == pytest.approx(ready, abs=0.21)


def test_seconds_without_frames_are_not_steady() -> None:
    state, _ = begin([seen(0.0), seen(0.5), seen(5.0), seen(5.5)])
    assert state.enrolment.ready_at is None
    assert begin([seen(0.0), seen(0.5), seen(5.0), seen(5.5), seen(6.0)])[0].enrolment.ready_at == 6


def test_single_frames_do_not_change_the_missing_codes() -> None:
    flicker = [seen(t, faces=round(t * 10) % 3 and 1) for t in times(0, 0.9)]
    told = {
        missing_after([*map(SCENES["nobody"], times(-2, -0.1)), *flicker[:n]]) for n in range(9)
    }
    assert told == {("nobody",)}


def test_suspended_kinds_are_judged_from_ready_on() -> None:
    aside = [seen(t, yaw=30, head=(30, 0)) for t in times(0, 10)]
    assert begin(aside)[1] == []
    again = [seen(t, yaw=30, head=(30, 0)) for t in times(12.5, 16)]
    _, started = begin([*aside, *map(seen, times(10.1, 12.4)), *again])
    assert started == [(14.5, "gaze.left"), (14.5, "head.left")]


def test_a_well_seated_candidate_is_judged_from_ready_on() -> None:
    """Looking away after the first seconds alerts two seconds later."""
    _, started = begin([*map(seen, times(0, 2)), *(seen(t, yaw=30) for t in times(2.1, 5))])
    assert started == [(4.1, "gaze.left")]


def test_absence_is_judged_from_the_first_frame_unless_suspended() -> None:
    nobody = [seen(t, faces=0) for t in times(0, 10)]
    assert begin(nobody)[1] == [(3.0, "face.absent")]
    assert begin(nobody, GUIDED)[1] == []


def test_suspending_absence_suspends_hidden_faces_too() -> None:
    somebody = look(persons=(0.9,))
    hidden = [seen(t, faces=0, objects=somebody) for t in times(0, 10)]
    assert begin(hidden)[1] == [(3.0, "face.hidden")]
    assert begin(hidden, GUIDED)[1] == []


def test_phones_and_persons_are_judged_before_ready() -> None:
    scene = [seen(t, head=(30, 0), objects=look(phones=(0.9,))) for t in times(0, 4, rate=1)]
    assert begin(scene)[1] == [(1.0, "object.phone")]
    assert (1.0, "person.multiple") in begin(seen(t, faces=2) for t in times(0, 3))[1]


def test_hiding_neither_stops_nor_restarts_the_time_limit() -> None:
    """Neither leaving, nor switching the camera off, nor looking away changes the limit."""
    hiding: list[Observation] = [
        *(seen(t, faces=0) for t in times(0, 6)),
        *(ConnectionObservation(t, connected=False) for t in times(7.5, 10.5, rate=1)),
        *(seen(t, yaw=30) for t in times(11, 25)),
    ]
    state, started = begin(hiding, GUIDED)
    assert started == [(15.0, "session.not_ready"), (17.0, "gaze.left")]
    assert state.enrolment.ready_at is None


def test_not_ready_is_reported_while_no_media_arrives() -> None:
    lost = (ConnectionObservation(t, connected=False) for t in times(2, 20, rate=1))
    assert (15.0, "session.not_ready") in begin([seen(0.0, faces=0), *lost])[1]


def test_not_ready_has_the_missing_codes_and_ends_when_ready() -> None:
    scene = [*map(SCENES["face_too_small"], times(0, 16)), *map(seen, times(16.1, 18))]
    _, changes = run_on(scene, EXAM, initial_state())
    ((at, started),) = of_kind(changes, "session.not_ready")
    ((end, _),) = of_kind(changes, "session.not_ready", IncidentState.ENDED)
    assert (at, started.label, started.alerts) == (15.0, "Candidate Not Ready", True)
    assert started.reason == "not ready within 15 s (face too small)"
    assert end == pytest.approx(17.1)


def test_a_ready_candidate_stays_ready() -> None:
    state, started = begin(
        [*map(seen, times(0, 2)), *(seen(t, faces=0) for t in times(2.1, 40))], GUIDED
    )
    assert state.enrolment.ready_at == pytest.approx(1.0)
    assert started == [(5.1, "face.absent")]


def test_without_face_detection_enrolment_waits() -> None:
    blind = [seen(t, faces=None) for t in times(0, 30)]
    state, started = begin(blind)
    assert (phase(EXAM, state.enrolment), started) == (Phase.WAITING, [])


def test_disabled_enrolment_suspends_nothing() -> None:
    policy = parse_policy('name = "plain"\n[enrolment]\nenabled = false')
    aside = [seen(t, head=(30, 0)) for t in times(0, 30)]
    state, started = begin(aside, policy)
    assert started == [(2.0, "head.left")]
    assert phase(policy, state.enrolment) is Phase.OFF


def test_late_observations_change_nothing() -> None:
    state, _ = begin([*map(seen, times(0, 0.8)), seen(0.3, faces=0), *map(seen, times(0.9, 1))])
    assert state.enrolment.ready_at == pytest.approx(1.0)


def test_a_saved_enrolment_continues_identically() -> None:
    scene = [*map(SCENES["nobody"], times(0, 3)), *map(seen, times(3.1, 5))]
    whole, _ = run_on(scene, EXAM, initial_state())
    for cut in range(0, len(scene), 7):
        first, _ = run_on(scene[:cut], EXAM, initial_state())
        second, _ = run_on(scene[cut:], EXAM, state_from_json(state_to_json(first)))
        assert second.enrolment == whole.enrolment


def test_progress_rises_to_one() -> None:
    states = [begin(map(seen, times(0, end)))[0].enrolment for end in (0.1, 0.5, 0.9, 1.0)]
    shares = [progress(EXAM, state) for state in states]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert shares[-2] < 1.0


@pytest.mark.parametrize(
    "setting", ["time_limit = 0", "min_steady_time = -1", 'suspended = ["object.phone"]']
)
def test_invalid_settings_are_rejected_with_their_path(setting: str) -> None:
    with pytest.raises(BadPolicyError, match=r"enrolment\."):
        parse_policy(f'name = "bad"\n[enrolment]\n{setting}')


def test_the_time_limit_can_be_an_accommodation() -> None:
    policy = EXAM.with_accommodations({"enrolment": {"time_limit": 60}})
    assert begin((seen(t, yaw=30) for t in times(0, 59)), policy)[1] == []
