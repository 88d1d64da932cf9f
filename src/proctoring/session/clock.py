"""Media time: seconds since the first media of a session, from the timestamps of its client."""

from __future__ import annotations

from dataclasses import dataclass

MAX_STEP = 5.0
"""Seconds by which a timestamp may be ahead of arrival, or behind media time, and still be used.
Covers the burst after a network stall; a larger step means that the client's clock jumped."""

MAX_DRIFT = 60.0
"""Seconds by which media time may differ from the time since the first media by the server's clock.
Bounds the effect of a slow, fast or forged client clock on judgement."""

MIN_STEP = 0.001
"""Smallest increase of media time from one message to the next, in seconds."""


@dataclass(frozen=True, slots=True)
class ClockState:
    """A ``MediaClock`` at one moment, for another process: ages in place of times of this process's clock."""

    since_first: float | None
    """Seconds since the first arrival; ``None`` before it."""
    since_last: float
    """Seconds since the last arrival."""
    last: float
    """These and the following: as in ``MediaClock``."""
    origin: tuple[int, float] | None
    lags_since: float | None


class MediaClock:
    """Converts capture timestamps (microseconds, any epoch) and arrival times to media time.

    Rules for each message:

    1. A timestamp after the last media time, and at most ``MAX_STEP`` ahead of arrival, is used as
       it is. Frames of a late burst thus keep the times at which they were captured.
    2. A timestamp that repeats, or lags by at most ``MAX_STEP``, is ignored: media time advances by
       the time since the last arrival. Later timestamps still count from the same origin.
    3. A timestamp that differs by more, or lags for longer than ``MAX_STEP``, sets a new origin:
       media time advances by the time since the last arrival, later timestamps count from here.
    4. A message without a timestamp advances media time by arrival and leaves the origin as it is.
    5. The result is limited to ``MAX_DRIFT`` around the time since the first arrival and increases
       by at least ``MIN_STEP``.

    Not thread-safe; used on the event loop only.
    """

    def __init__(self) -> None:
        self._first_arrival: float | None = None
        self._last_arrival = 0.0
        self._last = 0.0
        self._origin: tuple[int, float] | None = None
        self._lags_since: float | None = None

    def snapshot(self, now: float) -> ClockState:
        """The state at ``now``, in seconds of the clock of arrivals."""
        first = self._first_arrival
        return ClockState(
            since_first=None if first is None else now - first,
            since_last=0.0 if first is None else now - self._last_arrival,
            last=self._last,
            origin=self._origin,
            lags_since=self._lags_since,
        )

    def restore(self, state: ClockState, then: float, reached: float = 0.0) -> None:
        """Have a new clock go on from a state.

        Args:
            then: when the state was taken, by the clock of the arrivals to come. Time in which no
                process ran thus counts: media time is where it would be if nothing had arrived since.
            reached: media time that was reached in any case, in seconds.
        """
        if state.since_first is None:
            return
        self._first_arrival = then - state.since_first
        self._last_arrival = then - state.since_last
        self._last = max(state.last, reached)
        self._origin = state.origin
        self._lags_since = state.lags_since

    @property
    def started(self) -> bool:
        """Whether any media arrived yet."""
        return self._first_arrival is not None

    @property
    def last(self) -> float:
        """The last media time returned, in seconds; 0 before the first media."""
        return self._last

    def stamp(self, arrival: float, capture: int | None = None) -> float:
        """Media time in seconds of a message.

        Args:
            arrival: arrival time in seconds of a monotonic clock.
            capture: capture time in microseconds of the client's clock, if it sent one.
        """
        if self._first_arrival is None:
            self._first_arrival = self._last_arrival = arrival
            self._origin = None if capture is None else (capture, 0.0)
            return 0.0
        passed = max(0.0, arrival - self._last_arrival)
        self._last_arrival = max(arrival, self._last_arrival)
        time = self._last + passed if capture is None else self._from_capture(capture, passed)
        real = self._last_arrival - self._first_arrival
        time = min(max(time, real - MAX_DRIFT), real + MAX_DRIFT)
        self._last = max(time, self._last + MIN_STEP)
        return self._last

    def locate(self, arrival: float, capture: int | None = None) -> float:
        """Media time in seconds of something other than a frame. Does not advance the clock once it
        has started.

        Args:
            arrival: arrival time in seconds.
            capture: capture time on the clock of the frames' timestamps; used if it is at most
                ``MAX_STEP`` ahead of arrival and ``MAX_DRIFT`` behind it. Audio that was buffered
                before the first frame is at a negative time.
        """
        if self._first_arrival is None:
            return self.stamp(arrival, capture)
        by_arrival = self._by_arrival(arrival)
        if capture is None:
            return by_arrival
        if self._origin is None:
            self._origin = (capture, by_arrival)
            return by_arrival
        by_capture = self._by_capture(capture)
        return by_capture if self._is_plausible(by_capture, by_arrival) else by_arrival

    def fits(self, arrival: float, capture: int) -> bool:
        """Whether ``locate`` would use this capture time. Does not change the clock."""
        if self._origin is None:
            return True
        return self._is_plausible(self._by_capture(capture), self._by_arrival(arrival))

    def extrapolate(self, now: float) -> float:
        """Advance media time to ``now``, in seconds, while nothing arrives; later timestamps follow it."""
        if self._first_arrival is None:
            return 0.0
        self._last += max(0.0, now - self._last_arrival)
        self._last_arrival = max(now, self._last_arrival)
        return self._last

    def _by_arrival(self, arrival: float) -> float:
        return self._last + max(0.0, arrival - self._last_arrival)

    def _by_capture(self, capture: int) -> float:
        """Media time by the origin, which must be set."""
        assert self._origin is not None  # noqa: S101
        origin_capture, origin_time = self._origin
        return origin_time + (capture - origin_capture) / 1e6

    @staticmethod
    def _is_plausible(by_capture: float, by_arrival: float) -> bool:
        return by_arrival - MAX_DRIFT <= by_capture <= by_arrival + MAX_STEP

    def _from_capture(self, capture: int, passed: float) -> float:
        by_arrival = self._last + passed
        if self._origin is None:
            self._origin = (capture, by_arrival)
            return by_arrival
        by_capture = self._by_capture(capture)
        if self._last < by_capture <= by_arrival + MAX_STEP:
            self._lags_since = None
            return by_capture
        if self._lags_since is None:
            self._lags_since = self._last
        lags_long = by_arrival - self._lags_since > MAX_STEP
        if by_capture > self._last or self._last - by_capture > MAX_STEP or lags_long:
            self._origin = (capture, by_arrival)
            self._lags_since = None
        return by_arrival
