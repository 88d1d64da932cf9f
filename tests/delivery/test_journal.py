"""Numbers and replay."""

from __future__ import annotations

from tests.delivery.conftest import begun, message

from proctoring.delivery.events import Event
from proctoring.delivery.journal import MemoryJournal


def written(journal: MemoryJournal, session_id: str) -> Event:
    (event,) = journal.write([message(session_id)])
    assert event is not None
    return event


def filled(journal: MemoryJournal, count: int, session_id: str = "exam-7") -> MemoryJournal:
    for _ in range(count):
        written(journal, session_id)
    return journal


def test_numbers_rise_by_one_within_each_session() -> None:
    journal = MemoryJournal()
    seqs = [written(journal, name).seq for name in ("a", "a", "b", "a", "b")]
    assert seqs == [1, 2, 1, 3, 2]
    assert journal.last_seq("a") == 3
    assert journal.last_seq("never seen") == 0


def test_replay_gives_everything_later_in_order() -> None:
    replay = filled(MemoryJournal(), 5).replay("exam-7", 2)
    assert [event.seq for event in replay.events] == [3, 4, 5]
    assert replay.missing == 0


def test_replay_after_the_last_or_later_gives_nothing() -> None:
    journal = filled(MemoryJournal(), 3)
    for after in (3, 4, 10**17):
        replay = journal.replay("exam-7", after)
        assert (replay.events, replay.missing) == ((), 0)


def test_what_is_no_longer_kept_is_counted() -> None:
    replay = filled(MemoryJournal(3), 10).replay("exam-7", 4)
    assert [event.seq for event in replay.events] == [8, 9, 10]
    assert replay.missing == 3


def test_a_new_sitting_under_an_old_name_goes_on_counting_and_replays_only_itself() -> None:
    journal = filled(MemoryJournal(), 4)
    assert journal.write([begun()]) == [None]
    assert journal.replay("exam-7", 0) == journal.replay("exam-7", 4)
    filled(journal, 2)
    replay = journal.replay("exam-7", 0)
    assert [event.seq for event in replay.events] == [5, 6]
    assert replay.missing == 0


def test_what_is_forgotten_is_gone() -> None:
    journal = filled(MemoryJournal(), 4)
    journal.forget("exam-7")
    assert len(journal) == 0
    assert journal.replay("exam-7", 0).events == ()
