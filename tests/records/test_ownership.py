"""One owner writes a sitting: what a former one still has to write is dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from tests.judgement.build import times
from tests.records.conftest import BEGAN, beginning, ending, occurrence, tell

from proctoring.errors import SessionMovedError
from proctoring.observations import ConnectionObservation
from proctoring.records.archive import Archive
from proctoring.records.batch import WrittenEvent
from proctoring.records.database import reading, writing
from proctoring.records.entries import Entry, PendingEvent
from proctoring.records.ownership import Fenced, claim, lock_for_events, lock_owners
from proctoring.records.signals import SignalRecorder
from proctoring.records.tables import IncidentRow, SignalSegmentRow, SittingRow
from proctoring.records.verification import verify


def under(epoch: int, entry: PendingEvent) -> PendingEvent:
    return replace(entry, sitting=replace(entry.sitting, epoch=epoch))


def owner(archive: Archive, sitting_id: str = "S1") -> tuple[str, int, str]:
    with reading(archive.engine) as connection:
        row = connection.execute(select(SittingRow).filter_by(id=sitting_id)).one()
        return (row.server_id, row.epoch, row.state)


def take(archive: Archive, expected: int = 1) -> int:
    with writing(archive.engine) as connection:
        return claim(connection, "S1", archive.server_id, expected)


def test_a_claim_moves_a_sitting_and_counts_its_owners(
    open_database: Callable[[], Archive],
) -> None:
    first, second = open_database(), open_database()
    first.writer().write([beginning()], tell)
    assert owner(first) == (first.server_id, 1, "open")
    assert take(second) == 2
    assert owner(first) == (second.server_id, 2, "open")
    with pytest.raises(SessionMovedError):
        take(first)
    assert owner(first) == (second.server_id, 2, "open")


def test_a_sitting_that_ended_cannot_be_claimed(open_database: Callable[[], Archive]) -> None:
    first, second = open_database(), open_database()
    first.writer().write([beginning(), ending()], tell)
    with pytest.raises(SessionMovedError):
        take(second)
    with pytest.raises(SessionMovedError), writing(second.engine) as connection:
        claim(connection, "S9", second.server_id, 1)


def test_what_a_former_owner_writes_is_dropped_and_costs_other_sittings_nothing(
    open_database: Callable[[], Archive],
) -> None:
    first, second = open_database(), open_database()
    old, new = first.writer(), second.writer()
    old.write([beginning(), occurrence(1), beginning("S2", "exam-8")], tell)
    take(second)
    mine = occurrence(1, sitting_id="S2", session_id="exam-8")
    told = old.write([occurrence(2), mine, ending()], tell)
    assert told == [Fenced.FENCED, WrittenEvent(1, tell(0, 1)), Fenced.FENCED]
    assert new.write([under(2, occurrence(2))], tell) == [WrittenEvent(2, tell(0, 2))]
    assert [found.seq for found in second.reader.events("S1")] == [1, 2]
    with reading(second.engine) as connection:
        numbers = select(IncidentRow.number).filter_by(sitting_id="S1").order_by("number")
        assert list(connection.execute(numbers).scalars()) == [1, 2]
    assert not list(verify(second.engine, second.signer))
    assert owner(second)[2] == "open"


def test_a_process_that_claims_its_own_sitting_again_drops_what_came_before(
    archive: Archive,
) -> None:
    writer = archive.writer()
    writer.write([beginning()], tell)
    assert take(archive) == 2
    told = writer.write([occurrence(1), under(2, occurrence(1))], tell)
    assert told == [Fenced.FENCED, WrittenEvent(1, tell(0, 1))]


def test_at_most_one_sitting_of_a_session_is_open(open_database: Callable[[], Archive]) -> None:
    first, second = open_database(), open_database()
    first.writer().write([beginning("S1")], tell)
    later = replace(beginning("S2", started_at=BEGAN + timedelta(seconds=9)), exclusive=True)
    second_writer = second.writer()
    assert second_writer.write([later], tell) == [Fenced.FENCED]
    later_on = occurrence(1, sitting_id="S2")
    assert second_writer.write([later_on], tell) == [Fenced.FENCED], "it never started"
    assert second_writer.write([occurrence(1, sitting_id="S1")], tell) == [Fenced.FENCED]
    assert owner(first) == (first.server_id, 1, "open")
    with reading(first.engine) as connection:
        row = connection.execute(select(SittingRow).filter_by(id="S1")).one()._asdict()
    copy = insert(SittingRow).values(row | {"id": "S3"})
    with writing(first.engine) as connection, pytest.raises(IntegrityError):
        connection.execute(copy)


def test_two_servers_that_begin_a_name_in_the_same_millisecond_do_not_share_a_sitting(
    open_database: Callable[[], Archive],
) -> None:
    first, second = open_database(), open_database()
    batch: list[Entry] = [beginning("S1"), occurrence(1)]
    first.writer().write(batch, tell)
    assert second.writer().write(list(batch), tell) == [Fenced.FENCED, Fenced.FENCED]
    assert owner(first) == (first.server_id, 1, "open")


def test_a_newer_sitting_interrupts_an_open_one_whose_server_is_fenced(
    open_database: Callable[[], Archive],
) -> None:
    first, second = open_database(), open_database()
    old = first.writer()
    old.write([beginning("S1"), occurrence(1)], tell)
    second.writer().write([beginning("S2", started_at=BEGAN + timedelta(seconds=9))], tell)
    assert owner(first) == (first.server_id, 2, "interrupted")
    assert old.write([occurrence(2), ending()], tell) == [Fenced.FENCED, Fenced.FENCED]
    assert not list(verify(second.engine, second.signer))


def test_signals_of_a_sitting_that_moved_are_dropped(open_database: Callable[[], Archive]) -> None:
    first, second = open_database(), open_database()
    first.writer().write([beginning(), beginning("S2", "exam-8")], tell)
    old = SignalRecorder(first.engine, first.server_id)
    record, other = (old.begin(name, transcripts=True) for name in ("S1", "S2"))
    inputs = [ConnectionObservation(t, connected=True) for t in times(0.0, 3.0)]
    record(inputs[0])
    old.flush()
    take(second)
    for item in inputs[1:]:
        record(item)
        other(item)
    old.flush()
    record(inputs[0])
    assert old.fenced == len(inputs), "those that waited, and the one after"
    new = SignalRecorder(second.engine, second.server_id)
    goes_on = new.begin("S1", transcripts=True, epoch=2, next_segment=1)
    goes_on(inputs[1])
    new.flush()
    with reading(second.engine) as connection:
        stored = select(SignalSegmentRow.sitting_id, SignalSegmentRow.input_count).order_by(
            SignalSegmentRow.sitting_id, SignalSegmentRow.number
        )
        found = [tuple(row) for row in connection.execute(stored)]
    assert found == [("S1", 1), ("S1", 1), ("S2", len(inputs) - 1)]


@pytest.mark.parametrize("lock", [lock_for_events, lock_owners])
def test_a_claim_waits_for_a_transaction_that_writes_the_sitting(
    open_database: Callable[[], Archive], lock: Callable[..., object]
) -> None:
    first, second = open_database(), open_database()
    first.writer().write([beginning()], tell)
    order: list[str] = []

    def claims() -> None:
        take(second)
        order.append("claimed")

    with writing(first.engine) as connection:
        lock(connection, ["S1"])
        thread = Thread(target=claims)
        thread.start()
        thread.join(0.3)  # cannot end meanwhile; waiting longer proves no more
        order.append("written")
    thread.join()
    assert order == ["written", "claimed"]


@pytest.mark.parametrize("lock", [lock_for_events, lock_owners])
def test_a_transaction_that_writes_a_sitting_waits_for_a_claim_and_sees_it(
    open_database: Callable[[], Archive], lock: Callable[..., dict[str, object]]
) -> None:
    first, second = open_database(), open_database()
    first.writer().write([beginning()], tell)
    seen: list[object] = []

    def writes() -> None:
        with writing(first.engine) as connection:
            seen.append(lock(connection, ["S1"])["S1"])

    with writing(second.engine) as connection:
        claim(connection, "S1", second.server_id, 1)
        thread = Thread(target=writes)
        thread.start()
        thread.join(0.3)
        assert not seen
    thread.join()
    found = seen[0]
    epoch = found[1] if isinstance(found, tuple) else getattr(found, "epoch", None)
    assert epoch == 2
