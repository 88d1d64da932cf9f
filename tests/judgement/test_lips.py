"""Effect of lip movement on the confidence of another speaker."""

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
    """A candidate in front of the camera while a voice speaks without a pause.

    Args:
        moving: whether the lips move; ``None``: they cannot be read.
        other: the voice is another speaker's.
        offset: delay of the audio in seconds.
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
    """The incident of another speaker, after four seconds of the candidate's voice."""
    own, none = play(4.0)
    assert not none
    _, changes = play(4.0, state=own, start=4.0, other=True, **settings)  # type: ignore[arg-type]
    return changes[0]


def test_still_lips_raise_the_confidence_of_another_speaker() -> None:
    unread = started(moving=None)
    still = started(moving=False)
    assert unread.confidence == pytest.approx(0.84)
    assert "lips" not in unread.reason
    assert still.confidence > 0.94
    assert "lips still during 1.5 of 1.5 s of speech" in still.reason


def test_moving_lips_lower_the_confidence_but_keep_the_incident() -> None:
    moving = started(moving=True)
    assert moving.confidence < 0.7
    assert "lips moving during" in moving.reason


def test_still_lips_do_not_count_before_they_moved_with_the_own_voice() -> None:
    covered, _ = play(8.0, moving=False)
    _, changes = play(4.0, state=covered, start=8.0, other=True, moving=False)
    assert changes[0].confidence == pytest.approx(0.84)
    assert "lips" not in changes[0].reason


def test_still_lips_alone_are_no_incident() -> None:
    own, _ = play(6.0)
    _, changes = play(20.0, state=own, start=6.0, moving=False)
    assert changes == []


@pytest.mark.parametrize("offset", [-0.2, 0.2])
def test_a_small_offset_of_audio_makes_no_difference(offset: float) -> None:
    own, _ = play(6.0)
    state, _ = play(4.0, state=own, start=6.0, other=True, moving=False, offset=offset)
    incident = state.kinds["audio.multiple_speakers"].incident
    assert incident is not None
    assert incident.confidence_sum / incident.held_count > 0.86


def test_too_few_frames_have_no_effect() -> None:
    own, _ = play(6.0)
    _, changes = play(4.0, state=own, start=6.0, other=True, moving=False, rate=2.0)
    assert "lips" not in changes[0].reason


def test_the_history_is_bounded_and_can_be_saved() -> None:
    state, _ = play(30.0)
    assert len(state.lips.mouths) < 80
    assert len(state.lips.speech) < 20
    again = state_from_json(state_to_json(state))
    assert again == state
    one = play(4.0, state=state, start=30.0, other=True, moving=False)
    other = play(4.0, state=again, start=30.0, other=True, moving=False)
    assert one == other
