"""The order in which a worker gets messages and frames."""

from __future__ import annotations

from tests.session.conftest import FakeSocket

from proctoring.observations import ConnectionObservation
from proctoring.session.inbox import Inbox
from proctoring.session.messages import DeferredDone, Message, ReceivedFrame, SessionEnd


def frame(time: float) -> ReceivedFrame:
    return ReceivedFrame(b"jpeg", time, None, time, FakeSocket())


def message(time: float) -> Message:
    return ConnectionObservation(time, connected=True)


def inbox(*items: Message | ReceivedFrame) -> Inbox:
    made = Inbox()
    for item in items:
        if isinstance(item, ReceivedFrame):
            made.put_frame(item)
        else:
            made.put(item)
    return made


def times(made: Inbox) -> list[tuple[str, float]]:
    return [(type(item).__name__, item.time) for item in made.drain()]


def test_messages_up_to_the_frames_time_come_before_it_and_later_ones_after() -> None:
    made = inbox(frame(2.0), message(1.0), message(2.0), message(2.1), SessionEnd(3.0, "over"))
    assert times(made) == [
        ("ConnectionObservation", 1.0),
        ("ConnectionObservation", 2.0),
        ("ReceivedFrame", 2.0),
        ("ConnectionObservation", 2.1),
        ("SessionEnd", 3.0),
    ]
    assert times(made) == []


def test_messages_keep_their_own_order() -> None:
    """A deferred detection is older than what was posted before it, and waits its turn."""
    made = inbox(message(5.0), DeferredDone(1.0, None), frame(2.0))
    assert times(made) == [
        ("ReceivedFrame", 2.0),
        ("ConnectionObservation", 5.0),
        ("DeferredDone", 1.0),
    ]


def test_a_failed_deferred_detection_comes_before_the_frame() -> None:
    made = inbox(frame(0.0), DeferredDone(0.0, None))
    assert [name for name, _ in times(made)] == ["DeferredDone", "ReceivedFrame"]


def test_a_newer_frame_replaces_the_one_that_waits_and_no_message_is_lost() -> None:
    made = Inbox()
    first, second = frame(1.0), frame(2.0)
    assert made.put_frame(first) is None
    made.put(message(1.5))
    assert made.put_frame(second) is first
    assert list(made.drain()) == [message(1.5), second]


def test_messages_posted_while_draining_are_included_and_frames_are_not() -> None:
    made = inbox(frame(1.0))
    drained = made.drain()
    assert next(drained).time == 1.0
    made.put(message(0.5))
    made.put_frame(frame(2.0))
    assert next(drained) == message(0.5)
    assert list(drained) == []
    assert times(made) == [("ReceivedFrame", 2.0)]
