"""Adapts the rates of analysis to the load of the workers: pure functions.

What sessions need is counted in CPU time, and compared with the CPU time that the workers can get (``capacity``).
Rates are shares of the full rate. All sessions share one level; a session's own rate differs from it
where it is suspicious, where it takes much more time than others, or where it alone needs more than a
worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from proctoring.session.capacity import MAX_WAIT, RELAXED, SMOOTHING
from proctoring.vision.analyser import FACE_RATE

MIN_RATE = 0.1
"""Lowest share of the full rate: faces once per second. Lower rates would miss short glances."""

BUSY = 0.9
"""Share of the workers' capacity in use above which waiting means overload. Below it, frames of several
sessions merely arrived at the same moment, and lower rates would not help."""

TARGET = 0.83
"""Share of the capacity that new rates would use: the middle between ``RELAXED`` and ``BUSY``, so
that a measurement that is a tenth off changes nothing."""

FULL = 0.87
"""Share of the capacity that the full rate may use, if all are analysed at that: above ``TARGET``, so
that nobody stays slightly below it for no reason."""

MAX_FALL = 0.4
"""Factor by which the level falls in one period at most: one bad second costs no more."""

MAX_RISE = 2.5
"""Factor by which the level rises in one period at most: from the lowest rate to the full one in four
periods, within the five seconds that recovery may take."""

TRUST = 0.25
"""Share of the free time in one period that a higher level is to use, where sessions are taken to need
more: a second may have been free by chance."""

SUSPICIOUS_WEIGHT = 2.0
"""How much faster than others a session is analysed in which something holds that is, or may become, an
incident: others are slowed down first."""

LOWEST_LEVEL = MIN_RATE / SUSPICIOUS_WEIGHT
"""At this one even suspicious sessions are at the lowest rate."""

MAX_COST = 3.0
"""How many times the mean of all sessions one may cost at the level of the others: what costs more gets
less, while sessions are slowed down."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Demand for workers, measured over one period."""

    wait: float
    """90th percentile of the seconds that sessions waited for a worker."""
    busy: float
    """Share of the workers' capacity in use, 0 to 1."""

    @property
    def too_high(self) -> bool:
        """Whether it is more than the workers can do."""
        return self.busy > BUSY and self.wait > MAX_WAIT


class Slowed(StrEnum):
    """Why a session is analysed at less than the full rate."""

    NO = ""
    """It is not."""
    OVERLOAD = "overload"
    """All sessions together need more than the workers can do."""
    FRAME_COST = "frame_cost"
    """It alone needs more than one worker."""


@dataclass(frozen=True, slots=True)
class SessionRate:
    """What was decided for one session."""

    rate: float = 1.0
    """Share of the full rate at which it is analysed."""
    limit: float = 1.0
    """Rate that its own demand allows: less than 1 if it needs more than one worker."""
    full: float | None = None
    """CPU seconds per second that it would need at the full rate, smoothed over some periods;
    ``None``: not known yet."""

    @property
    def slowed(self) -> Slowed:
        """Why its rate is below the full one."""
        if self.rate >= 1.0:
            return Slowed.NO
        return Slowed.FRAME_COST if self.rate == self.limit else Slowed.OVERLOAD


@dataclass(frozen=True, slots=True)
class SessionLoad:
    """What one session's frames cost in one period."""

    before: SessionRate
    """What held in that period."""
    cpu: float
    """CPU seconds per second."""
    occupied: float
    """Seconds per second in which a step of it ran, whether it computed or waited for a core."""
    turns: float
    """Turns per second."""
    own_wait: float
    """Median of the seconds that its frames waited for its own previous one: one frame that took long is
    no reason to slow a session down."""
    waits: bool = False
    """Whether something of it waited at the end of the period."""
    suspicious: bool = False
    """Whether something holds that is, or may become, an incident."""

    @property
    def own_demand(self) -> Demand:
        """Its demand for the one worker that it can have at a time."""
        return Demand(self.own_wait, self.occupied)

    def full(self, *, saturated: bool) -> float | None:
        """``SessionRate.full`` with this period's measurement.

        Args:
            saturated: it may have had fewer turns than its rate permits, because it had to wait.
        """
        known, reached = self.before.full, self.before.rate
        if saturated:
            if not self.turns:
                return known
            reached = min(reached, self.turns / FACE_RATE)
        return smooth(known, self.cpu / reached)


@dataclass(frozen=True, slots=True)
class Rates:
    """The rates for the next period."""

    level: float = 1.0
    """What the rate of each session is a multiple of, ``LOWEST_LEVEL`` to 1."""
    shared: float = 1.0
    """Share of the full rate that the sessions together allow each, ``MIN_RATE`` to 1."""
    sessions: tuple[SessionRate, ...] = ()
    in_front: float | None = None
    """CPU seconds per second that frames took, smoothed; ``None``: nothing was measured."""
    behind: float | None = None
    """The same of work in the background."""
    needed: float = 0.0
    """Share of the workers' capacity that all would use at the full rate, background work included; more
    than 1: it is too much. A session counts with one worker at most."""


def smooth(known: float | None, measured: float) -> float:
    """A value measured once a period, as a mean that forgets."""
    return measured if known is None else known + SMOOTHING * (measured - known)


def next_rates(
    before: Rates, sessions: Sequence[SessionLoad], demand: Demand, capacity: float
) -> Rates:
    """The rates for the next period.

    The level falls to what fits into ``TARGET`` as soon as demand is too high, and rises to it again once
    less than ``RELAXED`` is used. Between the two it stays, so that it does not oscillate.

    Args:
        before: what was decided for this period.
        sessions: every session that is open.
        demand: of all sessions, background work included.
        capacity: CPU seconds per second that the workers can get.
    """
    limits = tuple(_next_limit(session) for session in sessions)
    full = tuple(
        session.full(saturated=demand.too_high or session.own_demand.too_high)
        for session in sessions
    )
    full = _with_unknown(full, sessions)
    used = sum(session.cpu for session in sessions)
    in_front = smooth(before.in_front, used)
    behind = smooth(before.behind, max(0.0, demand.busy * capacity - used))
    # Background work follows the rates in part: it is taken to keep its proportion.
    proportion = in_front / (in_front + behind) if in_front else 1.0
    shares = _Shares(sessions, limits, full, TARGET * capacity * proportion)
    level, fitting = before.level, shares.fitting_level()
    if demand.too_high:
        level = max(LOWEST_LEVEL, level * MAX_FALL, min(fitting, 0.95 * level))
    else:
        if shares.needed(1.0) * TARGET <= FULL * shares.capacity:
            fitting = 1.0
        elif demand.busy < RELAXED:  # what is taken to be needed may be out of date
            fitting = max(fitting, level * (1 + TRUST * (TARGET / max(demand.busy, 0.1) - 1)))
        if demand.busy < RELAXED or fitting >= 1.0:
            level = min(1.0, max(level, min(fitting, level * MAX_RISE)))
    decided = zip(shares.rates(level), limits, full, strict=True)
    return Rates(
        level,
        shares.shared(level),
        tuple(SessionRate(*each) for each in decided),
        in_front,
        behind,
        shares.needed(1.0) / proportion / capacity,
    )


def _with_unknown(
    full: Sequence[float | None], sessions: Sequence[SessionLoad]
) -> tuple[float | None, ...]:
    """A session that has waited since it began, without a turn, counts with what others need."""
    known = [each for each in full if each]
    expected = sum(known) / len(known) if known else None
    return tuple(
        expected if each is None and session.waits else each
        for each, session in zip(full, sessions, strict=True)
    )


def _next_limit(session: SessionLoad) -> float:
    demand, limit = session.own_demand, session.before.limit
    if demand.too_high:
        fitting = TARGET * session.before.rate / demand.busy
        reached = session.turns / FACE_RATE
        return max(MIN_RATE, limit * MAX_FALL, min(fitting, TARGET * reached, 0.95 * limit))
    if demand.busy < RELAXED and limit < 1.0:
        fitting = TARGET / demand.busy * session.before.rate if demand.busy else 1.0
        return min(1.0, limit * MAX_RISE, max(limit, fitting))
    return limit


def _weight(session: SessionLoad) -> float:
    return SUSPICIOUS_WEIGHT if session.suspicious else 1.0


@dataclass(frozen=True, slots=True)
class _Shares:
    """How a level becomes the rate of each session."""

    sessions: Sequence[SessionLoad]
    limits: Sequence[float]
    full: Sequence[float | None]
    """What each needs at the full rate, in CPU seconds per second."""
    capacity: float
    """CPU seconds per second for all."""

    def rates(self, level: float) -> Iterable[float]:
        """The sessions' rates."""
        known = [full for full in self.full if full]
        most = MAX_COST * sum(known) / max(1, len(known))
        for session, limit, full in zip(self.sessions, self.limits, self.full, strict=True):
            weight = _weight(session)
            if level < 1.0 and full:
                weight = min(weight, most / full)
            yield max(MIN_RATE, min(1.0, limit, level * weight))

    def shared(self, level: float) -> float:
        """The lowest rate that a session has because of the level."""
        weights = [
            _weight(session) for session, full in zip(self.sessions, self.full, strict=True) if full
        ]
        return max(MIN_RATE, min(1.0, level * min(weights, default=1.0)))

    def needed(self, level: float) -> float:
        """CPU seconds per second that frames take at a level."""
        rates = zip(self.rates(level), self.full, strict=True)
        return sum(rate * (full or 0.0) for rate, full in rates)

    def fitting_level(self) -> float:
        """The highest level at which all fit into the capacity; the lowest if there is none."""
        if self.needed(1.0) <= self.capacity:
            return 1.0
        low, high = LOWEST_LEVEL, 1.0
        for _ in range(12):  # to a four thousandth
            middle = (low + high) / 2
            low, high = (middle, high) if self.needed(middle) <= self.capacity else (low, middle)
        return low
