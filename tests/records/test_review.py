"""What people add to records."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.records.conftest import BEGAN, beginning, ending, incident_of, occurrence, tell

from proctoring.errors import UnknownRecordError
from proctoring.records.archive import Archive
from proctoring.records.consents import consent
from proctoring.records.review import DecisionKind, decide
from proctoring.records.sitting_list import SittingFilter


@pytest.fixture
def sitting(archive: Archive) -> Archive:
    archive.writer().write([beginning(), occurrence(1), occurrence(2, alerts=False)], tell)
    return archive


def test_the_last_decision_counts_and_earlier_ones_stay(sitting: Archive) -> None:
    verdicts: tuple[DecisionKind, ...] = ("confirm", "dismiss", "comment")
    for minute, verdict in enumerate(verdicts):
        now = BEGAN + timedelta(minutes=minute)
        decide(
            sitting.engine,
            sitting.signer,
            "S1",
            incident_of("S1"),
            verdict,
            "seen twice",
            "rev-3",
            now,
        )
    first, second = sitting.reader.sitting("S1").incidents
    assert first.decision == "dismiss"
    assert [found.decision for found in first.decisions] == ["confirm", "dismiss", "comment"]
    assert (first.decisions[0].reviewer, first.decisions[0].decided_at) == ("rev-3", BEGAN)
    assert (second.decision, second.decisions) == (None, ())


def test_an_incident_of_another_sitting_cannot_be_decided_on(sitting: Archive) -> None:
    with pytest.raises(UnknownRecordError, match=incident_of("S9")):
        decide(sitting.engine, sitting.signer, "S1", incident_of("S9"), "confirm", "why", "", BEGAN)


def test_sittings_that_wait_for_a_decision_are_found(sitting: Archive) -> None:
    (found,) = sitting.reader.sittings(SittingFilter(undecided=True)).sittings
    assert (found.incidents, found.alerts, found.violations, found.undecided) == (2, 1, 1, 1)
    decide(sitting.engine, sitting.signer, "S1", incident_of("S1"), "comment", "hm", "", BEGAN)
    assert len(sitting.reader.sittings(SittingFilter(undecided=True)).sittings) == 1
    decide(sitting.engine, sitting.signer, "S1", incident_of("S1"), "confirm", "clear", "", BEGAN)
    assert sitting.reader.sittings(SittingFilter(undecided=True)).sittings == ()


def test_consent_given_beforehand_belongs_to_the_sitting_that_begins(archive: Archive) -> None:
    consent(archive.engine, archive.signer, "exam-7", True, "You are watched.", "c-1", BEGAN)
    consent(archive.engine, archive.signer, "exam-8", True, "You are watched.", "c-2", BEGAN)
    writer = archive.writer()
    writer.write([beginning()], tell)
    later = BEGAN + timedelta(minutes=5)
    consent(
        archive.engine, archive.signer, "exam-7", False, "I do not want it any more.", "c-1", later
    )
    writer.write([ending()], tell)
    found = archive.reader.sitting("S1").consents
    assert [(given.granted, given.given_by) for given in found] == [(True, "c-1"), (False, "c-1")]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (SittingFilter(), ["S3", "S2", "S1"]),
        (SittingFilter(limit=2), ["S3", "S2"]),
        (SittingFilter(before="S2"), ["S1"]),
        (SittingFilter(session_id="a"), ["S2", "S1"]),
        (SittingFilter(state="open"), ["S3", "S2"]),
        (SittingFilter(kind="gaze.left"), ["S1"]),
        (SittingFilter(since=BEGAN + timedelta(minutes=1)), ["S3", "S2"]),
        (SittingFilter(until=BEGAN + timedelta(minutes=1)), ["S1"]),
    ],
)
def test_sittings_are_found_by_what_is_wanted(
    archive: Archive, wanted: SittingFilter, found: list[str]
) -> None:
    archive.writer().write(
        [
            beginning("S1", "a"),
            occurrence(1, sitting_id="S1", session_id="a"),
            ending("S1", "a"),
            beginning("S2", "a", BEGAN + timedelta(minutes=1)),
            beginning("S3", "b", BEGAN + timedelta(minutes=2)),
        ],
        tell,
    )
    page = archive.reader.sittings(wanted)
    assert [sitting.id for sitting in page.sittings] == found
    assert page.next == ("S2" if wanted.limit == 2 else None)
