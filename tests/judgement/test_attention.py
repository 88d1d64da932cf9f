"""How closely faces must be followed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proctoring.judgement import shipped_policy
from proctoring.judgement.attention import ENROLMENT_SECONDS, needed_attention
from proctoring.judgement.inputs import CalibrationRequested, ChallengeRequested
from proctoring.judgement.recent_angles import MEASUREMENTS, RecentAngles
from proctoring.judgement.reducer import apply
from proctoring.judgement.state import JudgementState, initial_state
from proctoring.observations import (
    Attention,
    AudioObservation,
    Box,
    Candidate,
    DiarizationResult,
    Face,
    FrameObservation,
    Gaze,
    HeadPose,
    SpeakerActivity,
)

POLICY = shipped_policy("exam").unattended()
SEEN = FrameObservation(
    0.0,
    640,
    480,
    faces=(Face(1, Box(250, 150, 400, 330), 0.99),),
    candidate=Candidate(1, HeadPose(0, 0, 0), Gaze(0, 0, 0.9), eyes_open=True),
    objects=None,
)


def with_candidate(*, head: HeadPose | None = None, gaze: Gaze | None = None) -> FrameObservation:
    assert SEEN.candidate is not None
    candidate = replace(
        SEEN.candidate, head=head or SEEN.candidate.head, gaze=gaze or SEEN.candidate.gaze
    )
    return replace(SEEN, candidate=candidate)


def attention(
    state: JudgementState, frame: FrameObservation | None, *others: FrameObservation
) -> Attention:
    """What the state and the last frame ask for, after ``others`` and frames like the last one."""
    recent = RecentAngles()
    if frame is not None:
        before = (*(frame,) * MEASUREMENTS, *others, frame)
        for n, one in enumerate(before):
            recent.add(replace(one, time=n / 10))
    return needed_attention(POLICY, state, frame, recent)


def after(state: JudgementState, frame: FrameObservation, seconds: float) -> JudgementState:
    """The state after so many seconds of frames like this one."""
    began = 0.0 if state.time is None else state.time
    for count in range(1, round(10 * seconds) + 1):
        state, _ = apply(POLICY, state, replace(frame, time=began + count / 10))
    return state


@pytest.fixture(scope="module")
def ready() -> JudgementState:
    """Of a candidate who was ready and has sat still."""
    return after(initial_state("dice"), SEEN, 12.0)


def test_while_the_candidate_is_not_ready() -> None:
    assert attention(initial_state("dice"), None) is Attention.EVERY_FRAME
    assert attention(after(initial_state("dice"), SEEN, 1.0), SEEN) is Attention.EVERY_FRAME


def test_not_for_ever_while_the_face_is_cut_off() -> None:
    assert SEEN.faces is not None
    cut_off = replace(SEEN, faces=(replace(SEEN.faces[0], box=Box(-60, 150, 90, 330)),))
    state = after(initial_state("dice"), cut_off, ENROLMENT_SECONDS - 1)
    assert attention(state, cut_off) is Attention.EVERY_FRAME
    assert attention(after(state, cut_off, 2.0), cut_off) is Attention.USUAL


def test_not_of_a_candidate_who_sits_still(ready: JudgementState) -> None:
    assert attention(ready, SEEN) is Attention.USUAL


NEAR = [
    with_candidate(gaze=Gaze(9.0, 0.0, 0.9)),
    with_candidate(gaze=Gaze(-9.0, 0.0, 0.9)),
    with_candidate(gaze=Gaze(0.0, 8.0, 0.9)),
    with_candidate(gaze=Gaze(0.0, -8.0, 0.9)),
    with_candidate(head=HeadPose(-10.0, 0.0, 0.0)),
    with_candidate(head=HeadPose(0.0, -11.0, 0.0)),
]


@pytest.mark.parametrize("frame", NEAR)
def test_near_a_limit_every_change_counts(ready: JudgementState, frame: FrameObservation) -> None:
    assert attention(ready, frame) is Attention.EVERY_CHANGE


@pytest.mark.parametrize("frame", NEAR)
def test_near_a_limit_while_gaze_or_head_move(
    ready: JudgementState, frame: FrameObservation
) -> None:
    assert attention(ready, frame, SEEN) is Attention.EVERY_FRAME


@pytest.mark.parametrize(
    "frame",
    [
        with_candidate(gaze=Gaze(12.0, 0.0, 0.9)),
        with_candidate(gaze=Gaze(0.0, -10.0, 0.9)),
        with_candidate(head=HeadPose(13.0, 0.0, 0.0)),
        replace(SEEN, candidate=Candidate(1, None, None, eyes_open=None)),
        replace(SEEN, faces=(), candidate=None),
    ],
)
def test_within_reach_of_a_limit_or_where_nothing_is_read(
    ready: JudgementState, frame: FrameObservation
) -> None:
    assert attention(ready, frame) is Attention.EVERY_FRAME


def test_a_look_aside_that_is_pending_and_what_follows_it(ready: JudgementState) -> None:
    look = with_candidate(gaze=Gaze(20.0, 0.0, 0.9))
    aside = after(ready, look, 1.0)
    assert attention(aside, look) is Attention.EVERY_FRAME
    back = after(aside, SEEN, 0.1)
    assert attention(back, SEEN) is Attention.EVERY_CHANGE  # it may go on
    assert attention(after(back, SEEN, 1.0), SEEN) is Attention.USUAL
    incident = after(aside, look, 3.0)
    assert attention(after(incident, SEEN, 0.1), SEEN) is Attention.EVERY_FRAME
    assert attention(after(incident, SEEN, 8.0), SEEN) is Attention.USUAL


@pytest.mark.parametrize(
    "request_made", [CalibrationRequested(12.5), ChallengeRequested(12.5, "turn_left")]
)
def test_while_the_candidate_moves_on_request(
    ready: JudgementState, request_made: CalibrationRequested | ChallengeRequested
) -> None:
    asked, _ = apply(POLICY, ready, request_made)
    assert attention(after(asked, SEEN, 0.3), SEEN) is Attention.EVERY_FRAME


def test_while_another_speaker_is_heard_but_not_while_the_candidate_speaks(
    ready: JudgementState,
) -> None:
    heard = AudioObservation(12.3, 0.5, 0.9, -30.0, None)
    spoken, _ = apply(POLICY, ready, heard)
    assert attention(spoken, SEEN) is Attention.USUAL
    another = DiarizationResult((SpeakerActivity(2, 0.1, 0.95, 2.0),), 1.0, 0.0, 0.0)
    answered, _ = apply(POLICY, ready, replace(heard, diarization=another))
    assert attention(answered, SEEN) is Attention.EVERY_FRAME
