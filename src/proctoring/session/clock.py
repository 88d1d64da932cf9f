"""Media time: seconds since a session's first media, from whatever stamps a client sends."""

from __future__ import annotations

MAX_STEP = 5.0
"""Seconds by which one stamp may run ahead of arrival, or lag behind media time, and still be
believed. Covers a stalled network's burst; a step larger than this is a clock that jumped."""

MAX_DRIFT = 60.0
"""Seconds that media time may be away from the time that passed on the server since the first
media. Bounds what a client's clock can do to judgement, slow, fast or forged."""

MIN_STEP = 0.001
"""Seconds by which media time rises at least from one message to the next."""


class MediaClock:
    """Turns capture stamps (microseconds, any epoch) and arrival times into media time.

    The rule, message by message:

    1. A stamp is *believed* when it lies after the last media time and at most ``MAX_STEP``
       further on than the time since the last arrival: media time is then the stamp's own. A late
       burst is so timed as it was captured.
    2. A stamp that repeats or lags by at most ``MAX_STEP`` is *passed over*: media time goes on by
       the time since the last arrival, and later stamps still count from the same origin.
    3. A stamp that jumps further (either way), or lags for longer than ``MAX_STEP``, *moves the
       origin*: media time goes on by the time since the last arrival, later stamps count from here.
    4. A message without a stamp goes by arrival, and moves no origin.
    5. Whatever came out is held within ``MAX_DRIFT`` of the time since the first arrival, and rises
       by ``MIN_STEP`` at least.

    Not safe for several threads at once; a session calls it where its messages arrive.
    """

    def __init__(self) -> None:
        self._first_arrival: float | None = None
        self._last_arrival = 0.0
        self._last = 0.0
        self._origin: tuple[int, float] | None = None
        self._lags_since: float | None = None

    @property
    def started(self) -> bool:
        """Whether any media arrived yet."""
        return self._first_arrival is not None

    @property
    def last(self) -> float:
        """The media time given out last, in seconds; 0 before the first media."""
        return self._last

    def stamp(self, arrival: float, capture: int | None = None) -> float:
        """Media time in seconds of a message.

        Args:
            arrival: when it arrived, in seconds of a clock that never runs back.
            capture: when it was captured, in microseconds of the client's clock, if it says so.
        """
        if self._first_arrival is None:
            self._first_arrival = self._last_arrival = arrival
            self._origin = None if capture is None else (capture, 0.0)
            return 0.0
        passed = max(0.0, arrival - self._last_arrival)
        self._last_arrival = max(arrival, self._last_arrival)
        time = self._last + passed if capture is None else self._believed(capture, passed)
        real = self._last_arrival - self._first_arrival
        time = min(max(time, real - MAX_DRIFT), real + MAX_DRIFT)
        self._last = max(time, self._last + MIN_STEP)
        return self._last

    def locate(self, arrival: float, capture: int | None = None) -> float:
        """Media time in seconds of something that is no picture: moves nothing that has started.

        Args:
            arrival: when it arrived.
            capture: when it was captured, on the clock of the pictures' stamps; believed up to
                ``MAX_STEP`` ahead and ``MAX_DRIFT`` behind arrival.
        """
        if self._first_arrival is None:
            return self.stamp(arrival, capture)
        by_arrival = self._last + max(0.0, arrival - self._last_arrival)
        if capture is None:
            return by_arrival
        if self._origin is None:
            self._origin = (capture, by_arrival)
            return by_arrival
        origin_capture, origin_time = self._origin
        by_stamp = origin_time + (capture - origin_capture) / 1e6
        believable = by_arrival - MAX_DRIFT <= by_stamp <= by_arrival + MAX_STEP
        return max(0.0, by_stamp) if believable else by_arrival

    def extrapolate(self, now: float) -> float:
        """Media time in seconds at ``now`` while nothing arrives; later stamps lie after it."""
        if self._first_arrival is None:
            return 0.0
        self._last += max(0.0, now - self._last_arrival)
        self._last_arrival = max(now, self._last_arrival)
        return self._last

    def _believed(self, capture: int, passed: float) -> float:
        by_arrival = self._last + passed
        if self._origin is None:
            self._origin = (capture, by_arrival)
            return by_arrival
        origin_capture, origin_time = self._origin
        by_stamp = origin_time + (capture - origin_capture) / 1e6
        if self._last < by_stamp <= by_arrival + MAX_STEP:
            self._lags_since = None
            return by_stamp
        if self._lags_since is None:
            self._lags_since = self._last
        lags_long = by_arrival - self._lags_since > MAX_STEP
        if by_stamp > self._last or self._last - by_stamp > MAX_STEP or lags_long:
            self._origin = (capture, by_arrival)
            self._lags_since = None
        return by_arrival
