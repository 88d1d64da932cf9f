"""What waits for a session's worker."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from proctoring.session.latest_slot import LatestSlot
from proctoring.session.messages import Message, ReceivedFrame


class Inbox:
    """A queue of messages and a place for the newest frame. Safe for use from several threads.

    A newer frame replaces one that still waits; messages are never dropped.
    """

    def __init__(self) -> None:
        self._frame: LatestSlot[ReceivedFrame] = LatestSlot()
        self._messages: deque[Message] = deque()

    def put(self, message: Message) -> None:
        """Add a message."""
        self._messages.append(message)

    def put_frame(self, frame: ReceivedFrame) -> ReceivedFrame | None:
        """Add a frame. Returns the frame that it replaced, if one was waiting."""
        return self._frame.put(frame)

    def pop_frame(self) -> ReceivedFrame | None:
        """Remove and return the frame that waits; ``None`` if there is none."""
        return self._frame.pop()

    def drain(self) -> Iterator[Message | ReceivedFrame]:
        """Remove and yield everything that waits, the frame in its place by media time.

        Messages keep their own order. Those at the head of the queue whose time is at most the
        frame's come before it, all others after it. Messages added meanwhile are included, frames
        are not. For one thread at a time.
        """
        frame = self.pop_frame()
        if frame is not None:
            while self._messages and self._messages[0].time <= frame.time:
                yield self._messages.popleft()
            yield frame
        while self._messages:
            yield self._messages.popleft()
