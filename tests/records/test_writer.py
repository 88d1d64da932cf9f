"""Events are numbered, bound to each other and on disk before anybody knows their number."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from tests.records.conftest import BEGAN, beginning, ending, occurrence, tell

from proctoring.incidents import IncidentState
from proctoring.records.archive import DEAD_AFTER, Archive
from proctoring.records.batch import WrittenEvent
from proctoring.records.chain import initial_head, link
from proctoring.records.entries import PendingEvent
from proctoring.records.event_log import StoredEvent, StoredReplay
from proctoring.records.ownership import Fenced
from proctoring.records.sitting_state import sealed_text
from proctoring.records.writer import RecordWriter

STARTED, UPDATED, ENDED = IncidentState.STARTED, IncidentState.UPDATED, IncidentState.ENDED


def seqs(told: list[WrittenEvent | Fenced | None]) -> list[int]:
    return [found.seq for found in told if isinstance(found, WrittenEvent)]


def test_numbers_rise_by_one_within_each_name(archive: Archive) -> None:
    writer = archive.writer()
    told = writer.write(
        [
            beginning("S1", "a"),
            beginning("S2", "b"),
            occurrence(1, sitting_id="S1", session_id="a"),
            occurrence(1, sitting_id="S2", session_id="b"),
            occurrence(2, sitting_id="S1", session_id="a"),
        ],
        tell,
    )
    assert told[:2] == [None, None]
    assert seqs(told) == [1, 1, 2]
    assert seqs(writer.write([occurrence(3, sitting_id="S1", session_id="a")], tell)) == [3]
    assert (writer.last_seq("a"), writer.last_seq("b"), writer.last_seq("c")) == (3, 1, 0)


def test_a_process_that_follows_goes_on_counting(open_database: Callable[[], Archive]) -> None:
    open_database().writer().write([beginning(), occurrence(1), occurrence(2)], tell)
    writer = open_database().writer()
    told = writer.write([beginning("S2"), occurrence(1, sitting_id="S2")], tell)
    assert seqs(told) == [3]


def test_a_sitting_that_ended_is_not_replayed_to_the_next_of_its_name(archive: Archive) -> None:
    writer = archive.writer()
    writer.write([beginning(), occurrence(1), ending()], tell)
    assert archive.reader.replay("exam-7", 0, 100) == StoredReplay(((1, tell(0, 1)),), 0)
    later = beginning("S2", started_at=BEGAN + timedelta(minutes=1))
    writer.write([later], tell)
    assert archive.reader.replay("exam-7", 0, 100) == StoredReplay((), 0)
    writer.write([occurrence(1, sitting_id="S2")], tell)
    assert archive.reader.replay("exam-7", 0, 100) == StoredReplay(((2, tell(0, 2)),), 0)


def test_a_sitting_cut_short_is_replayed_to_the_one_that_goes_on(
    open_database: Callable[[], Archive],
) -> None:
    open_database().writer().write([beginning(), occurrence(1), occurrence(2)], tell)
    archive = open_database()
    writer = archive.writer()
    later = beginning("S2", started_at=BEGAN + timedelta(minutes=1))
    writer.write([later, occurrence(1, sitting_id="S2")], tell)
    found = archive.reader.replay("exam-7", 1, 100)
    assert ([seq for seq, _ in found.events], found.missing) == ([2, 3], 0)
    cut = archive.reader.sitting("S1")
    assert cut.sitting.state == "interrupted"
    assert {incident.state for incident in cut.incidents} == {"interrupted"}


def test_each_event_is_bound_to_the_one_before_and_the_end_is_sealed(archive: Archive) -> None:
    archive.writer().write([beginning(), occurrence(1), occurrence(1, ENDED), ending()], tell)
    sitting = archive.reader.sitting("S1").sitting
    head = initial_head("S1", "exam-7", BEGAN, sitting.policy_hash)
    for event_ in archive.reader.events("S1"):
        head = link(head, event_.text)
        assert event_.hash == head
    assert sitting.seal is not None
    assert archive.signer.verifies(sealed_text("S1", 2, head), sitting.seal)


def test_an_incident_is_as_its_last_change_left_it(archive: Archive) -> None:
    writer = archive.writer()
    writer.write([beginning(), occurrence(1), occurrence(2, alerts=False)], tell)
    writer.write([occurrence(1, UPDATED, duration=30.0), occurrence(1, ENDED, duration=31.0)], tell)
    first, second = archive.reader.sitting("S1").incidents
    assert (first.state, first.duration, first.alerted) == ("ended", 31.0, True)
    assert (first.first_seq, first.last_seq) == (1, 4)
    assert (second.state, second.alerted) == ("started", False)


def test_a_session_that_did_not_begin_is_refused(archive: Archive) -> None:
    with pytest.raises(KeyError, match="S9"):
        archive.writer().write([occurrence(1, sitting_id="S9")], tell)


def test_a_process_whose_session_began_anew_elsewhere_writes_nothing_more_of_it(
    open_database: Callable[[], Archive],
) -> None:
    first = open_database().writer()
    first.write([beginning(), occurrence(1)], tell)
    second = open_database().writer()
    second.write([beginning("S2", started_at=BEGAN + timedelta(seconds=9))], tell)
    second.write([occurrence(1, sitting_id="S2")], tell)  # number 2
    told = first.write([occurrence(2), beginning("S3", "exam-8"), ending()], tell)
    assert told == [Fenced.FENCED, None, Fenced.FENCED]
    assert [found.seq for found in archive_events(open_database(), "S1", "S2")] == [1, 2]


def archive_events(archive: Archive, *sittings: str) -> list[StoredEvent]:
    return [found for sitting in sittings for found in archive.reader.events(sitting)]


class Fails:
    """Lets the commit of a connection fail: before it is done, or after."""

    def __init__(self, archive: Archive, *, after: bool) -> None:
        self.left = 1
        event.listen(archive.engine, "commit" if not after else "checkin", self)

    def __call__(self, *_: object) -> None:
        if self.left:
            self.left -= 1
            raise OperationalError("commit", {}, Exception("the connection is gone"))


def test_a_batch_that_failed_can_be_written_again(archive: Archive) -> None:
    writer = archive.writer()
    writer.write([beginning()], tell)
    batch = [occurrence(1), occurrence(2)]
    Fails(archive, after=False)
    with pytest.raises(OperationalError):
        writer.write(batch, tell)
    assert archive.reader.events("S1") == ()
    assert seqs(writer.write(batch, tell)) == [1, 2]


def test_a_batch_that_was_committed_unheard_is_not_written_twice_though_the_database_stays_away(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = archive.writer()
    writer.write([beginning()], tell)
    batch = [occurrence(1), occurrence(2)]
    gone = OperationalError("commit", {}, Exception("the connection is gone"))

    def fails(*_: object) -> None:
        raise gone

    for name in ("_adopt", "_is_written", "_is_written"):
        with monkeypatch.context() as away:
            away.setattr(RecordWriter, name, fails)
            with pytest.raises(OperationalError):
                writer.write(batch, tell)
    assert seqs(writer.write(batch, tell)) == [1, 2]
    assert [found.seq for found in archive.reader.events("S1")] == [1, 2]


def test_a_batch_that_was_committed_unheard_is_not_written_twice(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = archive.writer()
    writer.write([beginning()], tell)
    batches: list[list[PendingEvent]] = [[occurrence(1), occurrence(2)], [occurrence(3)]]
    adopt = RecordWriter._adopt

    for number, batch in enumerate(batches):

        def unheard(*_: object) -> None:
            monkeypatch.setattr(RecordWriter, "_adopt", adopt)
            raise OperationalError("commit", {}, Exception("the connection is gone"))

        monkeypatch.setattr(RecordWriter, "_adopt", unheard)
        with pytest.raises(OperationalError):
            writer.write(batch, tell)
        told = writer.write(batch, tell)
        assert seqs(told) == [[1, 2], [3]][number]
    assert [found.seq for found in archive.reader.events("S1")] == [1, 2, 3]


def test_a_sitting_that_a_stopped_server_left_open_is_ended_by_the_next(
    open_database: Callable[[], Archive],
) -> None:
    stopped, next_one = open_database(), open_database()
    stopped.heartbeat(BEGAN)
    stopped.writer().write([beginning()], tell)
    stopped.close(clean=True)
    next_one.heartbeat(BEGAN + timedelta(seconds=2 * DEAD_AFTER))
    assert next_one.reader.sitting("S1").sitting.state == "interrupted"
