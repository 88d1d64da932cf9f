"""Audio: other speakers, overlapping speech, speech, phrases."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from proctoring.incidents import IncidentChange, IncidentState
from proctoring.judgement import Policy, initial_state, judge, parse_policy
from proctoring.observations import (
    AudioObservation,
    DiarizationResult,
    NotRead,
    Observation,
    SpeakerActivity,
    TranscriptObservation,
    Word,
)

EXAM = parse_policy('name = "exam"')
CANDIDATE = SpeakerActivity(1, None, 0.0, 5.0)
OTHER = SpeakerActivity(2, 0.13, 0.98, 2.0)


def heard(
    time: float,
    *voices: SpeakerActivity,
    overlap: float = 0.0,
    unplaced: float = 0.0,
    enrolment: float = 1.0,
    speech: float = 1.0,
) -> AudioObservation:
    look = DiarizationResult(voices, enrolment, overlap, unplaced)
    return AudioObservation(time, 1.0, speech, -30.0, look)


def run(policy: Policy, observations: Iterable[Observation]) -> list[IncidentChange]:
    state, changes = initial_state(), list[IncidentChange]()
    for observation in observations:
        state, more = judge(policy, state, observation)
        changes += more
    return changes


def test_a_single_result_with_another_speaker_is_an_incident() -> None:
    (change,) = run(EXAM, [heard(1, CANDIDATE), heard(2, CANDIDATE, OTHER)])
    assert (change.kind, change.label) == ("audio.multiple_speakers", "Multiple Speakers Detected")
    assert (change.severity, change.state, change.alerts) == (
        "violation",
        IncidentState.STARTED,
        True,
    )
    assert change.confidence == pytest.approx(0.98)
    assert change.reason.startswith("voice 2 besides the candidate's (likeness to it 0.13)")


def test_another_speaker_ends_after_ten_seconds_and_cools_down_for_thirty() -> None:
    observations = [heard(t, OTHER) for t in (1, 2)]
    observations += [heard(t, CANDIDATE) for t in range(3, 14)]
    observations += [heard(20, OTHER), *(heard(t, CANDIDATE) for t in range(21, 50))]
    observations += [heard(51, OTHER)]
    changes = run(EXAM, observations)
    assert [(c.state, c.alerts) for c in changes] == [
        ("started", True),
        ("ended", False),
        ("started", False),
        ("ended", False),
        ("started", True),
    ]
    assert changes[1].started_at + changes[1].duration == pytest.approx(2.0)


def test_the_candidates_voice_alone_is_no_incident() -> None:
    assert run(EXAM, [heard(t, CANDIDATE) for t in range(60)]) == []


def test_a_voice_below_the_policys_confidence_is_ignored() -> None:
    unsure = SpeakerActivity(2, 0.41, 0.4, 2.0)
    assert run(EXAM, [heard(1, CANDIDATE, unsure)]) == []
    strict = EXAM.with_accommodations({"audio": {"min_other_speaker_confidence": 0.3}})
    assert len(run(strict, [heard(1, CANDIDATE, unsure)])) == 1


def test_unassigned_speech_neither_holds_nor_ends_an_incident() -> None:
    observations = [heard(1, OTHER)]
    observations += [heard(t, unplaced=0.8, enrolment=0.4) for t in range(2, 8)]
    assert [c.state for c in run(EXAM, observations)] == ["started"]


def test_overlapping_speech_is_a_kind_of_its_own_and_off_by_default() -> None:
    both = [heard(1, CANDIDATE, overlap=0.1), heard(2, CANDIDATE, overlap=0.5)]
    assert run(EXAM, both) == []
    asked = EXAM.with_accommodations({"audio.overlap": {"enabled": True}})
    (change,) = run(asked, both)
    assert (change.label, change.severity, change.started_at) == ("Overlapping Speech", "info", 2.0)


def test_speech_is_an_incident_if_enabled_and_bridges_pauses() -> None:
    shares = [0.0, 0.9, 0.8, 0.1, 0.9, 0.0, 0.0, 0.0, 0.0, 0.0]
    half = [
        AudioObservation(0.5 * (i + 1), 0.5, share, -30.0, None) for i, share in enumerate(shares)
    ]
    assert run(EXAM, half) == []
    silence = EXAM.with_accommodations({"audio.speech": {"enabled": True}})
    changes = run(silence, half)
    assert [(c.label, c.state) for c in changes] == [
        ("Speech Detected", "started"),
        ("Speech Detected", "ended"),
    ]
    assert changes[0].started_at == 1.5


def test_missing_audio_is_ignored() -> None:
    asked = EXAM.with_accommodations({"audio.speech": {"enabled": True}})
    lost = AudioObservation(5.0, 4.0, None, None, None, (NotRead("sound", "4.0 s are missing"),))
    assert run(asked, [lost]) == []


LISTENING = EXAM.with_accommodations(
    {
        "audio": {"phrases": ["Hey Siri", "help me"]},
        "transcription": {"engine": "moonshine"},
    }
)


def said(time: float, text: str, *, final: bool = True, carried: str = "") -> TranscriptObservation:
    return TranscriptObservation(time, time - 1, text, (), final, "test", True, carried)


def test_a_phrase_is_an_incident_and_ends_with_the_next_utterance() -> None:
    policy = LISTENING
    changes = run(
        policy,
        [
            said(1, "They siring nobody."),
            said(2, "hey, siri", final=False),
            said(3, "So... hey, SIRI! What's four times four?"),
            said(6, "Sixteen."),
        ],
    )
    assert [(c.label, c.state) for c in changes] == [
        ("Suspicious Phrase Detected", "started"),
        ("Suspicious Phrase Detected", "ended"),
    ]
    assert changes[0].reason.startswith("phrase 'Hey Siri' said")
    assert "four" not in changes[0].reason


@pytest.mark.parametrize(
    ("carried", "text", "found"),
    [
        ("so I said hey", "Siri, what is it", True),
        ("and hey siri", "what is it", False),  # told with the words before
        ("hey siri", "hey siri", True),
        ("help", "some more", False),
        ("", "help some meek", False),
    ],
)
def test_a_phrase_split_over_two_utterances_is_found_once(
    carried: str, text: str, found: bool
) -> None:
    assert bool(run(LISTENING, [said(3, text, carried=carried)])) is found


def test_the_reason_has_the_time_of_the_phrase_in_a_long_utterance() -> None:
    words = tuple(
        Word(text, float(n), n + 0.9)
        for n, text in enumerate(["Well,", "hey", "Siri!", "Now?"], 20)
    )
    long = TranscriptObservation(24.0, 20.0, "Well, hey Siri! Now?", words, True, "test", True)
    (change,) = run(LISTENING, [long])
    assert change.reason.startswith("phrase 'Hey Siri' said at 21.0 s")


def test_transcripts_are_no_incident_without_phrases_in_the_policy() -> None:
    assert run(EXAM, [said(3, "hey siri")]) == []


def test_the_repr_of_an_observation_has_no_words() -> None:
    assert "siri" not in repr(said(3, "hey siri"))


def test_how_far_sound_and_words_were_judged_is_known_to_whoever_continues() -> None:
    gap = AudioObservation(9.0, 5.0, None, None, None)
    speakers_of_words = AudioObservation(8.0, 1.0, None, None, DiarizationResult((), 1.0, 0.0, 0.0))
    word = Word("yes", 6.0, 6.5, None, None)
    final, interim = (
        TranscriptObservation(time, 6.0, "yes", (word,), is_final, "moonshine", False)
        for time, is_final in ((6.5, True), (7.5, False))
    )
    state = initial_state()
    for observation in (heard(4.0, CANDIDATE), gap, speakers_of_words, final, interim):
        state, _ = judge(EXAM, state, observation)
    assert (state.heard_until, state.transcribed_until) == (4.0, 6.5)
