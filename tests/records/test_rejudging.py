"""Recorded sittings are judged again exactly as live."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select
from tests.judgement.build import look, seen, times
from tests.records.conftest import beginning, ending, tell
from tests.session.conftest import BLIND

from proctoring.incidents import IncidentChange, IncidentSummary, Severity, fold_changes
from proctoring.judgement.inputs import ChallengeRequested, JudgementInput
from proctoring.judgement.judge import finish, judge
from proctoring.judgement.policy import Policy, parse_policy, shipped_policies, shipped_policy
from proctoring.judgement.state import initial_state
from proctoring.observations import (
    AudioObservation,
    ConnectionObservation,
    Observation,
    TranscriptObservation,
)
from proctoring.records.archive import Archive
from proctoring.records.database import reading
from proctoring.records.rejudging import compare, judge_again
from proctoring.records.signals import SignalRecorder
from proctoring.records.tables import FaceEmbeddingRow
from proctoring.session.pipeline import Pipeline
from proctoring.vision.analyser import VisionAnalyser

END = 60.0


def sitting() -> list[Observation]:
    """A minute with looking away, absence, a phone, speech and a lost connection."""
    found: list[Observation] = []
    for time in times(0, END):
        yaw = 31.0 if 20 <= time < 26 else 0.123456789 * time
        faces = 0 if 30 <= time < 36 else 1
        objects = look(phones=[0.7] if 40 <= time < 45 else []) if time % 1 < 0.05 else None
        found.append(seen(time, yaw=yaw, faces=faces, objects=objects))
        if time % 0.5 < 0.05:
            found.append(AudioObservation(time, 0.5, 0.9 if time > 50 else 0.0, -30.2, None))
    found.insert(400, ConnectionObservation(39.95, connected=False))
    return found


def live(policy: Policy, observations: list[Observation]) -> list[IncidentChange]:
    """The changes of a live session."""
    state, changes = initial_state(), list[IncidentChange]()
    for observation in observations:
        state, new = judge(policy, state, observation)
        changes += new
    return [*changes, *finish(policy, state, END)[1]]


def keep(archive: Archive, observations: list[Observation], *, words: bool = False) -> None:
    """Record a sitting's observations, in several pieces."""
    archive.writer().write([beginning()], tell)
    keeper = SignalRecorder(archive.engine, archive.server_id)
    take = keeper.begin("S1", transcripts=words)
    for number, observation in enumerate(observations):
        take(observation)
        if number % 150 == 149:
            keeper.flush()
    keeper.flush()


@pytest.mark.parametrize("name", shipped_policies())
def test_recorded_inputs_are_judged_as_live_under_any_policy(archive: Archive, name: str) -> None:
    observations = sitting()
    keep(archive, observations)
    policy = shipped_policy(name)
    again = list(judge_again(policy, archive.reader.inputs("S1"), END))
    assert again == live(policy, observations)
    assert repr(again) == repr(live(policy, observations))
    assert again


def test_the_toml_of_a_policy_with_accommodations_is_the_same_policy() -> None:
    for name in shipped_policies():
        policy = shipped_policy(name).with_accommodations(
            {"gaze.left": {"persist": 5}, "screen": {"down": 30.5}}
        )
        assert parse_policy(policy.to_toml()) == policy


def test_transcripts_are_not_recorded_by_default(
    open_database: Callable[[], Archive],
) -> None:
    said = TranscriptObservation(1.0, 0.5, "hey siri", (), True, "moonshine_tiny_en", True)
    keep(open_database(), [said, seen(1.0)])
    assert list(open_database().reader.inputs("S1")) == [seen(1.0)]


def test_transcripts_are_recorded_if_enabled(archive: Archive) -> None:
    said = TranscriptObservation(1.0, 0.5, "hey siri", (), True, "moonshine_tiny_en", True)
    keep(archive, [said, seen(1.0)], words=True)
    assert list(archive.reader.inputs("S1")) == [said, seen(1.0)]


def incident(**differences: object) -> IncidentSummary:
    plain = IncidentSummary(
        number=1,
        kind="gaze.left",
        label="Looking Left",
        severity=Severity.WARNING,
        started_at=20.0,
        duration=6.0,
        confidence=0.9,
        alerted=True,
        reason="why",
    )
    return replace(plain, **differences)  # type: ignore[arg-type]


def test_incidents_are_compared_by_kind_and_time_and_not_by_number() -> None:
    before = [incident(), incident(number=2, kind="face.absent"), incident(number=3, started_at=50)]
    after = [
        incident(number=7),
        incident(number=8, kind="face.absent", duration=4.0),
        incident(number=9, kind="head.left"),
    ]
    found = compare(before, after)
    assert found.same == 1
    assert [(c.before.number, c.after.number) for c in found.changed] == [(2, 8)]
    assert [added.number for added in found.added] == [9]
    assert [removed.number for removed in found.removed] == [3]


def test_a_summary_has_the_values_of_the_last_change() -> None:
    changes = live(shipped_policy("exam"), sitting())
    by_number = {change.number: change for change in changes}
    for found in fold_changes(changes):
        assert found.reason == by_number[found.number].reason
        assert found.duration == round(by_number[found.number].duration, 3)


def test_requested_challenges_are_judged_again(archive: Archive) -> None:
    policy = shipped_policy("exam").with_accommodations({"challenge": {"enabled": True}})
    kept: list[JudgementInput] = []
    pipeline = Pipeline(policy, VisionAnalyser(BLIND), seed="dice", record=kept.append)
    changes: list[IncidentChange] = []
    for time in times(0, 200):
        if time == 30.0:
            pipeline.apply(ChallengeRequested(time, None))
        changes += pipeline.apply(seen(time))
    changes += pipeline.finish(200.0)
    archive.writer().write([replace(beginning(), seed="dice")], tell)
    keeper = SignalRecorder(archive.engine, archive.server_id)
    take = keeper.begin("S1", transcripts=False)
    for item in kept:
        take(item)
    keeper.flush()
    again = judge_again(policy, archive.reader.inputs("S1"), 200.0, archive.reader.seed("S1"))
    assert list(again) == changes
    assert any(change.kind == "liveness.challenge_failed" for change in changes)


def test_the_reference_embedding_is_stored_with_the_end_of_its_sitting(archive: Archive) -> None:
    archive.writer().write([beginning(), replace(ending(), face=(0.5, -0.25))], tell)
    with reading(archive.engine) as connection:
        assert connection.execute(select(FaceEmbeddingRow.embedding)).scalar() == struct.pack(
            "<2f", 0.5, -0.25
        )
