"""Detects that the media of a session stops arriving."""

from __future__ import annotations

from collections.abc import Iterator

from proctoring.observations import ConnectionObservation

MISSING_AFTER = 1.5
"""Seconds without media after which it counts as missing. More than one second, at which browsers
run the timers of a tab in the background."""

REPORT_EVERY = 1.0
"""Seconds between two observations that media is missing."""


class MissingMediaMonitor:
    """Decides when a live session reports missing media. Times are seconds of the server's clock."""

    def __init__(self) -> None:
        self._media_at: float | None = None
        self._reported_at: float | None = None
        """When missing media was last reported, while it is missing."""

    @property
    def media_seen(self) -> bool:
        """Whether any media has arrived."""
        return self._media_at is not None

    def media_arrived(self, now: float) -> bool:
        """Media arrived. Returns whether it had been reported missing."""
        self._media_at = now
        was_missing = self._reported_at is not None
        self._reported_at = None
        return was_missing

    def is_report_due(self, now: float) -> bool:
        """Whether to report missing media now: ``MISSING_AFTER`` seconds after the last media, then
        every ``REPORT_EVERY``. False before the first media."""
        if self._media_at is None or now - self._media_at < MISSING_AFTER:
            return False
        if self._reported_at is not None and now - self._reported_at < REPORT_EVERY:
            return False
        self._reported_at = now
        return True


def missing_media(last: float, arrival: float) -> Iterator[ConnectionObservation]:
    """The observations of a recording without media from media time ``last`` to ``arrival``, in
    seconds: those that a live session makes."""
    if arrival - last <= MISSING_AFTER:
        return
    number = 0
    while (time := last + MISSING_AFTER + number * REPORT_EVERY) < arrival:
        yield ConnectionObservation(time, connected=False)
        number += 1
    yield ConnectionObservation(arrival, connected=True)
