"""Every kind of incident, on hand-made observations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.judgement.build import EXAM, look, of_kind, run, run_on, seen, times

from proctoring.incidents import IncidentState, Severity
from proctoring.judgement import finish, initial_state, judge
from proctoring.judgement.lifecycle import _pending
from proctoring.judgement.reading import Reading
from proctoring.judgement.state import Sample
from proctoring.observations import ConnectionObservation, FrameObservation, Observation

Scene = Callable[[float], FrameObservation]

SIDES: dict[str, Scene] = {
    "gaze.left": lambda t: seen(t, yaw=31),
    "gaze.right": lambda t: seen(t, yaw=-31),
    "gaze.up": lambda t: seen(t, pitch=31),
    "gaze.down": lambda t: seen(t, pitch=-31),
    "head.left": lambda t: seen(t, head=(31, 0)),
    "head.right": lambda t: seen(t, head=(-31, 0)),
    "head.up": lambda t: seen(t, head=(0, 31)),
    "head.down": lambda t: seen(t, head=(0, -31)),
}


@pytest.mark.parametrize(("kind", "scene"), SIDES.items())
def test_a_direction_held_for_two_seconds_is_one_incident_of_its_kind(
    kind: str, scene: Scene
) -> None:
    changes = run([*map(seen, times(0, 1)), *map(scene, times(1.1, 4)), *map(seen, times(4.1, 9))])
    assert [(c.kind, c.state) for _, c in changes] == [
        (kind, IncidentState.STARTED),
        (kind, IncidentState.ENDED),
    ]
    (start, started), (end, ended) = changes
    assert start == pytest.approx(3.1)
    assert end == pytest.approx(4.7)
    assert started.started_at == ended.started_at == pytest.approx(1.1)
    assert started.duration == pytest.approx(2.0)
    assert ended.duration == pytest.approx(2.9)
    assert started.severity is Severity.WARNING
    assert started.alerts
    assert not ended.alerts
    what, side = kind.split(".")
    assert started.reason == f"{what} 31 degrees {side} for 2.0 s (limit 2.0 s)"
    assert ended.reason == f"{what} 31 degrees {side} for 2.9 s (limit 2.0 s)"


@pytest.mark.parametrize(("kind", "scene"), SIDES.items())
def test_a_direction_held_for_less_is_no_incident(kind: str, scene: Scene) -> None:
    assert not run([*map(scene, times(0, 1.9)), *map(seen, times(2, 9))])


@pytest.mark.parametrize("pause", ["blink", "missed detection", "glance back"])
def test_short_dropouts_do_not_restart_persistence(pause: str) -> None:
    def scene(t: float) -> FrameObservation:
        if not 0.95 < t < 1.25:
            return seen(t, yaw=30)
        if pause == "blink":
            return seen(t, readable=False)
        return seen(t, faces=0) if pause == "missed detection" else seen(t)

    ((start, incident),) = run(map(scene, times(0, 2.5)))
    assert start == pytest.approx(2.0)
    assert incident.started_at == 0


def test_a_longer_look_at_the_screen_restarts_persistence() -> None:
    def scene(t: float) -> FrameObservation:
        return seen(t, yaw=0 if 0.95 < t < 1.65 else 30)

    ((start, incident),) = run(map(scene, times(0, 4)))
    assert incident.started_at == pytest.approx(1.7)
    assert start == pytest.approx(3.7)


def test_sideways_gaze_needs_four_frames_of_five() -> None:
    def mostly(t: float, of: int) -> FrameObservation:
        return seen(t, yaw=0 if round(t * 10) % of == of - 1 else 30)

    assert of_kind(run(mostly(t, 6) for t in times(0, 5)), "gaze.left")
    assert not run(mostly(t, 3) for t in times(0, 20))


def test_downward_gaze_needs_four_frames_of_ten_and_shut_eyes_prolong_it() -> None:
    def down(t: float, period: int) -> FrameObservation:
        return seen(t, pitch=-30) if round(t * 10) % period == 0 else seen(t, readable=False)

    ((start, incident),) = run(down(t, 2) for t in times(0, 2.5))
    assert start == pytest.approx(2.0)
    assert incident.kind == "gaze.down"
    assert not run(down(t, 4) for t in times(0, 20))


def test_shut_eyes_alone_are_not_downward_gaze() -> None:
    assert not run(seen(t, readable=False) for t in times(0, 60))


def test_a_missing_face_keeps_an_open_gaze_incident_until_it_is_stale() -> None:
    frames = [*(seen(t, yaw=30) for t in times(0, 3)), *(seen(t, faces=0) for t in times(3.1, 20))]
    changes = run(frames)
    ((absent_at, _),) = of_kind(changes, "face.absent")
    ((end, ended),) = of_kind(changes, "gaze.left", IncidentState.ENDED)
    assert absent_at == pytest.approx(6.1)
    assert end == pytest.approx(13.0)
    assert ended.duration == pytest.approx(3.0)
    assert ended.reason.endswith("; ended: no face in the frame for 10 s")


def test_a_gaze_incident_continues_after_a_lost_face() -> None:
    def scene(t: float) -> FrameObservation:
        return seen(t, faces=0) if 3.05 < t < 5.05 else seen(t, yaw=30)

    changes = of_kind(run([*map(scene, times(0, 8)), *map(seen, times(8.1, 10))]), "gaze.left")
    assert len(changes) == 1


def test_a_gap_in_the_frames_does_not_hold() -> None:
    frames = [*(seen(t, yaw=30) for t in times(0, 1)), *(seen(t, yaw=30) for t in times(4, 5.9))]
    assert not run(frames)
    ((start, incident),) = run([*frames, seen(6.0, yaw=30)])
    assert (start, incident.started_at) == (6.0, 4.0)


@pytest.mark.parametrize("period", [0.1, 1.0, 1.2, 1.5])
def test_absence_is_found_at_one_jittered_frame_per_second(
    period: float,
) -> None:
    changes = run(seen(n * period, faces=0) for n in range(int(6 / period)))
    assert [c.kind for _, c in changes] == ["face.absent"]


def test_an_open_incident_ends_at_its_last_frame_when_frames_stop() -> None:
    frames = [seen(t, yaw=30) for t in times(0, 3)]
    lost = [ConnectionObservation(float(t), connected=False) for t in range(4, 16)]
    changes = run([*frames, *lost])
    ((end, ended),) = of_kind(changes, "gaze.left", IncidentState.ENDED)
    assert end == 13.0
    assert ended.duration == pytest.approx(3.0)
    assert ended.reason.endswith("; ended: nothing was seen for 10 s")


def test_absence_names_the_result_of_the_object_detector() -> None:
    def scene(persons: tuple[float, ...]) -> list[FrameObservation]:
        return [
            seen(t, faces=0, objects=look(persons=persons) if round(t * 10) % 10 == 0 else None)
            for t in times(0, 3)
        ]

    ((start, incident),) = run(scene((0.9,)))
    assert (start, incident.kind, incident.severity) == (3.0, "face.hidden", Severity.VIOLATION)
    assert incident.reason.startswith("a person without a visible face")
    ((_, incident),) = run(scene(()))
    assert incident.reason == "no face in the frame and no person seen for 3.0 s (limit 3.0 s)"
    ((_, incident),) = run(seen(t, faces=0) for t in times(0, 3))
    assert incident.reason == "no face in the frame for 3.0 s (limit 3.0 s)"


def test_frames_without_face_detection_are_no_absence() -> None:
    assert not run(seen(t, faces=None) for t in times(0, 20))


def test_two_faces_for_a_second_are_more_than_one_person() -> None:
    ((start, incident),) = run(seen(t, faces=2) for t in times(0, 1.5))
    assert (start, incident.kind) == (1.0, "person.multiple")
    assert incident.reason == "2 persons in the picture (2 faces) for 1.0 s (limit 1.0 s)"


def with_looks(
    t: float, persons: tuple[float, ...], phones: tuple[float, ...] = ()
) -> FrameObservation:
    """A frame with one face, and an object detection every full second."""
    looked = round(t * 10) % 10 == 0
    return seen(t, objects=look(persons=persons, phones=phones) if looked else None)


def test_a_second_person_without_a_face_is_counted_by_object_detections() -> None:
    frames = [with_looks(t, (0.9, 0.8)) for t in times(0, 3.9)]
    frames += [with_looks(t, (0.9,)) for t in times(4, 9)]
    changes = run(frames)
    ((start, started),) = of_kind(changes, "person.multiple")
    ((end, ended),) = of_kind(changes, "person.multiple", IncidentState.ENDED)
    assert (start, ended.duration) == (1.0, 3.0)
    assert "2 persons by ssd" in started.reason
    assert end == pytest.approx(5.0)


def test_a_single_detection_of_a_second_person_is_no_incident() -> None:
    frames = [with_looks(t, (0.9, 0.8) if t < 0.5 else (0.9,)) for t in times(0, 5)]
    assert not run(frames)


def test_faces_alone_end_multiple_persons_without_an_object_detector() -> None:
    frames = [*(seen(t, faces=2) for t in times(0, 3)), *map(seen, times(3.1, 6))]
    ((end, _),) = of_kind(run(frames), "person.multiple", IncidentState.ENDED)
    assert end == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("looks", "starts"),
    [
        ("110", [1]),
        ("101", [2]),
        ("1001", []),
        ("100100100100", []),
        ("11000110", [1, 6]),
        ("110010001", [1]),
    ],
)
def test_a_phone_needs_two_of_the_last_three_detections(looks: str, starts: list[int]) -> None:
    frames = [
        with_looks(t, (0.9,), (0.7,) if looks[int(t + 1e-6)] == "1" else ())
        for t in times(0, len(looks) - 0.1)
    ]
    changes = of_kind(run(frames), "object.phone")
    assert [round(t) for t, _ in changes] == starts


def test_a_phone_incident_names_all_detectors_that_agreed() -> None:
    seen_by_both = replace(look(phones=(0.71,)), verifier="picodet")
    frames = [seen(t, objects=seen_by_both) for t in (0.0, 0.5)]
    ((_, started),) = run(frames)
    assert started.reason == (
        "phone-like object (score 0.71, ssd and, looking closer, picodet) in 2 looks over 0.5 s "
        "(limit 2 of the last 3 looks)"
    )


def test_a_phone_incident_counts_detections_and_ends_after_three_misses() -> None:
    frames = [with_looks(t, (0.9,), (0.71,) if t < 3.5 else ()) for t in times(0, 9)]
    (start, started), (end, ended) = run(frames)
    assert (start, end) == (1.0, 6.0)
    assert started.reason == (
        "phone-like object (score 0.71, ssd) in 2 looks over 1.0 s (limit 2 of the last 3 looks)"
    )
    assert ended.duration == 3.0
    assert started.severity is Severity.VIOLATION
    assert started.confidence == pytest.approx(0.71)


def test_minimum_phone_scores_apply_and_can_differ_by_detector() -> None:
    policy = EXAM.with_accommodations(
        {"objects": {"min_phone_score": 0.35, "detectors": {"yolo": {"min_phone_score": 0.2}}}}
    )
    for detector, expected in (("ssd", 0), ("yolo", 1)):
        frames = [seen(float(t), objects=look(phones=(0.25,), detector=detector)) for t in range(4)]
        assert len(of_kind(run(frames, policy), "object.phone")) == expected


def test_all_detections_count_by_default() -> None:
    frames = [seen(float(t), objects=look(phones=(0.05,))) for t in range(4)]

    assert len(of_kind(run(frames), "object.phone")) == 1


def test_a_lost_connection_is_reported_after_five_seconds_and_ends_immediately() -> None:
    observations: list[Observation] = [
        *map(seen, times(0, 2)),
        *(ConnectionObservation(t, connected=False) for t in times(3, 10, rate=1)),
        ConnectionObservation(10.4, connected=True),
    ]
    (start, started), (end, ended) = run(observations)
    assert (start, started.kind, started.severity) == (8, "session.connection_lost", Severity.INFO)
    assert started.reason == "no media arrived for 5.0 s (limit 5.0 s)"
    assert (end, ended.state, ended.duration) == (10.4, IncidentState.ENDED, 7)


def test_a_frame_ends_a_lost_connection_too() -> None:
    lost = [ConnectionObservation(t, connected=False) for t in times(3, 10, rate=1)]
    changes = run([*lost, seen(10.5)])
    assert [c.state for _, c in changes] == [IncidentState.STARTED, IncidentState.ENDED]


def look_aside(start: float, length: float = 3.0, rest: float = 2.0) -> list[FrameObservation]:
    """Look left from ``start`` on, then back at the screen."""
    aside = [seen(t, yaw=30) for t in times(start, start + length)]
    return [*aside, *map(seen, times(start + length + 0.1, start + length + rest))]


def test_an_incident_within_the_cooldown_is_recorded_without_alert() -> None:
    # The first ends at 3, so the cooldown lasts until 33; the third begins at 31 and starts at 33.
    frames = [*look_aside(0), *look_aside(10), *look_aside(30.9, 1.9), *look_aside(40)]
    changes = of_kind(run(frames), "gaze.left")
    assert [(round(t, 1), c.alerts, c.number) for t, c in changes] == [
        (2.0, True, 1),
        (12.0, False, 2),
        (42.0, True, 3),
    ]


def test_incidents_without_alert_do_not_extend_the_cooldown() -> None:
    frames = [frame for start in (0, 20, 40, 60) for frame in look_aside(start)]
    changes = of_kind(run(frames), "gaze.left")
    assert [c.alerts for _, c in changes] == [True, False, True, False]


def test_every_kind_has_its_own_cooldown() -> None:
    frames = [*look_aside(0), *(seen(t, yaw=-30) for t in times(6, 8))]
    assert [c.alerts for _, c in of_kind(run(frames), "gaze.right")] == [True]


def test_a_long_incident_is_updated_periodically() -> None:
    changes = run(seen(t, yaw=30) for t in times(0, 100))
    assert [(round(t), c.state, c.alerts) for t, c in changes] == [
        (2, IncidentState.STARTED, True),
        (32, IncidentState.UPDATED, False),
        (62, IncidentState.UPDATED, False),
        (92, IncidentState.UPDATED, False),
    ]
    assert changes[-1][1].duration == pytest.approx(92)


def test_gaze_and_head_both_alert_unless_the_policy_wants_one_alert_per_side() -> None:
    frames = [seen(t, yaw=40, head=(35, 0)) for t in times(0, 3)]
    changes = run(frames)
    assert [(c.kind, c.alerts) for _, c in changes] == [("gaze.left", True), ("head.left", True)]
    policy = EXAM.model_copy(update={"one_alert_per_side": True})
    changes = run(frames, policy)
    assert [(c.kind, c.alerts) for _, c in changes] == [("gaze.left", True), ("head.left", False)]


def test_a_disabled_kind_is_never_judged() -> None:
    policy = EXAM.with_accommodations({"gaze.left": {"enabled": False}})
    state, changes = run_on((seen(t, yaw=30) for t in times(0, 5)), policy)
    assert not changes
    assert "gaze.left" not in state.kinds


def test_gaze_of_low_confidence_is_unreadable() -> None:
    policy = EXAM.model_copy(update={"min_gaze_confidence": 0.81})
    assert not run((seen(t, yaw=30) for t in times(0, 5)), policy)


def test_an_older_observation_changes_nothing() -> None:
    state, _ = run_on(seen(t, yaw=30) for t in times(0, 1))
    late, changes = judge(EXAM, state, seen(0.55))
    assert (late, changes) == (state, ())


def test_two_observations_of_the_same_time_count_once() -> None:
    twice = [seen(t, yaw=30 * n) for t in times(0, 3) for n in (1, 0)]
    once = [seen(t, yaw=30) for t in times(0, 3)]
    assert run(twice) == run(once)


def test_an_early_connection_observation_does_not_drop_earlier_frames() -> None:
    frames = [seen(t, yaw=30) for t in times(0, 2)]
    early = ConnectionObservation(5.0, connected=False)
    changes = run([*frames[:-1], early, frames[-1]])
    assert [c.kind for _, c in changes] == ["gaze.left"]


@pytest.mark.parametrize("time", [float("nan"), float("inf"), float("-inf")])
def test_a_time_that_is_not_finite_is_rejected(time: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        judge(EXAM, initial_state(), replace(seen(0), time=time))


def test_finish_ends_open_incidents_and_drops_pending_readings() -> None:
    frames = [seen(t, yaw=30, head=(30 if t > 2 else 0, 0)) for t in times(0, 3)]
    state, _ = run_on(frames)
    state, changes = finish(EXAM, state, 3.5)
    assert [(c.kind, c.state) for c in changes] == [("gaze.left", IncidentState.ENDED)]
    assert changes[0].duration == pytest.approx(3.0)
    assert changes[0].reason.endswith("; ended: the session ended")
    assert finish(EXAM, state, 4)[1] == ()
    assert not any(known.samples for known in state.kinds.values())


def test_unreadable_time_does_not_count_as_absent() -> None:
    aside = [seen(t, yaw=30) for t in times(0, 3)]
    shut = [seen(t, readable=False) for t in times(3.1, 6)]
    assert len(run([*aside, *shut, *map(seen, times(6.1, 6.6))])) == 1
    assert len(run([*aside, *shut, *map(seen, times(6.1, 6.7))])) == 2


def test_a_gap_does_not_count_as_absent() -> None:
    aside = [seen(t, yaw=30) for t in times(0, 3)]
    assert len(run([*aside, *map(seen, times(6, 6.6))])) == 1
    assert len(run([*aside, *map(seen, times(6, 6.7))])) == 2


def test_restless_gaze_before_does_not_hide_steady_gaze() -> None:
    restless = [seen(t, yaw=30 if round(t * 10) % 2 else 0) for t in times(0, 9.9)]
    ((start, incident),) = run([*restless, *(seen(t, yaw=30) for t in times(10, 12))])
    assert 11 < start <= 12
    assert start - incident.started_at < 2.3


def test_a_phone_incident_has_the_reason_of_its_highest_score() -> None:
    looks = [
        seen(t, objects=look(phones=(p,)))
        for t, p in zip((0.0, 1.0, 2.0, 3.0), (0.4, 0.5, 0.9, 0.6), strict=True)
    ]
    _, changes = run_on(looks)
    state, _ = run_on(looks)
    _, (ended,) = finish(EXAM, state, 5)
    assert "score 0.50" in changes[0][1].reason
    assert "score 0.90" in ended.reason
    assert ended.confidence == pytest.approx(0.6)


@pytest.mark.parametrize(("start", "alerts"), [(30.9, False), (31.0, True)])
def test_the_cooldown_ends_exactly(start: float, alerts: bool) -> None:
    later = [seen(t, yaw=30) for t in times(start, start + 2.0)]
    changes = of_kind(run([*look_aside(0), *later]), "gaze.left")
    assert [c.alerts for _, c in changes] == [True, alerts]


def test_a_count_of_persons_is_valid_until_it_is_too_old() -> None:
    two = [seen(t, objects=look(persons=(0.9, 0.8))) for t in times(0, 2)]
    faces_only = [*map(seen, times(2.1, 12))]
    ((end, ended),) = of_kind(run([*two, *faces_only]), "person.multiple", IncidentState.ENDED)
    assert end == pytest.approx(7.0 + 2.0, abs=0.2)
    assert ended.duration == pytest.approx(2.0)


def test_a_late_count_of_persons_does_not_replace_a_newer_one() -> None:
    newer, older = seen(5.0, objects=look(persons=(0.9, 0.8))), seen(4.0, objects=look())
    state, _ = run_on([newer, older])
    assert state.person_count is not None
    assert (state.person_count.time, state.person_count.persons) == (5.0, 2)


def test_an_unreadable_detection_is_not_counted() -> None:
    rule = EXAM.incidents["object.phone"]
    seen_once = (Sample(1.0, held=True, confidence=0.5, value=0.5),)
    unread = Reading("object.phone", None)
    assert _pending(rule, seen_once, 0.0, unread, 2.0) == seen_once
