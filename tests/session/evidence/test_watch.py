"""What is ordered, of what, and when; and how it is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

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
from proctoring.session.evidence.bystanders import AROUND
from proctoring.session.evidence.keeper import Order
from proctoring.session.evidence.watch import LEAD, EvidenceWatch
from proctoring.session.outcomes import JudgementUpdate, Outcome, SessionEnded

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


class Watched:
    """A watch whose orders wait for the test."""

    def __init__(self, **wanted: Any) -> None:
        self.orders: list[Order] = []
        self.published: list[tuple[float, IncidentChange]] = []
        self.lost: list[str] = []
        self.finished = 0
        self.watch = EvidenceWatch(
            EvidenceSettings(**wanted),
            offer=self.orders.append,
            publisher=self,
            lost=self.lost.append,
            max_bytes=1 << 30,
        )

    def accept(self, outcome: Outcome) -> None:
        """What would publish: the last sink."""
        if isinstance(outcome, SessionEnded):
            self.finished += 1
            return
        assert isinstance(outcome, JudgementUpdate)
        assert outcome.notice is None
        self.published.extend((outcome.time, each) for each in outcome.changes)

    def run(self, start: float, end: float, *changes: IncidentChange) -> None:
        """Ten pictures a second, whose bytes are their times; the changes come with the last."""
        steps = round((end - start) * 10)
        for n in range(steps + 1):
            time = round(start + n / 10, 1)
            data = str(time).encode()
            self.watch.picture(time, data)
            face = Face(1, Box(0, 0, 10, 10), 1.0)
            self.watch.looked(
                data,
                FrameObservation(time, 100, 100, (face,), Candidate(1, None, None, None), None),
            )
            self.watch.tell(time, changes if n == steps else ())

    def end(self) -> None:
        self.watch.end(SessionEnded(0.0, "over", None))


def times(order: Order) -> tuple[float, float]:
    pictures = order.stretch.pictures
    return pictures[0].time, pictures[-1].time


def test_a_policy_that_wants_nothing_keeps_nothing() -> None:
    watched = Watched()
    watched.run(0, 10, change())
    watched.run(10.1, 30)
    watched.end()
    assert not watched.orders
    assert watched.watch.size == 0
    assert [each.state for _, each in watched.published] == [STARTED]
    assert watched.finished == 1


def test_an_unblurred_still_is_ordered_at_once_of_the_picture_that_told() -> None:
    watched = Watched(stills=["object.phone"], blur_bystanders=False)
    watched.run(0, 10, change())
    (order,) = watched.orders
    assert [picture.data for picture in order.stretch.pictures] == [b"10.0"]
    assert (order.kind, order.blur) == ("still", False)
    assert watched.watch.size == 0, "stills need no media in memory"


def test_a_blurred_still_waits_until_newcomers_would_have_been_found() -> None:
    watched = Watched(stills=["*"])
    watched.run(0, 10, change())
    watched.run(10.1, 10 + AROUND - 0.2)
    assert not watched.orders
    watched.run(10 + AROUND - 0.1, 10 + AROUND + 0.1)
    (order,) = watched.orders
    assert [picture.data for picture in order.stretch.pictures] == [b"10.0"]
    looks = [look.time for look in order.stretch.looks]
    assert looks[0] == pytest.approx(10 - AROUND, abs=0.11)
    assert looks[-1] == pytest.approx(10 + AROUND, abs=0.11)


@pytest.mark.parametrize("failed", [False, True])
def test_a_blurred_still_waits_for_a_slow_look_that_may_find_bystanders(failed: bool) -> None:
    watched = Watched(stills=["*"])
    watched.run(0, 10, change())
    watched.watch.looking_slowly(10.0)
    watched.run(10.1, 15)
    assert not watched.orders
    person = Detection("person", 0.9, Box(50, 0, 90, 100))
    found = FrameObservation(10.0, 100, 100, None, None, ObjectDetections((), (person,), "ssd"))
    watched.watch.looked_slowly(None if failed else found)
    watched.watch.passed(15.0)
    (order,) = watched.orders
    persons = [look.persons for look in order.stretch.looks if look.persons]
    assert persons == ([] if failed else [(Box(0.5, 0, 0.9, 1),)])


def test_a_clip_reaches_from_before_the_beginning_to_after_it_was_told() -> None:
    watched = Watched(clips=["object.*"], seconds_before=3, seconds_after=2, blur_bystanders=False)
    watched.run(0, 10, change(started_at=9.0))
    watched.run(10.1, 11.9)
    assert not watched.orders
    watched.run(12.0, 12.0)
    (order,) = watched.orders
    assert order.kind == "clip"
    assert times(order) == (6.0, 12.0)


def test_a_condition_that_held_for_long_is_shown_from_a_bounded_time_on() -> None:
    watched = Watched(clips=["*"], seconds_before=5, seconds_after=1, blur_bystanders=False)
    watched.run(0, 60, change(started_at=1.0))
    watched.run(60.1, 61.0)
    assert times(watched.orders[0]) == (60 - LEAD - 5, 61.0)


@pytest.mark.parametrize(("kind", "wanted"), [
    ("object.phone", True), ("gaze.left", True), ("gaze.down", True), ("face.absent", False),
])  # fmt: skip
def test_only_the_kinds_that_are_named_get_any(kind: str, wanted: bool) -> None:
    watched = Watched(stills=["object.phone", "gaze.*"], blur_bystanders=False)
    watched.run(0, 10, change(kind=kind))
    assert bool(watched.orders) is wanted


def test_only_a_start_gets_any() -> None:
    watched = Watched(stills=["*"], blur_bystanders=False)
    watched.run(0, 10, change(state=UPDATED), change(2, ENDED))
    assert not watched.orders


@pytest.mark.parametrize("sound", [True, False])
def test_sound_is_held_only_if_it_is_wanted(sound: bool) -> None:
    watched = Watched(
        clips=["*"], audio=sound, seconds_before=1, seconds_after=1, blur_bystanders=False
    )
    for n in range(13):
        watched.watch.sound(float(n), np.zeros(SAMPLE_RATE, np.int16))
    watched.run(0, 10, change(started_at=10.0))
    watched.run(10.1, 11.0)
    assert [piece.time for piece in watched.orders[0].stretch.sounds] == ([9, 10] if sound else [])


def test_evidence_is_told_as_an_update_and_stays_with_the_incident() -> None:
    watched = Watched(
        stills=["*"], clips=["*"], seconds_before=1, seconds_after=1, blur_bystanders=False
    )
    watched.run(0, 10, change())
    still, clip = kept("still"), kept("clip", "bb")
    watched.orders[0].done(still)
    watched.run(10.1, 11.5, change(state=UPDATED))
    watched.orders[1].done(clip)
    watched.run(11.6, 12, change(state=ENDED))
    told = [(each.state, each.alerts, each.evidence) for _, each in watched.published]
    assert told == [
        (STARTED, True, ()),
        (UPDATED, False, (still,)),
        (UPDATED, False, (still,)),
        (UPDATED, False, (still, clip)),
        (ENDED, False, (still, clip)),
    ]


def test_what_ended_stays_ended_when_it_gains_evidence() -> None:
    watched = Watched(clips=["*"], seconds_before=1, seconds_after=3, blur_bystanders=False)
    watched.run(0, 10, change())
    ended = replace(change(state=ENDED), duration=1.7)
    watched.run(10.1, 11, ended)
    watched.run(11.1, 13.1)
    watched.orders[0].done(kept("clip"))
    time, last = watched.published[-1]
    assert last == replace(ended, evidence=(kept("clip"),))
    assert time == 13.1


def test_what_is_lost_is_not_told() -> None:
    watched = Watched(stills=["*"], blur_bystanders=False)
    watched.run(0, 10, change())
    watched.orders[0].done(None)
    assert len(watched.published) == 1


def test_the_end_makes_what_is_pending_of_what_there_is_and_waits_for_it() -> None:
    watched = Watched(clips=["*"], seconds_before=2, seconds_after=20, blur_bystanders=False)
    watched.run(0, 10, change())
    watched.run(10.1, 11, change(state=ENDED))
    watched.end()
    (order,) = watched.orders
    assert times(order) == (7.0, 11.0)
    assert watched.watch.size == 0, "media outlived its session"
    assert watched.finished == 0
    order.done(kept("clip"))
    assert watched.published[-1][1].evidence == (kept("clip"),)
    assert watched.finished == 1


def test_the_end_waits_for_nothing_when_all_is_lost() -> None:
    watched = Watched(stills=["*"], blur_bystanders=False)
    watched.run(0, 10, change())
    watched.end()
    watched.orders[0].done(None)
    assert watched.finished == 1


def test_a_session_gets_no_more_than_its_policy_allows() -> None:
    watched = Watched(stills=["*"], max_items=3, blur_bystanders=False)
    watched.run(0, 10, *(change(number) for number in range(1, 6)))
    assert len(watched.orders) == 3
    assert len(watched.lost) == 2


def test_sound_without_pictures_gets_no_still() -> None:
    watched = Watched(stills=["*"], blur_bystanders=False)
    watched.watch.tell(5.0, (change(kind="audio.speech"),))
    assert watched.orders[0].stretch.pictures == ()


def test_incidents_that_are_over_are_forgotten() -> None:
    watched = Watched(stills=["*"], blur_bystanders=False)
    for number in range(1, 50):
        watched.run(number, number, change(number))
        watched.orders[-1].done(kept("still"))
        watched.run(number + 0.5, number + 0.5, change(number, ENDED))
    assert not watched.watch._cases
