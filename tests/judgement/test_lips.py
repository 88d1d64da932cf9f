"""What lips add to another voice, and what they must never do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.judgement.build import ENROLLED, EXAM, seen

from proctoring.incidents import IncidentChange
from proctoring.judgement.judge import judge
from proctoring.judgement.state import JudgementState, state_from_json, state_to_json
from proctoring.observations import AudioObservation, DiarizationResult, SpeakerActivity


def play(
    seconds: float,
    *,
    state: JudgementState = ENROLLED,
    start: float = 0.0,
    moving: bool | None = True,
    other: bool = False,
    offset: float = 0.0,
    rate: float = 10.0,
) -> tuple[JudgementState, list[IncidentChange]]:
    """A candidate before the camera while a voice speaks without pause.

    Args:
        moving: whether the lips move; ``None``: they cannot be read.
        other: somebody else's voice speaks, not the candidate's.
        offset: seconds by which the sound is late.
    """
    changes: list[IncidentChange] = []
    frames = [start + n / rate for n in range(round(seconds * rate))]
    sounds = [start + 0.5 * (n + 1) for n in range(round(seconds * 2))]
    for time, is_sound in sorted([(t, False) for t in frames] + [(t, True) for t in sounds]):
        if is_sound:
            told = other and time - start >= 1.5
            voice = (
                SpeakerActivity(2, 0.30, 0.84, 3.0) if told else SpeakerActivity(1, None, 0.0, 3.0)
            )
            look = DiarizationResult((voice,), 1.0, 0.0, 0.0) if round(time * 2) % 2 == 0 else None
            sound = AudioObservation(time + offset, 0.5, 1.0, -20.0, look)
            state, found = judge(EXAM, state, sound)
        else:
            frame = seen(time)
            assert frame.candidate is not None
            opening = None if moving is None else 0.15 * (round(time * 5) % 2) if moving else 0.01
            candidate = replace(frame.candidate, mouth_opening=opening)
            state, found = judge(EXAM, state, replace(frame, candidate=candidate))
        changes += [c for c in found if c.kind == "audio.multiple_speakers"]
    return state, changes


def started(**settings: object) -> IncidentChange:
    """The incident that another voice makes, after four seconds of the candidate's own."""
    own, none = play(4.0)
    assert not none
    _, changes = play(4.0, state=own, start=4.0, other=True, **settings)  # type: ignore[arg-type]
    return changes[0]


def test_still_lips_make_another_voice_surer_and_the_reason_says_so() -> None:
    unread = started(moving=None)
    still = started(moving=False)
    assert unread.confidence == pytest.approx(0.84)
    assert "lips" not in unread.reason
    assert still.confidence > 0.94
    assert "lips still during 1.5 of 1.5 s of speech" in still.reason


def test_moving_lips_make_another_voice_less_sure_but_never_hide_it() -> None:
    moving = started(moving=True)
    assert moving.confidence < 0.7
    assert "lips moving during" in moving.reason


def test_lips_never_seen_to_move_with_the_own_voice_are_no_sign() -> None:
    covered, _ = play(8.0, moving=False)
    _, changes = play(4.0, state=covered, start=8.0, other=True, moving=False)
    assert changes[0].confidence == pytest.approx(0.84)
    assert "lips" not in changes[0].reason


def test_still_lips_alone_accuse_nobody() -> None:
    own, _ = play(6.0)
    _, changes = play(20.0, state=own, start=6.0, moving=False)
    assert changes == []


@pytest.mark.parametrize("offset", [-0.2, 0.2])
def test_sound_that_is_a_little_off_is_judged_the_same(offset: float) -> None:
    own, _ = play(6.0)
    state, _ = play(4.0, state=own, start=6.0, other=True, moving=False, offset=offset)
    incident = state.kinds["audio.multiple_speakers"].incident
    assert incident is not None
    assert incident.confidence_sum / incident.held_count > 0.86


def test_too_few_frames_say_nothing() -> None:
    own, _ = play(6.0)
    _, changes = play(4.0, state=own, start=6.0, other=True, moving=False, rate=2.0)
    assert "lips" not in changes[0].reason


def test_what_is_remembered_is_bounded_and_survives_being_saved() -> None:
    state, _ = play(30.0)
    assert len(state.lips.mouths) < 80
    assert len(state.lips.speech) < 20
    again = state_from_json(state_to_json(state))
    assert again == state
    one = play(4.0, state=state, start=30.0, other=True, moving=False)
    other = play(4.0, state=again, start=30.0, other=True, moving=False)
    assert one == other
