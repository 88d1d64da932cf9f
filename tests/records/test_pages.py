"""What a sitting holds is read in pages, however much it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.records.conftest import BEGAN, beginning, incident_of, occurrence, tell

from proctoring.errors import LimitReachedError
from proctoring.records import reader, review
from proctoring.records.archive import Archive
from proctoring.records.review import DecisionKind, decide
from proctoring.records.sitting_detail import DECISIONS


def say(archive: Archive, kind: DecisionKind, minute: int) -> None:
    now = BEGAN + timedelta(minutes=minute)
    incident = incident_of("S1")
    decide(archive.engine, archive.signer, "S1", incident, kind, f"{kind} {minute}", "r", now)


def test_incidents_come_in_pages_and_all_of_them_in_order(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.writer().write([beginning(), *(occurrence(n) for n in range(1, 8))], tell)
    first = archive.reader.sitting("S1", limit=3)
    assert [found.number for found in first.incidents] == [1, 2, 3]
    assert (first.next_incident, first.sitting.incidents) == (3, 7)
    second = archive.reader.sitting("S1", after=3, limit=3)
    assert [found.number for found in second.incidents] == [4, 5, 6]
    last = archive.reader.sitting("S1", after=6, limit=3)
    assert ([found.number for found in last.incidents], last.next_incident) == ([7], None)
    monkeypatch.setattr(reader, "INCIDENTS", 2)
    assert [found.number for found in archive.reader.incidents("S1")] == [1, 2, 3, 4, 5, 6, 7]
    assert list(archive.reader.incidents("S9")) == []


def test_the_last_decisions_are_shown_and_the_one_that_counts(archive: Archive) -> None:
    archive.writer().write([beginning(), occurrence(1), occurrence(2)], tell)
    say(archive, "dismiss", 0)
    say(archive, "confirm", 1)
    for minute in range(2, 2 + DECISIONS):
        say(archive, "comment", minute)
    first, second = archive.reader.sitting("S1").incidents
    assert (first.decision, first.decision_count) == ("confirm", 2 + DECISIONS)
    assert [found.reason for found in first.decisions] == [
        "confirm 1",
        *(f"comment {minute}" for minute in range(2, 2 + DECISIONS)),
    ]
    assert (second.decision, second.decisions, second.decision_count) == (None, (), 0)


def test_an_incident_has_so_many_decisions(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review, "MAX_DECISIONS", 2)
    archive.writer().write([beginning(), occurrence(1)], tell)
    say(archive, "comment", 0)
    say(archive, "confirm", 1)
    with pytest.raises(LimitReachedError):
        say(archive, "comment", 2)
