"""A worker pool in simulated time: sessions with given costs, exact and repeatable."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random

from proctoring.session.turns import Queue, Turns
from proctoring.vision.analyser import FACE_RATE
from proctoring.vision.schedule import Schedule

TICK = 0.25
"""Seconds between two ticks of the service: so often clients are told."""
SKIPPED = 0.00005
"""Seconds that a frame costs that is not due."""
DETECTION_STEPS, DETECTION_STEP = 6, 0.01
"""An object detection, once a second, on a background queue."""


def even_cost(random: Random) -> float:
    """Seconds of a frame as measured (docs/benchmarks.md): about 20 ms, once a second 50."""
    return random.uniform(0.018, 0.022) if random.random() < 0.9 else 0.05


def gated_cost(random: Random) -> float:
    """Seconds of a frame where most are carried over, and every fifth is measured."""
    return random.uniform(0.001, 0.002) if random.random() < 0.8 else random.uniform(0.012, 0.025)


@dataclass(eq=False)
class SimulatedSession:
    """One candidate, who sends as fast as asked unless told otherwise."""

    cost: Callable[[Random], float] = even_cost
    sends: float | None = None
    """Frames a second, whatever the server asks for."""
    suspicious: bool = False
    detects: bool = True
    analysed: list[tuple[float, float]] = field(default_factory=list)
    """When, and seconds since the frame arrived."""
    rates: list[tuple[float, float]] = field(default_factory=list)
    """When the client was told, and the share of the full rate."""
    waiting: float | None = None
    """Arrival of the frame that waits."""
    here: bool = True
    schedule: Schedule = field(default_factory=Schedule)
    detecting: int = 0
    """Steps of an object detection that are left."""
    detected_at: float = 0.0
    queue: Queue = field(init=False)
    background: Queue = field(init=False)


class Simulation:
    """A pool and its sessions, whose workers share their cores with other threads and programs.

    Args:
        workers: how many there are, each with a core.
        seed: of chance.
        share: of a core's time that a running step gets; 1: all of it.
        others: CPU seconds per second that other threads of the process use.
    """

    def __init__(
        self, workers: int = 1, seed: int = 1, *, share: float = 1.0, others: float = 0.0
    ) -> None:
        self.now = 0.0
        self.turns = Turns(workers, 0.0)
        self.share = share
        self._others = others
        self._used = 0.0
        """CPU seconds of the workers."""
        self.sessions: list[SimulatedSession] = []
        self._random = Random(seed)
        self._idle = workers
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self._at(0.0, self._tick)

    def begin(self, *sessions: SimulatedSession) -> None:
        """Sessions begin now, their frames spread over a tenth of a second."""
        for session in sessions:
            session.queue = self.turns.add(lambda: None, background=False)
            session.background = self.turns.add(lambda: None, background=True)
            session.queue.suspicious = session.suspicious
            session.rates.append((self.now, session.queue.decided.rate))
            session.detected_at = self.now + self._random.random()
            self.sessions.append(session)
            self._at(self._random.uniform(0, 0.1), partial(self._arrives, session))

    def end(self, *sessions: SimulatedSession) -> None:
        """Sessions end now."""
        for session in sessions:
            session.here = False
            self.turns.close(session.queue)
            self.turns.close(session.background)
            self.sessions.remove(session)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        until = self.now + seconds
        while self._events[0][0] <= until:
            self.now, _, event = heapq.heappop(self._events)
            event()
            self._start_turns()
        self.now = until

    def _at(self, delay: float, event: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (self.now + delay, self._number, event))

    def _tick(self) -> None:
        self.turns.review(self.now, self._used + self._others * self.now)
        for session in self.sessions:
            if session.rates[-1][1] != session.queue.decided.rate:
                session.rates.append((self.now, session.queue.decided.rate))
        self._at(TICK, self._tick)

    def _arrives(self, session: SimulatedSession) -> None:
        if not session.here:
            return
        session.waiting = self.now
        self.turns.schedule(session.queue, self.now)
        rate = session.sends or FACE_RATE * session.rates[-1][1]
        self._at(1 / rate, partial(self._arrives, session))

    def _start_turns(self) -> None:
        while self._idle and (queue := self.turns.start_next(self.now)):
            self._idle -= 1
            if queue.background:
                self._run(queue, DETECTION_STEP, self._finish)
                continue
            session = next(s for s in self.sessions if s.queue is queue)
            arrived, session.waiting = session.waiting, None
            period = 1 / (FACE_RATE * queue.decided.rate)
            if arrived is None or not session.schedule.start_if_due(arrived, period):
                self._run(queue, SKIPPED, self._finish)
            else:
                analysed = partial(self._analysed, session=session, arrived=arrived)
                self._run(queue, session.cost(self._random), analysed)

    def _run(self, queue: Queue, cost: float, then: Callable[[Queue, float], None]) -> None:
        """Run a step that takes so many CPU seconds."""
        self._at(cost / self.share, partial(then, queue, cost))

    def _analysed(
        self, queue: Queue, cost: float, session: SimulatedSession, arrived: float
    ) -> None:
        session.analysed.append((self.now, self.now - arrived))
        if session.detects and self.now - session.detected_at >= 1 / queue.decided.rate:
            session.detected_at, session.detecting = self.now, DETECTION_STEPS
            self.turns.schedule(session.background, self.now)
        self._finish(queue, cost)

    def _finish(self, queue: Queue, cost: float) -> None:
        self._idle += 1
        self._used += cost
        self.turns.finish(queue, self.now, cost)
        for session in self.sessions:
            if session.background is queue:
                session.detecting -= 1
                if session.detecting > 0:
                    queue.continues = True
                    self.turns.schedule(queue, self.now)


def counts(sessions: list[SimulatedSession], start: float, stop: float) -> list[int]:
    """Frames of each session analysed between two times."""
    return [sum(start <= when < stop for when, _ in session.analysed) for session in sessions]


def latency_95(sessions: list[SimulatedSession], start: float, stop: float) -> float:
    """95th percentile of the seconds from arrival to the end of the analysis."""
    latencies = sorted(
        latency
        for session in sessions
        for when, latency in session.analysed
        if start <= when < stop
    )
    return latencies[int(0.95 * len(latencies))]
