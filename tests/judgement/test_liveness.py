"""Presentation attacks: which indications suffice."""

from __future__ import annotations

import dataclasses

import pytest

from proctoring.incidents import IncidentChange, IncidentState, Severity
from proctoring.judgement import finish, initial_state, judge
from proctoring.observations import (
    FrameObservation,
    ImageQuality,
    InjectionIndicators,
    Liveness,
    NotRead,
)

from .build import ENROLLED, EXAM, seen

LIVING = Liveness(
    track=1,
    score=0.97,
    networks="networks",
    samples=5,
    parallax=0.003,
    motion=0.2,
    framed_share=0.0,
    blinks=12.0,
    inner_motion=0.3,
)
CAMERA = InjectionIndicators(unchanged_for=0.0, ever_changed=True, repeats_after=None)


def incidents(
    life: Liveness | None,
    stream: InjectionIndicators = CAMERA,
    *,
    seconds: int = 8,
    unread: str = "",
) -> list[IncidentChange]:
    """The attack incidents of a session with one liveness detection per second."""
    state, found = initial_state(), list[IncidentChange]()
    for time in range(seconds + 1):
        state, changes = judge(EXAM, state, observation(float(time), life, stream, unread))
        found += [change for change in changes if change.kind == "face.spoof"]
    finish(EXAM, state, float(seconds))
    return found


def observation(
    time: float, life: Liveness | None, stream: InjectionIndicators, unread: str
) -> FrameObservation:
    reasons = (NotRead("liveness", unread),) if unread else ()
    return dataclasses.replace(seen(time), liveness=life, stream=stream, not_read=reasons)


def test_a_bona_fide_face_is_no_incident() -> None:
    assert incidents(LIVING, seconds=30) == []


@pytest.mark.parametrize(
    ("signs", "words"),
    [
        ({"score": 0.05}, "liveness 0.05 by networks"),
        ({"parallax": 0.0004}, "flat sheet"),
        ({"parallax": 0.0004, "score": None}, "flat sheet"),
        ({"framed_share": 1.0, "score": 0.6}, "a phone or screen surrounds the face"),
        ({"framed_share": 1.0, "score": None}, "a phone or screen surrounds the face"),
    ],
)
def test_one_indication_far_beyond_its_limit_suffices(signs: dict[str, float], words: str) -> None:
    if signs.get("parallax") and "score" not in signs:
        signs = {**signs, "score": 0.6}  # the networks do not vouch for the face
    print_like = dataclasses.replace(LIVING, inner_motion=0.08)
    (change,) = incidents(dataclasses.replace(print_like, **signs))  # type: ignore[arg-type]

    assert change.label == "Face Spoofing Detected"
    assert change.alerts
    assert change.started_at == 0
    assert words in change.reason


@pytest.mark.parametrize(
    ("signs", "words"),
    [
        ({"score": 0.45, "blinks": 0.0}, "no blink in 20 s"),
        ({"score": 0.2, "parallax": 0.0009}, "flat sheet"),
        ({"score": 0.2, "framed_share": 0.8}, "a phone or screen surrounds the face"),
        ({"score": 0.2, "inner_motion": 0.02, "blinks": None}, "nothing moves within the face"),
        ({"parallax": 0.0009, "score": None, "blinks": 0.0}, "flat sheet"),
        ({"motion": 0.004, "inner_motion": 0.01}, "moved less than 0.01 eye distances"),
    ],
)
def test_two_indications_at_their_limits_suffice(
    signs: dict[str, float | None], words: str
) -> None:
    print_like = dataclasses.replace(LIVING, inner_motion=0.08)
    (change,) = incidents(dataclasses.replace(print_like, **signs))  # type: ignore[arg-type]

    assert words in change.reason


@pytest.mark.parametrize(
    "signs",
    [
        {"score": 0.2},  # a lamp
        {"score": 0.05, "samples": 4, "inner_motion": None},  # not seen for long enough
        {"score": 0.05, "parallax": 0.0008},  # lively, against a window: measured
        {"score": 0.01, "samples": 4},
        {"parallax": 0.0007, "score": 0.6},  # a living head at gain 1.9 measured so
        {"parallax": 0.0009, "score": None},
        {"motion": 0.004},
        {"framed_share": 0.8, "score": 0.6},
        {"score": 0.45},  # unsure, and it blinks
        {"score": None, "parallax": None, "motion": None, "framed_share": None, "blinks": None},
        {"parallax": 0.0004},  # flat, but the networks are sure
        {"framed_share": 1.0},  # the networks are sure that it lives: somebody before a monitor
        {"blinks": 0.0, "inner_motion": 0.02},  # people stare
    ],
)
def test_no_single_indication_at_its_limit_accuses(signs: dict[str, float | None]) -> None:
    assert incidents(dataclasses.replace(LIVING, **signs), seconds=30) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (InjectionIndicators(0.0, True, 12.4), "repeats that of 12.4 s before"),
        (
            InjectionIndicators(11.0, False, None),
            "one and the same picture since the session began",
        ),
    ],
)
def test_an_injected_stream_is_an_attack_whatever_the_face(
    stream: InjectionIndicators, words: str
) -> None:
    for life in (LIVING, None):
        (change,) = incidents(life, stream)
        assert words in change.reason


def test_a_replay_is_lively_and_is_told_by_networks_that_are_certain() -> None:
    (change,) = incidents(dataclasses.replace(LIVING, score=0.01))
    assert "liveness 0.01 by networks" in change.reason


FROZEN = InjectionIndicators(60.0, True, None)


@pytest.mark.parametrize("score", [0.97, 0.45, 0.2])
def test_a_camera_that_freezes_later_is_no_attack(score: float) -> None:
    """A frozen face neither blinks nor moves, whatever the networks say of that one picture."""
    still = dataclasses.replace(LIVING, score=score, motion=0.0, inner_motion=0.0, blinks=0.0)
    assert incidents(still, FROZEN, seconds=30) == []


@pytest.mark.parametrize("why", ["face smaller than 80 pixels", "face too dark"])
def test_an_unreadable_face_is_no_attack(why: str) -> None:
    assert incidents(None, unread=why, seconds=30) == []


def test_a_short_indication_is_no_incident() -> None:
    assert incidents(dataclasses.replace(LIVING, score=0.05), seconds=2) == []


def test_an_attack_that_cannot_be_read_any_more_is_not_cleared() -> None:
    """Light that comes later neither confirms nor clears what was seen before."""
    unscored = dataclasses.replace(LIVING, score=None)
    state, found = initial_state(), list[IncidentChange]()
    for time in range(20):
        attack = time < 6
        life = dataclasses.replace(LIVING, score=0.01) if attack else unscored
        seen_at = observation(float(time), life, CAMERA, "" if attack else "face too bright")
        state, changes = judge(EXAM, state, seen_at)
        found += [change for change in changes if change.kind == "face.spoof"]
    assert [change.state for change in found] == [IncidentState.STARTED]


INERT = dataclasses.replace(LIVING, inner_motion=0.02, blinks=0.0)


def of_kind(
    kind: str,
    life: Liveness | None,
    stream: InjectionIndicators = CAMERA,
    *,
    seconds: int,
    unread: str = "",
    eyes_open: bool | None = True,
) -> list[tuple[float, IncidentChange]]:
    """Incidents of one kind that started, and when; 1 Hz."""
    state, found = initial_state(), list[tuple[float, IncidentChange]]()
    for time in range(seconds + 1):
        frame = observation(float(time), life, stream, unread)
        assert frame.candidate is not None
        candidate = dataclasses.replace(frame.candidate, eyes_open=eyes_open)
        state, changes = judge(EXAM, state, dataclasses.replace(frame, candidate=candidate))
        found += [
            (float(time), change)
            for change in changes
            if change.kind == kind and change.state is IncidentState.STARTED
        ]
    return found


def test_a_face_in_which_nothing_moves_is_a_warning_after_the_policys_time() -> None:
    ((time, change),) = of_kind("face.motionless", INERT, seconds=60)
    assert time == EXAM.incidents["face.motionless"].persist
    assert change.severity is Severity.WARNING
    assert "no blink" in change.reason


@pytest.mark.parametrize(
    "signs",
    [
        {"blinks": 2.0},
        {"inner_motion": 0.1},
        {"blinks": None},
        {"inner_motion": None},
    ],
)
def test_a_face_that_blinks_or_looks_about_is_no_photo(signs: dict[str, float | None]) -> None:
    life = dataclasses.replace(INERT, **signs)  # type: ignore[arg-type]
    assert of_kind("face.motionless", life, seconds=90) == []


@pytest.mark.parametrize("eyes_open", [None, False])
def test_eyes_that_are_hidden_or_shut_do_not_blink_and_are_no_photo(
    eyes_open: bool | None,
) -> None:
    assert of_kind("face.motionless", INERT, seconds=90, eyes_open=eyes_open) == []


def test_a_frozen_camera_is_not_reported_as_a_face_without_movement() -> None:
    assert of_kind("face.motionless", INERT, FROZEN, seconds=90) == []


def test_a_face_whose_gaze_glare_hides_is_no_photo() -> None:
    state, found = initial_state(), list[IncidentChange]()
    for time in range(90):
        hidden = seen(float(time), readable=False, unread="glare on the glasses")
        assert hidden.candidate is not None
        candidate = dataclasses.replace(hidden.candidate, eyes_open=True)
        frame = dataclasses.replace(hidden, candidate=candidate, liveness=INERT, stream=CAMERA)
        state, changes = judge(EXAM, state, frame)
        found += [change for change in changes if change.kind == "face.motionless"]
    assert found == []


@pytest.mark.parametrize(
    ("life", "why"),
    [
        (dataclasses.replace(LIVING, score=None), "face too bright"),
        (dataclasses.replace(LIVING, score=None), "picture without colour"),
        (None, "face too dark"),
    ],
)
def test_a_reviewer_is_told_why_liveness_is_not_measured(life: Liveness | None, why: str) -> None:
    ((_, change),) = of_kind("liveness.unread", life, seconds=60, unread=why)
    assert change.severity is Severity.INFO
    assert f"liveness is not measured: {why}" in change.reason
    assert incidents(life, unread=why, seconds=60) == []


def test_in_the_dark_only_the_camera_is_reported() -> None:
    state, kinds = ENROLLED, set[str]()
    dark = ImageQuality(brightness=12, overexposed=0, structure=4, detail=1.2)
    for time in range(61):
        frame = observation(float(time), None, CAMERA, "face too dark")
        state, changes = judge(EXAM, state, dataclasses.replace(frame, camera=dark))
        kinds |= {change.kind for change in changes}
    assert kinds == {"camera.dark"}


def test_a_face_that_is_measured_is_not_unread() -> None:
    assert of_kind("liveness.unread", LIVING, seconds=60) == []
