"""From one journal to many listeners."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Thread

import pytest
from tests.delivery.conftest import BEGAN, ended, message

from proctoring.delivery.events import Event
from proctoring.delivery.journal import MemoryJournal
from proctoring.delivery.listener import Listener
from proctoring.delivery.outbox import Outbox
from proctoring.errors import TooManyError
from proctoring.judgement.state import initial_state
from proctoring.records.entries import Entry, SittingSaved, sitting_ref


def outbox(queue: int = 256, listeners: int = 32) -> Outbox:
    return Outbox(MemoryJournal(), listeners_per_session=listeners, queue=queue)


def listen(box: Outbox, session_id: str = "exam-7", after: int | None = None) -> Listener:
    listener = box.subscribe(session_id, lambda: None)
    if after is not None:
        box.catch_up(listener, after)
    return listener


def seqs(listener: Listener) -> list[int]:
    return [event.seq for event in listener.drain()[0]]


def test_every_listener_of_the_session_and_no_other_gets_each_event_once_in_order() -> None:
    box = outbox()
    first, second, other = listen(box), listen(box), listen(box, "exam-8")
    for _ in range(3):
        box.publish(message())
    assert seqs(first) == seqs(second) == [1, 2, 3]
    assert seqs(first) == []
    assert seqs(other) == []


def test_replay_and_listening_leave_no_gap_and_nothing_twice_while_others_publish() -> None:
    box = Outbox(MemoryJournal(5000), queue=5000)

    def publish() -> None:
        for _ in range(2000):
            box.publish(message())

    publisher = Thread(target=publish)
    publisher.start()
    heard = []
    while publisher.is_alive():
        listener = box.subscribe("exam-7", lambda: None)
        replay = box.catch_up(listener, 0)
        heard.append((replay, listener))
        box.unsubscribe(listener)
    publisher.join()
    for replay, listener in heard:
        found = [event.seq for event in replay.events] + seqs(listener)
        assert found == list(range(1, len(found) + 1))


def test_a_listener_is_woken_for_each_event() -> None:
    box, woken = outbox(), []
    box.subscribe("exam-7", lambda: woken.append(1))
    box.publish(message())
    box.publish(message())
    assert len(woken) == 2


def test_a_slow_listener_is_dropped_with_a_reason_and_comes_back_without_loss() -> None:
    box = outbox(queue=3)
    slow, quick = listen(box), listen(box)
    heard = []
    for _ in range(5):
        box.publish(message())
        heard += seqs(quick)
    events, closing = slow.drain()
    assert events == []
    assert closing is not None
    assert closing.code == "slow"
    assert "?after=" in closing.detail
    assert heard == [1, 2, 3, 4, 5]
    assert (box.dropped, box.listeners("exam-7")) == (1, 1)
    replay = box.replay("exam-7", 0)
    assert [event.seq for event in replay.events] == [1, 2, 3, 4, 5]


def test_the_end_comes_after_what_still_waits() -> None:
    box = outbox()
    listener = listen(box)
    box.publish(message())
    assert box.end(ended()).done()
    events, closing = listener.drain()
    assert [event.seq for event in events] == [1]
    assert closing is not None
    assert (closing.code, closing.detail) == ("ended", "ended on request")
    assert box.listeners() == 0


def test_more_listeners_than_allowed_are_refused_until_one_leaves() -> None:
    box = outbox(listeners=2)
    first, _ = listen(box), listen(box)
    with pytest.raises(TooManyError, match="2 listeners"):
        listen(box)
    box.unsubscribe(first)
    box.unsubscribe(first)
    listen(box)
    assert box.listeners() == 2


def test_without_after_only_what_comes_is_heard() -> None:
    box = outbox()
    box.publish(message())
    listener = listen(box)
    box.publish(message())
    assert seqs(listener) == [2]


class Written(MemoryJournal):
    """Remembers each batch by the types of its entries."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[str]] = []

    def write(self, entries: Sequence[Entry]) -> list[Event | None]:
        self.batches.append([type(entry).__name__ for entry in entries])
        return super().write(entries)


def state(session_id: str = "exam-7") -> SittingSaved:
    return SittingSaved(sitting_ref(session_id, BEGAN), BEGAN, 1.0, initial_state())


def test_states_wait_until_they_are_written_together_at_most_one_of_each_sitting() -> None:
    journal = Written()
    box = Outbox(journal)
    for session_id in ("exam-7", "exam-8", "exam-7"):
        box.save(state(session_id))
    assert journal.batches == []
    box.write_saved()
    assert journal.batches == [["SittingSaved", "SittingSaved"]]
    box.write_saved()
    assert len(journal.batches) == 1


def test_a_state_stays_behind_the_events_before_it_and_the_last_one_counts() -> None:
    journal = Written()
    box = Outbox(journal)
    box.save(state())
    box.save(state(), last=True)
    box.publish(message())
    assert journal.batches == [["SittingSaved", "SittingSaved", "PendingEvent"]]


def test_what_is_being_written_still_waits() -> None:
    class Slow(MemoryJournal):
        def write(self, entries: Sequence[Entry]) -> list[Event | None]:
            waiting.append(box.waiting)
            return super().write(entries)

    waiting: list[int] = []
    box = Outbox(Slow())
    box.save(state())
    box.publish(message())
    assert waiting == [2]
    assert box.waiting == 0


def test_a_thread_that_stops_writes_the_states_that_wait() -> None:
    journal = Written()
    box = Outbox(journal)
    box.start()
    box.save(state())
    assert box.stop(60)
    assert journal.batches == [["SittingSaved"]]
