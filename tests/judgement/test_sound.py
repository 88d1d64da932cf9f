"""What is heard, judged: other voices, several at once, and speech where silence was asked for."""

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


def test_one_look_that_hears_another_voice_is_an_incident_with_its_evidence_in_the_reason() -> None:
    (change,) = run(EXAM, [heard(1, CANDIDATE), heard(2, CANDIDATE, OTHER)])
    assert (change.kind, change.label) == ("audio.multiple_speakers", "Multiple Speakers Detected")
    assert (change.severity, change.state, change.alerts) == (
        "violation",
        IncidentState.STARTED,
        True,
    )
    assert change.confidence == pytest.approx(0.98)
    assert change.reason.startswith("voice 2 besides the candidate's (likeness to it 0.13)")


def test_it_ends_ten_seconds_after_the_other_voice_and_is_quiet_for_thirty() -> None:
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


def test_the_candidate_alone_is_no_incident() -> None:
    assert run(EXAM, [heard(t, CANDIDATE) for t in range(60)]) == []


def test_an_unsure_voice_is_left_out_as_the_policy_says() -> None:
    unsure = SpeakerActivity(2, 0.41, 0.4, 2.0)
    assert run(EXAM, [heard(1, CANDIDATE, unsure)]) == []
    strict = EXAM.with_accommodations({"audio": {"min_other_speaker_confidence": 0.3}})
    assert len(run(strict, [heard(1, CANDIDATE, unsure)])) == 1


def test_speech_that_cannot_be_placed_yet_neither_holds_nor_ends() -> None:
    observations = [heard(1, OTHER)]
    observations += [heard(t, unplaced=0.8, enrolment=0.4) for t in range(2, 8)]
    assert [c.state for c in run(EXAM, observations)] == ["started"]


def test_overlap_is_its_own_signal_and_off_unless_asked_for() -> None:
    both = [heard(1, CANDIDATE, overlap=0.1), heard(2, CANDIDATE, overlap=0.5)]
    assert run(EXAM, both) == []
    asked = EXAM.with_accommodations({"audio.overlap": {"enabled": True}})
    (change,) = run(asked, both)
    assert (change.label, change.severity, change.started_at) == ("Overlapping Speech", "info", 2.0)


def test_speech_alarms_only_where_silence_was_asked_for_and_survives_pauses_between_words() -> None:
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


def test_sound_that_did_not_arrive_says_nothing() -> None:
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


def test_a_phrase_of_the_policy_is_an_incident_and_ends_with_the_next_words() -> None:
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
def test_a_phrase_that_the_transcriber_cut_in_two_is_found_once(
    carried: str, text: str, found: bool
) -> None:
    assert bool(run(LISTENING, [said(3, text, carried=carried)])) is found


def test_the_reason_says_when_in_a_long_utterance_the_phrase_was_said() -> None:
    words = tuple(
        Word(text, float(n), n + 0.9)
        for n, text in enumerate(["Well,", "hey", "Siri!", "Now?"], 20)
    )
    long = TranscriptObservation(24.0, 20.0, "Well, hey Siri! Now?", words, True, "test", True)
    (change,) = run(LISTENING, [long])
    assert change.reason.startswith("phrase 'Hey Siri' said at 21.0 s")


def test_words_are_no_incident_where_the_policy_names_no_phrases() -> None:
    assert run(EXAM, [said(3, "hey siri")]) == []


def test_words_do_not_show_in_an_observations_text_form() -> None:
    assert "siri" not in repr(said(3, "hey siri"))
