"""The events message."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from tests.delivery.conftest import BEGAN, change, message
from ulid import ULID

from proctoring.delivery.events import number_event
from proctoring.incidents import IncidentState
from proctoring.records.entries import Notice, SittingRef, incident_id, sitting_ref


def test_the_message_is_the_contracts() -> None:
    event = number_event(message(), 17)
    body = json.loads(event.text)
    assert event.seq == 17
    assert ULID.from_str(body["incidents"][0].pop("id")).datetime == BEGAN
    assert body == {
        "alerts": ["Looking Left"],
        "session_id": "exam-7",
        "seq": 17,
        "time": "2026-01-02T10:00:02.120Z",
        "media_time": 93.4,
        "incidents": [
            {
                "kind": "gaze.left",
                "label": "Looking Left",
                "state": "started",
                "severity": "warning",
                "confidence": 0.912,
                "started_at": 91.4,
                "duration": 2.0,
                "reason": "gaze 31 degrees left for 2.0 s (limit 2.0 s)",
                "evidence": [],
            }
        ],
    }


def test_alerts_are_the_labels_of_incidents_that_start_and_may_alert() -> None:
    changes = (
        change(1),
        change(2, label="Looking Up", alerts=False),
        change(3, IncidentState.ENDED, label="Looking Down"),
        change(4, IncidentState.UPDATED, label="Looking Right"),
    )
    body = json.loads(number_event(message("a", *changes), 1).text)
    assert body["alerts"] == ["Looking Left"]
    assert [incident["state"] for incident in body["incidents"]] == [
        "started",
        "started",
        "ended",
        "updated",
    ]


def test_an_incident_keeps_its_id_in_every_change(sitting: SittingRef) -> None:
    started = json.loads(number_event(message("exam-7", change(3)), 1).text)
    ended = change(3, IncidentState.ENDED)
    ended = replace(ended, duration=9.0)
    later = json.loads(number_event(message("exam-7", ended), 2).text)
    assert started["incidents"][0]["id"] == later["incidents"][0]["id"] == incident_id(sitting, 3)


def test_ids_sort_by_number_and_differ_between_sittings(sitting: SittingRef) -> None:
    ids = [incident_id(sitting, number) for number in (1, 2, 300, 70_000)]
    assert ids == sorted(set(ids))
    others = {
        incident_id(sitting, 1),
        incident_id(sitting_ref("exam-8", BEGAN), 1),
        incident_id(sitting_ref("exam-7", BEGAN + timedelta(milliseconds=1)), 1),
    }
    assert len(others) == 3


def test_a_notice_stands_beside_incidents_under_its_own_key() -> None:
    told = replace(message(), changes=(), notice=Notice("enrolment", {"state": "ready"}))
    body = json.loads(number_event(told, 3).text)
    assert body["alerts"] == []
    assert body["incidents"] == []
    assert body["enrolment"] == {"state": "ready"}


def test_a_notice_shows_no_words_where_it_is_logged() -> None:
    assert "secret" not in repr(Notice("transcript", {"text": "secret"}))
