"""Media that stops, a silent microphone, and frames that nobody analyses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.judgement.build import EXAM, of_kind, run, run_on, seen, times

from proctoring.incidents import IncidentState, Severity
from proctoring.judgement import (
    CalibrationRequested,
    ChallengeRequested,
    apply,
    initial_state,
    parse_policy,
)
from proctoring.judgement.judge import finish
from proctoring.judgement.problems import media_problems
from proctoring.observations import (
    AudioObservation,
    ConnectionObservation,
    Observation,
    SocketReplaced,
    UnanalysedFrames,
)

REQUIRED = parse_policy('name = "exam"\n[audio]\nrequired = true\n[camera]\nrequired = true')
STUCK = UnanalysedFrames(0.0, refused=0, failed=0, replaced=30, skipped=0, waiting=1)
UNREADABLE = UnanalysedFrames(0.0, refused=20, failed=0, replaced=0, skipped=0, waiting=0)
WHOLE_SESSION = 3600


def arrives(
    time: float,
    *,
    pictures: bool | None = True,
    sound: bool | None = True,
    unanalysed: UnanalysedFrames | None = None,
) -> ConnectionObservation:
    return ConnectionObservation(time, bool(pictures or sound), pictures, sound, unanalysed)


def heard(time: float, level: float | None) -> AudioObservation:
    return AudioObservation(time, 0.5, None, level, None)


def stuck(start: float, end: float, frames: UnanalysedFrames = STUCK) -> list[Observation]:
    """Frames arrive from ``start`` to ``end`` and none is analysed."""
    return [
        arrives(time, unanalysed=replace(frames, seconds=time - start))
        for time in times(start + 1.5, end, rate=1)
    ]


def started(observations: list[Observation], policy: object = EXAM) -> list[tuple[float, str]]:
    changes = run(observations, policy)  # type: ignore[arg-type]
    return [(time, c.kind) for time, c in changes if c.state is IncidentState.STARTED]


# Sound.


def test_sound_that_stops_while_pictures_go_on_is_told_and_becomes_a_warning() -> None:
    observations: list[Observation] = [arrives(0)]
    observations += [arrives(time, sound=False) for time in times(10, 90, rate=1)]
    observations += [arrives(90.2)]
    changes = [(t, c) for t, c in run(observations) if c.kind == "audio.lost"]
    time, first = changes[0]
    assert (time, first.label, first.alerts) == (20, "Sound Lost", True)
    assert "no sound arrives (pictures do)" in first.reason
    assert first.severity == Severity.INFO
    assert next(t for t, c in changes if c.severity == Severity.WARNING) == 70
    assert [t for t, _ in of_kind(changes, "audio.lost", IncidentState.ENDED)] == [90.2]


def test_a_session_that_never_had_a_microphone_is_accused_only_where_one_is_required() -> None:
    observations: list[Observation] = [
        arrives(time, sound=None) for time in times(0, WHOLE_SESSION, rate=1)
    ]
    assert started(observations) == []
    assert started(observations, REQUIRED) == [(10, "audio.lost")]


def test_sound_that_stutters_or_comes_in_long_messages_is_not_lost() -> None:
    observations: list[Observation] = []
    for n in range(200):  # messages of five seconds
        observations += [arrives(5 * n), arrives(5 * n + 1.5, sound=False)]
        observations += [arrives(5 * n + after, sound=False) for after in (2.5, 3.5, 4.5)]
    assert started(observations) == []


def test_minutes_of_digital_silence_are_told_and_become_a_warning() -> None:
    observations: list[Observation] = [heard(time, -100.0) for time in times(0.5, 300.5, rate=2)]
    changes = run(observations)
    ((time, first),) = of_kind(changes, "audio.silent")
    assert (time, first.label, first.severity) == (120.5, "Microphone Silent", Severity.INFO)
    assert changes[-1][0] == 300.5
    assert changes[-1][1].severity is Severity.WARNING


@pytest.mark.parametrize("level", [-83.5, -90.0, -94.9])
def test_the_quietest_room_is_never_accused(level: float) -> None:
    """-83.5 dBFS is the quietest half second of the real recordings (docs/accuracy.md)."""
    observations: list[Observation] = [
        heard(time, level) for time in times(0.5, WHOLE_SESSION, rate=2)
    ]
    assert started(observations) == []


def test_a_word_within_two_minutes_shows_that_the_microphone_works() -> None:
    observations: list[Observation] = [
        heard(time, -40.0 if time % 115 == 0 else -100.0)
        for time in times(0.5, WHOLE_SESSION, rate=2)
    ]
    assert started(observations) == []


def test_a_word_ends_the_incident_of_a_silent_microphone() -> None:
    observations: list[Observation] = [heard(time, -100.0) for time in times(0.5, 130, rate=2)]
    observations += [heard(130.5, -35.0)]
    ((time, ended),) = of_kind(run(observations), "audio.silent", IncidentState.ENDED)
    assert (time, ended.duration) == (130.5, 129.5)


def test_missing_audio_is_not_digital_silence() -> None:
    observations: list[Observation] = [heard(time, None) for time in times(0.5, 600, rate=2)]
    assert started(observations) == []


# Pictures.


def test_pictures_that_stop_while_sound_goes_on_are_no_lost_connection() -> None:
    observations: list[Observation] = [arrives(0)]
    observations += [
        arrives(time, pictures=False) for time in times(11.5, WHOLE_SESSION + 11.5, rate=1)
    ]
    changes = run(observations)
    assert {c.kind for _, c in changes} == {"camera.lost"}
    time, first = changes[0]
    assert (time, first.severity) == (16.5, Severity.INFO)
    assert first.reason.startswith("no pictures arrive (sound does)")
    assert next(t for t, c in changes if c.severity is Severity.WARNING) == 41.5
    assert changes[-1][1].severity is Severity.WARNING


def test_the_policy_says_when_lost_pictures_become_a_warning() -> None:
    observations: list[Observation] = [arrives(0)]
    observations += [arrives(time, pictures=False) for time in times(1, 200, rate=1)]
    never = EXAM.with_accommodations({"camera.lost": {"warning_after": 600}})
    assert {c.severity for _, c in run(observations, never)} == {Severity.INFO}
    at_once = EXAM.with_accommodations({"camera.lost": {"severity": "violation"}})
    assert {c.severity for _, c in run(observations, at_once)} == {Severity.VIOLATION}


def test_both_gone_is_a_lost_connection_and_nothing_else() -> None:
    observations: list[Observation] = [arrives(0)]
    observations += [arrives(time, pictures=False, sound=False) for time in times(1.5, 300, rate=1)]
    assert started(observations) == [(6.5, "session.connection_lost")]


def test_a_session_of_sound_alone_is_accused_only_where_a_camera_is_required() -> None:
    observations: list[Observation] = [
        arrives(time, pictures=None) for time in times(0, 600, rate=1)
    ]
    assert started(observations) == []
    assert started(observations, REQUIRED) == [(5, "camera.lost")]


# Frames that nobody analyses.


def test_frames_that_arrive_and_are_not_analysed_are_an_incident_with_the_counts() -> None:
    frames = UnanalysedFrames(0.0, refused=2, failed=1, replaced=31, skipped=4, waiting=1)
    observations: list[Observation] = [arrives(9.0), *stuck(10, 47, frames), arrives(48)]
    observations += [seen(time) for time in times(48.1, 52)]
    changes = run(observations)
    assert {c.kind for _, c in changes} == {"session.not_analysed"}
    time, first = changes[0]
    assert (time, first.label, first.severity) == (14.5, "Pictures Not Analysed", Severity.INFO)
    for count in (
        "2 not decodable", "1 whose analysis failed", "31 replaced by newer ones", "4 skipped",
        "1 still in work",
    ):  # fmt: skip
        assert count in first.reason
    assert changes[-1][1].state is IncidentState.ENDED
    assert changes[-1][1].severity is Severity.WARNING


def test_two_seconds_without_an_analysis_again_and_again_are_no_incident() -> None:
    observations: list[Observation] = []
    for n in range(0, 600, 3):
        observations += [*stuck(n, n + 1.5), seen(n + 2.2), seen(n + 2.9)]
    assert started(observations) == []


def test_one_frame_in_four_seconds_is_as_good_as_none() -> None:
    observations: list[Observation] = []
    for n in range(0, 60, 4):
        observations += [*stuck(n, n + 3.5), seen(n + 3.8)]
    observations += [seen(time) for time in times(60.1, 70)]
    changes = run(observations)
    ((_, first),) = of_kind(changes, "session.not_analysed")
    ((time, ended),) = of_kind(changes, "session.not_analysed", IncidentState.ENDED)
    assert first.started_at <= 2.5
    assert ended.started_at + ended.duration == 59.5
    assert time == pytest.approx(62.6, abs=0.2)


def test_a_client_disconnected_for_what_it_sends_did_not_lose_its_network() -> None:
    observations: list[Observation] = [arrives(0, sound=None)]
    observations += [
        arrives(time, pictures=False, sound=None, unanalysed=UNREADABLE)
        for time in times(3, 20, rate=1)
    ]
    state, changes = run_on(observations)
    assert changes[0][1].kind == "session.connection_lost"
    assert "after 20 pictures that could not be decoded" in changes[0][1].reason
    assert media_problems(state) == ("pictures_unreadable",)


# What the candidate is told.


@pytest.mark.parametrize(
    ("observations", "code"),
    [
        ([arrives(t, sound=False) for t in times(0, 15, rate=1)], "sound_lost"),
        ([arrives(t, pictures=False) for t in times(0, 15, rate=1)], "camera_lost"),
        ([heard(t, -100.0) for t in times(0.5, 130, rate=2)], "microphone_silent"),
        (stuck(0, 15), "not_analysed"),
        (stuck(0, 15, UNREADABLE), "pictures_unreadable"),
        (
            [arrives(t, pictures=False, sound=False) for t in times(0, 15, rate=1)],
            "connection_lost",
        ),
    ],
)
def test_the_candidate_is_told_what_is_wrong_and_no_longer_when_it_is_well(
    observations: list[Observation], code: str
) -> None:
    state, _ = run_on(observations)
    assert media_problems(state) == (code,)
    end = observations[-1].time
    well: list[Observation] = [
        arrives(end + 0.1),
        heard(end + 0.5, -40.0),
        *(seen(end + t) for t in times(0.6, 4)),
    ]
    state, _ = run_on(well, EXAM, state)
    assert media_problems(state) == ()


# Time without an analysis does not count against the candidate.


def test_a_service_that_analyses_nothing_makes_nobody_late_for_the_enrolment() -> None:
    absent = [seen(time, faces=0) for time in times(0, 5)]
    observations: list[Observation] = [*absent, *stuck(5, 60)]
    state, changes = run_on(observations, EXAM, initial_state())
    state, more = run_on([seen(t, faces=0) for t in times(60.1, 64)], EXAM, state)
    assert "session.not_ready" not in {c.kind for _, c in changes + more}
    _, more = run_on([seen(t, faces=0) for t in times(64.1, 72)], EXAM, state)
    assert "session.not_ready" in {c.kind for _, c in more}  # the limit still holds


def test_a_service_that_analyses_nothing_fails_no_challenge_and_no_calibration() -> None:
    state, _ = run_on([seen(time) for time in times(0, 5)])
    for request in (ChallengeRequested(5.0, "turn_left"), CalibrationRequested(5.0)):
        asked, _ = apply(EXAM, state, request)
        asked, changes = run_on([*stuck(5.5, 40), seen(40.1)], EXAM, asked)
        assert not of_kind(changes, "liveness.challenge_failed")
        assert asked.challenge.movement is not None or asked.calibration.step
        assert (asked.challenge.attempt or asked.calibration.attempts) == 1


def test_severity_at_the_end_is_that_of_the_whole_duration() -> None:
    observations: list[Observation] = [arrives(t, sound=False) for t in times(0, 61, rate=1)]
    state, _ = run_on(observations)
    _, (ended,) = finish(EXAM, state, 61.0)
    assert ended.severity is Severity.WARNING


# Another client.


def test_a_socket_that_takes_over_is_told_once_as_information() -> None:
    origin = "another address (public, before: private)"
    observations: list[Observation] = [arrives(0), SocketReplaced(3.0, "video", origin)]
    observations += [seen(time) for time in times(3.1, 12)]
    changes = [change for _, change in run(observations) if change.kind == "session.taken_over"]
    assert [change.state for change in changes] == [IncidentState.STARTED, IncidentState.ENDED]
    assert (changes[0].severity, changes[0].started_at) == (Severity.INFO, 3.0)
    assert changes[0].label == "Connection Taken Over"
    assert changes[0].reason == f"a newer video socket took over, from {origin}"
