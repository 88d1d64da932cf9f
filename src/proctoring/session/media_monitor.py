"""Notices which media of a session stops arriving, and that frames are not analysed.

Used by live sessions, on the server's clock, and by recordings, on media time.
"""

from __future__ import annotations

from dataclasses import dataclass

from proctoring.observations import ConnectionObservation, UnanalysedFrames
from proctoring.session.counters import FrameCounts

MISSING_AFTER = 1.5
"""Seconds without frames, without audio or without an analysed frame after which they count as
missing. More than one second, at which browsers run the timers of a tab in the background and
sessions are analysed at least."""

REPORT_EVERY = 1.0
"""Seconds between two reports while anything is missing."""


@dataclass(frozen=True, slots=True)
class WhatArrives:
    """At one moment: see ``ConnectionObservation``."""

    pictures: bool | None = None
    sound: bool | None = None
    unanalysed: bool = False

    @property
    def is_complete(self) -> bool:
        return bool(self.pictures and self.sound) and not self.unanalysed


@dataclass(frozen=True, slots=True)
class MonitorState:
    """A ``MediaMonitor`` at one moment, for another process. Ages are seconds."""

    frame_age: float | None
    sound_age: float | None
    reported: WhatArrives | None
    reported_age: float
    unanalysed_age: float | None
    messages_refused: int
    at_last: FrameCounts


class MediaMonitor:
    """Decides when to report what arrives: when it changes and, while anything is missing, every
    ``REPORT_EVERY`` seconds. All times are seconds of one clock."""

    def __init__(self) -> None:
        self._frame_at: float | None = None
        self._sound_at: float | None = None
        self._reported: WhatArrives | None = None
        self._reported_at = 0.0
        self._unanalysed_since: float | None = None
        """Arrival of the first frame after the last one that was analysed."""
        self._messages_refused = 0
        """Messages that are no frames, since the last frame that was analysed."""
        self._at_last = FrameCounts()
        """The counts when a frame was last known to have been analysed."""

    def snapshot(self, now: float) -> MonitorState:
        """The state at ``now``."""
        return MonitorState(
            frame_age=None if self._frame_at is None else now - self._frame_at,
            sound_age=None if self._sound_at is None else now - self._sound_at,
            reported=self._reported,
            reported_age=now - self._reported_at,
            unanalysed_age=None if self._unanalysed_since is None else now - self._unanalysed_since,
            messages_refused=self._messages_refused,
            at_last=self._at_last.copied(),
        )

    def restore(self, state: MonitorState, now: float) -> None:
        """Have a new monitor go on from a state as if it had been taken at ``now``: time in which no
        process received anything does not count as missing media.

        Frames that waited were lost with the process. That is no reason to report unanalysed frames,
        unless they were reported before.
        """
        self._frame_at = None if state.frame_age is None else now - state.frame_age
        self._sound_at = None if state.sound_age is None else now - state.sound_age
        self._reported = state.reported
        self._reported_at = now - state.reported_age
        self._at_last = state.at_last.copied()
        reported = state.reported is not None and state.reported.unanalysed
        if reported and state.unanalysed_age is not None:
            self._unanalysed_since = now - state.unanalysed_age
            self._messages_refused = state.messages_refused

    @property
    def media_seen(self) -> bool:
        """Whether any media has arrived."""
        return self._frame_at is not None or self._sound_at is not None

    def frames_arrive(self, now: float) -> bool:
        """Whether frames arrive at ``now``."""
        return bool(_arrives(self._frame_at, now))

    def frame_arrived(self, now: float) -> None:
        """A frame arrived."""
        self._frame_at = now
        if self._unanalysed_since is None:
            self._unanalysed_since = now

    def message_refused(self, now: float) -> None:
        """A message arrived that should be a frame and is none."""
        self.frame_arrived(now)
        self._messages_refused += 1

    def sound_arrived(self, now: float) -> None:
        """Audio arrived."""
        self._sound_at = now

    def frames_counted(self, counts: FrameCounts) -> None:
        """Take note of what has become of the frames so far."""
        if counts.analysed != self._at_last.analysed:
            self._at_last = counts.copied()
            self.frame_analysed()

    def frame_analysed(self) -> None:
        """The frames that arrived so far are analysed."""
        self._unanalysed_since = None
        self._messages_refused = 0

    def is_due(self, now: float) -> bool:
        """Whether to report now. False before the first media."""
        if self._is_as_reported(now):
            return False
        due_at = self.due_at(now)
        return due_at is not None and due_at <= now

    def _is_as_reported(self, now: float) -> bool:
        """Whether everything arrives, as was reported: nearly always, and asked at every message."""
        frame, sound, unanalysed = self._frame_at, self._sound_at, self._unanalysed_since
        if frame is None or sound is None or not (self._reported and self._reported.is_complete):
            return False
        oldest = min(frame, sound, frame if unanalysed is None else unanalysed)
        return now < oldest + MISSING_AFTER

    def due_at(self, now: float) -> float | None:
        """When the next report is due if nothing else arrives; ``None``: not before it does."""
        if not self.media_seen:
            return None
        reported = self._reported
        if reported is None or reported != self._arrival(now):
            return now
        times = [] if reported.is_complete else [self._reported_at + REPORT_EVERY]
        if reported.pictures and self._frame_at is not None:
            times.append(self._frame_at + MISSING_AFTER)
        if reported.sound and self._sound_at is not None:
            times.append(self._sound_at + MISSING_AFTER)
        if not reported.unanalysed and self._unanalysed_since is not None:
            times.append(self._unanalysed_since + MISSING_AFTER)
        return min(times, default=None)

    def report(self, now: float, time: float, counts: FrameCounts) -> ConnectionObservation:
        """What arrives at ``now``.

        Args:
            time: media time of the observation.
            counts: what has become of the frames so far.
        """
        arrival = self._reported = self._arrival(now)
        self._reported_at = now
        return ConnectionObservation(
            time,
            connected=bool(arrival.pictures or arrival.sound),
            pictures=arrival.pictures,
            sound=arrival.sound,
            unanalysed=self._unanalysed(now, counts) if arrival.unanalysed else None,
        )

    def _arrival(self, now: float) -> WhatArrives:
        since = self._unanalysed_since
        unanalysed = since is not None and now >= since + MISSING_AFTER
        return WhatArrives(_arrives(self._frame_at, now), _arrives(self._sound_at, now), unanalysed)

    def _unanalysed(self, now: float, counts: FrameCounts) -> UnanalysedFrames:
        before, since = self._at_last, self._unanalysed_since
        assert since is not None  # noqa: S101
        refused = counts.refused - before.refused
        failed = counts.failed - before.failed
        replaced = counts.replaced - before.replaced
        skipped = counts.skipped - before.skipped
        received = counts.received - before.received
        return UnanalysedFrames(
            seconds=now - since,
            refused=refused + self._messages_refused,
            failed=failed,
            replaced=replaced,
            skipped=skipped,
            waiting=max(0, received - refused - failed - replaced - skipped),
        )


def _arrives(last: float | None, now: float) -> bool | None:
    return None if last is None else now < last + MISSING_AFTER
