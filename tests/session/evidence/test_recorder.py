"""What evidence is requested when, and how it is published."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.session.conftest import FakeSocket

from proctoring.audio.pcm import SAMPLE_RATE
from proctoring.incidents import LABELS, Evidence, IncidentChange, IncidentState, Severity
from proctoring.judgement.policy.storage import EvidenceSettings
from proctoring.observations import (
    Box,
    Candidate,
    Detection,
    Face,
    FrameObservation,
    ObjectDetections,
)
from proctoring.session.evidence.bystanders import HIDE_MARGIN
from proctoring.session.evidence.recorder import MAX_LEAD, EvidenceRecorder
from proctoring.session.evidence.writer import EvidenceRequest
from proctoring.session.messages import ReceivedFrame
from proctoring.session.outcomes import (
    AudioReceived,
    DeferredAnalysed,
    DeferredFailed,
    FrameAnalysed,
    FrameReceived,
    JudgementUpdate,
    Outcome,
    SessionEnded,
)
from proctoring.vision.analyser import FrameAnalysis

STARTED, UPDATED, ENDED = IncidentState.STARTED, IncidentState.UPDATED, IncidentState.ENDED


def change(
    number: int = 1,
    state: IncidentState = STARTED,
    *,
    kind: str = "object.phone",
    started_at: float = 9.0,
) -> IncidentChange:
    return IncidentChange(
        number, kind, LABELS[kind], state, Severity.VIOLATION, 0.9, started_at, 1.0,
        "a phone-like object", alerts=state is STARTED,
    )  # fmt: skip


def kept(kind: str, digest: str = "aa") -> Evidence:
    return Evidence(digest, kind, "image/jpeg", 10.0, 10.0, 3, True)


class Recorded:
    """A recorder, its requests, which the test answers, and what it publishes."""

    def __init__(self, **settings: Any) -> None:
        self.requests: list[EvidenceRequest] = []
        self.published: list[tuple[float, IncidentChange]] = []
        self.lost: list[str] = []
        self.finished = 0
        self.recorder = EvidenceRecorder(
            EvidenceSettings(**settings),
            submit=self.requests.append,
            publisher=self,
            on_lost=self.lost.append,
            max_bytes=1 << 30,
        )

    def accept(self, outcome: Outcome) -> None:
        """The sink that publishes."""
        if isinstance(outcome, SessionEnded):
            self.finished += 1
            return
        assert isinstance(outcome, JudgementUpdate)
        assert outcome.notice is None
        self.published.extend((outcome.time, each) for each in outcome.changes)

    def run(
        self, start: float, end: float, *changes: IncidentChange, deferred: bool = False
    ) -> None:
        """Ten frames a second, whose bytes are their times; the changes come with the last, which
        also starts a deferred detection if ``deferred``."""
        steps = round((end - start) * 10)
        for n in range(steps + 1):
            time = round(start + n / 10, 1)
            frame = ReceivedFrame(str(time).encode(), time, None, time, FakeSocket())
            face = Face(1, Box(0, 0, 10, 10), 1.0)
            observation = FrameObservation(
                time, 100, 100, (face,), Candidate(1, None, None, None), None
            )
            is_last = n == steps
            self.recorder.accept(FrameReceived(frame))
            self.recorder.accept(
                FrameAnalysed(frame, FrameAnalysis(observation), 1.0, 0.1, deferred and is_last)
            )
            self.update(time, *(changes if is_last else ()))

    def update(self, time: float, *changes: IncidentChange) -> None:
        self.recorder.accept(JudgementUpdate(time, changes))

    def end(self) -> None:
        self.recorder.accept(SessionEnded(0.0, "over", None))


def times(request: EvidenceRequest) -> tuple[float, float]:
    pictures = request.segment.frames
    return pictures[0].time, pictures[-1].time


def test_a_policy_that_wants_nothing_keeps_nothing() -> None:
    recorded = Recorded()
    recorded.run(0, 10, change())
    recorded.run(10.1, 30)
    recorded.end()
    assert not recorded.requests
    assert recorded.recorder.size == 0
    assert [each.state for _, each in recorded.published] == [STARTED]
    assert recorded.finished == 1


def test_an_unblurred_still_is_ordered_at_once_of_the_picture_that_told() -> None:
    recorded = Recorded(stills=["object.phone"], blur_bystanders=False)
    recorded.run(0, 10, change())
    (request,) = recorded.requests
    assert [picture.data for picture in request.segment.frames] == [b"10.0"]
    assert (request.kind, request.blur) == ("still", False)
    assert recorded.recorder.size == 0, "stills need no media in memory"


def test_a_blurred_still_waits_until_newcomers_would_have_been_found() -> None:
    recorded = Recorded(stills=["*"])
    recorded.run(0, 10, change())
    recorded.run(10.1, 10 + HIDE_MARGIN - 0.2)
    assert not recorded.requests
    recorded.run(10 + HIDE_MARGIN - 0.1, 10 + HIDE_MARGIN + 0.1)
    (request,) = recorded.requests
    assert [picture.data for picture in request.segment.frames] == [b"10.0"]
    times_of_people = [people.time for people in request.segment.people]
    assert times_of_people[0] == pytest.approx(10 - HIDE_MARGIN, abs=0.11)
    assert times_of_people[-1] == pytest.approx(10 + HIDE_MARGIN, abs=0.11)


def test_a_blurred_still_waits_for_frames_that_are_still_analysed() -> None:
    recorded = Recorded(stills=["*"])
    recorded.run(0, 10, change())
    recorded.recorder.accept(JudgementUpdate(15.0, (), frames_pending=True))
    assert not recorded.requests, "a frame in analysis may show a bystander"
    recorded.run(10.1, 10 + HIDE_MARGIN)
    (request,) = recorded.requests
    assert request.segment.people[-1].time == pytest.approx(10 + HIDE_MARGIN, abs=0.11)


@pytest.mark.parametrize("failed", [False, True])
def test_a_blurred_still_waits_for_a_deferred_detection_that_may_find_bystanders(
    failed: bool,
) -> None:
    recorded = Recorded(stills=["*"])
    recorded.run(0, 10, change(), deferred=True)
    recorded.run(10.1, 15)
    assert not recorded.requests
    person = Detection("person", 0.9, Box(50, 0, 90, 100))
    found = FrameObservation(10.0, 100, 100, None, None, ObjectDetections((), (person,), "ssd"))
    recorded.recorder.accept(DeferredFailed() if failed else DeferredAnalysed(found, {}))
    recorded.update(15.0)
    (request,) = recorded.requests
    persons = [each.persons for each in request.segment.people if each.persons]
    assert persons == ([] if failed else [(Box(0.5, 0, 0.9, 1),)])


def test_a_clip_reaches_from_before_the_beginning_to_after_it_was_told() -> None:
    recorded = Recorded(
        clips=["object.*"], seconds_before=3, seconds_after=2, blur_bystanders=False
    )
    recorded.run(0, 10, change(started_at=9.0))
    recorded.run(10.1, 11.9)
    assert not recorded.requests
    recorded.run(12.0, 12.0)
    (request,) = recorded.requests
    assert request.kind == "clip"
    assert times(request) == (6.0, 12.0)


def test_a_condition_that_held_for_long_is_shown_from_a_bounded_time_on() -> None:
    recorded = Recorded(clips=["*"], seconds_before=5, seconds_after=1, blur_bystanders=False)
    recorded.run(0, 60, change(started_at=1.0))
    recorded.run(60.1, 61.0)
    assert times(recorded.requests[0]) == (60 - MAX_LEAD - 5, 61.0)


@pytest.mark.parametrize(("kind", "wanted"), [
    ("object.phone", True), ("gaze.left", True), ("gaze.down", True), ("face.absent", False),
])  # fmt: skip
def test_only_the_kinds_that_are_named_get_any(kind: str, wanted: bool) -> None:
    recorded = Recorded(stills=["object.phone", "gaze.*"], blur_bystanders=False)
    recorded.run(0, 10, change(kind=kind))
    assert bool(recorded.requests) is wanted


def test_only_a_start_gets_any() -> None:
    recorded = Recorded(stills=["*"], blur_bystanders=False)
    recorded.run(0, 10, change(state=UPDATED), change(2, ENDED))
    assert not recorded.requests


@pytest.mark.parametrize("sound", [True, False])
def test_sound_is_held_only_if_it_is_wanted(sound: bool) -> None:
    recorded = Recorded(
        clips=["*"], audio=sound, seconds_before=1, seconds_after=1, blur_bystanders=False
    )
    for n in range(13):
        recorded.recorder.accept(AudioReceived(n, np.zeros(SAMPLE_RATE, np.int16), 1.0, 0.0))
    recorded.run(0, 10, change(started_at=10.0))
    recorded.run(10.1, 11.0)
    assert [piece.time for piece in recorded.requests[0].segment.audio] == (
        [9, 10] if sound else []
    )


def test_evidence_is_told_as_an_update_and_stays_with_the_incident() -> None:
    recorded = Recorded(
        stills=["*"], clips=["*"], seconds_before=1, seconds_after=1, blur_bystanders=False
    )
    recorded.run(0, 10, change())
    still, clip = kept("still"), kept("clip", "bb")
    recorded.requests[0].done(still)
    recorded.run(10.1, 11.5, change(state=UPDATED))
    recorded.requests[1].done(clip)
    recorded.run(11.6, 12, change(state=ENDED))
    told = [(each.state, each.alerts, each.evidence) for _, each in recorded.published]
    assert told == [
        (STARTED, True, ()),
        (UPDATED, False, (still,)),
        (UPDATED, False, (still,)),
        (UPDATED, False, (still, clip)),
        (ENDED, False, (still, clip)),
    ]


def test_what_ended_stays_ended_when_it_gains_evidence() -> None:
    recorded = Recorded(clips=["*"], seconds_before=1, seconds_after=3, blur_bystanders=False)
    recorded.run(0, 10, change())
    ended = replace(change(state=ENDED), duration=1.7)
    recorded.run(10.1, 11, ended)
    recorded.run(11.1, 13.1)
    recorded.requests[0].done(kept("clip"))
    time, last = recorded.published[-1]
    assert last == replace(ended, evidence=(kept("clip"),))
    assert time == 13.1


def test_what_is_lost_is_not_told() -> None:
    recorded = Recorded(stills=["*"], blur_bystanders=False)
    recorded.run(0, 10, change())
    recorded.requests[0].done(None)
    assert len(recorded.published) == 1


def test_the_end_makes_what_is_pending_of_what_there_is_and_waits_for_it() -> None:
    recorded = Recorded(clips=["*"], seconds_before=2, seconds_after=20, blur_bystanders=False)
    recorded.run(0, 10, change())
    recorded.run(10.1, 11, change(state=ENDED))
    recorded.end()
    (request,) = recorded.requests
    assert times(request) == (7.0, 11.0)
    assert recorded.recorder.size == 0, "media outlived its session"
    assert recorded.finished == 0
    request.done(kept("clip"))
    assert recorded.published[-1][1].evidence == (kept("clip"),)
    assert recorded.finished == 1


def test_the_end_waits_for_nothing_when_all_is_lost() -> None:
    recorded = Recorded(stills=["*"], blur_bystanders=False)
    recorded.run(0, 10, change())
    recorded.end()
    recorded.requests[0].done(None)
    assert recorded.finished == 1


def test_a_session_gets_no_more_than_its_policy_allows() -> None:
    recorded = Recorded(stills=["*"], max_items=3, blur_bystanders=False)
    recorded.run(0, 10, *(change(number) for number in range(1, 6)))
    assert len(recorded.requests) == 3
    assert len(recorded.lost) == 2


def test_sound_without_pictures_gets_no_still() -> None:
    recorded = Recorded(stills=["*"], blur_bystanders=False)
    recorded.update(5.0, change(kind="audio.speech"))
    assert recorded.requests[0].segment.frames == ()


def test_incidents_that_are_over_are_forgotten() -> None:
    recorded = Recorded(stills=["*"], blur_bystanders=False)
    for number in range(1, 50):
        recorded.run(number, number, change(number))
        recorded.requests[-1].done(kept("still"))
        recorded.run(number + 0.5, number + 0.5, change(number, ENDED))
    assert not recorded.recorder._incidents
