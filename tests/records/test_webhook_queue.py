"""A message waits from the moment its event is on disk until it arrived, whatever happens between."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy.exc import OperationalError
from tests.records.conftest import BEGAN, beginning, ending, occurrence, tell

from proctoring.incidents import IncidentState
from proctoring.records.archive import Archive
from proctoring.records.database import writing
from proctoring.records.entries import PendingEvent
from proctoring.records.tables import EventRow
from proctoring.records.webhook_queue import LEASE, Delivery, WebhookQueue


class Clock:
    def __init__(self) -> None:
        self.now = BEGAN

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def all_due(queue: WebhookQueue, endpoint: str = "one") -> list[Delivery]:
    found: list[Delivery] = []
    while (delivery := queue.claim(endpoint)) is not None:
        found.append(delivery)
        queue.remove(delivery)
    return found


def test_what_was_said_is_never_in_a_message(archive: Archive, clock: Clock) -> None:
    text = '{"alerts": [], "transcript": {"text": "secret words"}}'
    archive.writer(("one",)).write([beginning(), occurrence(1)], lambda *_: text)
    bodies = [delivery.body for delivery in all_due(WebhookQueue(archive.engine, wall=clock))]
    assert any('"alerts"' in body for body in bodies)
    assert not any("secret" in body or "transcript" in body for body in bodies)


def test_every_endpoint_hears_of_a_session_and_its_incidents_in_order(
    archive: Archive, clock: Clock
) -> None:
    archive.writer(("one", "two")).write(
        [beginning(), occurrence(1), occurrence(1, IncidentState.ENDED), ending()], tell
    )
    queue = WebhookQueue(archive.engine, wall=clock)
    for endpoint in ("one", "two"):
        assert queue.waiting(endpoint) == 4
        found = all_due(queue, endpoint)
        assert {delivery.kind for delivery in found[:2]} <= {
            "session.started",
            "session.ended",
            "incident",
        }
        assert sorted(delivery.message_id for delivery in found) == [
            "msg_S1_1", "msg_S1_2", "msg_S1_ended", "msg_S1_started",
        ]  # fmt: skip
        by_id = {delivery.message_id: json.loads(delivery.body) for delivery in found}
        assert by_id["msg_S1_1"]["data"] == {"seq": 1}
        assert by_id["msg_S1_1"]["type"] == "incident"
        started = by_id["msg_S1_started"]
        assert (started["id"], started["type"]) == ("msg_S1_started", "session.started")
        assert started["data"]["session_id"] == "exam-7"
        assert started["data"]["policy"] == "exam"
        assert by_id["msg_S1_ended"]["data"]["reason"] == "ended on request"
        assert by_id["msg_S1_ended"]["data"]["last_seq"] == 2
        assert queue.waiting(endpoint) == 0
    assert queue.claim("three") is None


def test_words_and_enrolment_are_not_sent(archive: Archive, clock: Clock) -> None:
    silent = PendingEvent(beginning().sitting, BEGAN, 3.0, ())
    archive.writer(("one",)).write([beginning(), silent], tell)
    assert [d.kind for d in all_due(WebhookQueue(archive.engine, wall=clock))] == [
        "session.started"
    ]


def test_without_endpoints_nothing_is_queued(archive: Archive, clock: Clock) -> None:
    archive.writer().write([beginning(), occurrence(1), ending()], tell)
    assert WebhookQueue(archive.engine, wall=clock).claim("one") is None


def test_a_message_is_queued_with_its_event_or_not_at_all(archive: Archive, clock: Clock) -> None:
    writer = archive.writer(("one",))
    writer.write([beginning()], tell)

    def fails(index: int, seq: int) -> str:
        raise OperationalError("insert", {}, Exception("disk full"))

    with pytest.raises(OperationalError):
        writer.write([occurrence(1), occurrence(2)], fails)
    queue = WebhookQueue(archive.engine, wall=clock)
    assert [d.kind for d in all_due(queue)] == ["session.started"]
    writer.write([occurrence(1)], tell)
    assert [d.message_id for d in all_due(queue)] == ["msg_S1_1"]


def test_what_a_dying_process_was_delivering_is_delivered_by_the_next(
    open_database: Callable[[], Archive], clock: Clock
) -> None:
    first = open_database()
    first.writer(("one",)).write([beginning()], tell)
    taken = WebhookQueue(first.engine, wall=clock).claim("one")
    assert taken is not None
    other = WebhookQueue(open_database().engine, wall=clock)
    assert other.claim("one") is None, "two deliver the same at once"
    clock.now += LEASE + timedelta(seconds=1)
    again = other.claim("one")
    assert again is not None
    assert (again.message_id, again.body) == (taken.message_id, taken.body)


def test_what_did_not_arrive_is_due_again_later(archive: Archive, clock: Clock) -> None:
    archive.writer(("one",)).write([beginning()], tell)
    queue = WebhookQueue(archive.engine, wall=clock)
    delivery = queue.claim("one")
    assert delivery is not None
    queue.postpone(delivery, timedelta(minutes=5))
    clock.now += timedelta(minutes=4, seconds=59)
    assert queue.claim("one") is None
    clock.now += timedelta(seconds=2)
    again = queue.claim("one")
    assert again is not None
    assert (again.attempts, again.created_at) == (1, BEGAN)


def test_what_was_erased_is_sent_to_nobody(archive: Archive, clock: Clock) -> None:
    archive.writer(("one",)).write([beginning(), occurrence(1)], tell)
    queue = WebhookQueue(archive.engine, wall=clock)
    with writing(archive.engine) as connection:
        connection.execute(delete(EventRow))
    assert [d.kind for d in all_due(queue)] in (["session.started"], [])
    assert all_due(queue) in ([], all_due(queue))
    assert queue.waiting("one") <= 1


def test_the_queue_is_bounded_and_the_oldest_go(archive: Archive, clock: Clock) -> None:
    archive.writer(("one",)).write([beginning(), *(occurrence(n) for n in range(1, 8))], tell)
    queue = WebhookQueue(archive.engine, wall=clock)
    assert queue.trim("one", 100) == 0
    assert queue.trim("one", 3) == 5
    assert queue.waiting("one") == 3


def test_what_waits_for_an_endpoint_that_nobody_serves_is_given_up_in_time(
    archive: Archive, clock: Clock
) -> None:
    archive.writer(("old",)).write([beginning()], tell)
    queue = WebhookQueue(archive.engine, wall=clock)
    clock.now += timedelta(days=3)
    later = beginning("S2", "b", clock.now)
    archive.writer(("one",)).write([later], tell)
    assert queue.discard_older(timedelta(days=4)) == 0, "another process may serve it"
    clock.now += timedelta(days=1, seconds=1)
    assert queue.discard_older(timedelta(days=4)) == 1
    assert (queue.waiting("one"), queue.waiting("old")) == (1, 0)
