"""Presentation attacks: which indications suffice."""

from __future__ import annotations

import dataclasses

import pytest

from proctoring.incidents import IncidentChange
from proctoring.judgement import finish, initial_state, judge
from proctoring.observations import FrameObservation, InjectionIndicators, Liveness, NotRead

from .build import EXAM, seen

LIVING = Liveness(
    track=1,
    score=0.97,
    networks="networks",
    samples=5,
    parallax=0.003,
    motion=0.2,
    framed_share=0.0,
    blinks=12.0,
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
        ({"score": 0.1}, "liveness 0.10 by networks"),
        ({"score": 0.45, "blinks": 0.0}, "no blink in 20 s"),
        ({"parallax": 0.0004}, "flat sheet"),
        ({"parallax": 0.0009, "score": None}, "flat sheet"),
        ({"motion": 0.004}, "moved less than 0.01 eye distances"),
        ({"framed_share": 0.8, "score": 0.6}, "a phone or screen surrounds the face"),
        ({"framed_share": 0.8, "score": None}, "a phone or screen surrounds the face"),
    ],
)
def test_one_strong_indication_in_the_face_suffices(signs: dict[str, float], words: str) -> None:
    (change,) = incidents(dataclasses.replace(LIVING, **signs))  # type: ignore[arg-type]

    assert change.label == "Face Spoofing Detected"
    assert change.alerts
    assert change.started_at == 0
    assert words in change.reason


@pytest.mark.parametrize(
    "signs",
    [
        {"score": 0.45},  # unsure, and it blinks
        {"score": None, "parallax": None, "motion": None, "framed_share": None, "blinks": None},
        {"parallax": 0.0009},  # nearly flat, but the networks are sure
        {"framed_share": 0.8},  # the networks are sure that it lives: somebody before a monitor
        {"framed_share": 0.4, "score": 0.6},
        {"blinks": 0.0},  # people stare
    ],
)
def test_weak_indications_are_no_incident(signs: dict[str, float]) -> None:
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


def test_a_camera_that_freezes_later_is_no_attack() -> None:
    still = dataclasses.replace(LIVING, motion=0.0)
    assert incidents(still, InjectionIndicators(60.0, True, None), seconds=30) == []


@pytest.mark.parametrize("why", ["face smaller than 80 pixels", "face too dark"])
def test_an_unreadable_face_is_no_attack(why: str) -> None:
    assert incidents(None, unread=why, seconds=30) == []


def test_a_short_indication_is_no_incident() -> None:
    assert incidents(dataclasses.replace(LIVING, score=0.1), seconds=2) == []
