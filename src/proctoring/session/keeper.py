"""When the state of a session is taken, to be kept in the records."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from proctoring.session.continuation import ArrivalState, Continuation
from proctoring.session.kept import BiometricState, HotState, LearnedState
from proctoring.session.messages import StateWanted
from proctoring.session.pipeline import Pipeline
from proctoring.session.publishing import SessionPublisher

HOT_PERIOD = 2.0
"""Seconds between two times that what changes all the time is taken."""

FULL_PERIOD = 15.0
"""Seconds after which everything is taken, also if nothing is known to have been learned."""


class StateKeeper:
    """Has the state of one session taken. For the event loop.

    Args:
        continuation: takes the event loop's half and the sound.
        pipeline: for what any thread may read.
        publisher: puts the state into the records, after what was published before.
        post: leaves a message for the session's worker, which takes the rest in its turn.
    """

    def __init__(
        self,
        continuation: Continuation,
        pipeline: Pipeline,
        publisher: SessionPublisher,
        post: Callable[[StateWanted], None],
    ) -> None:
        self._continuation = continuation
        self._pipeline = pipeline
        self._publisher = publisher
        self._post = post
        self._taken: tuple[Any, ...] = ()
        """Where the session was when its state was taken last."""
        self._learned: tuple[object, ...] = ()
        self._full_at: float | None = None

    def keep(self, now: float, wall: float, *, last: bool = False) -> Future[None] | None:
        """Have the state taken, unless nothing has changed since it was.

        Args:
            now: seconds of the session's clock.
            wall: seconds since 1970.
            last: everything is taken, since the session is left to another process.

        Returns:
            Set when the state is on its way into the records; ``None``: there is nothing to take.
        """
        clock, sound = self._continuation.clock, self._continuation.sound
        state = self._pipeline.state
        learned = (*self._pipeline.learned, sound.voices_known)
        place = (clock.last, sound.end_time, id(state))
        if (place, learned) == (self._taken, self._learned) and not last:
            return None
        due = self._full_at is None or now - self._full_at >= FULL_PERIOD
        full = last or due or learned != self._learned
        self._taken, self._learned = place, learned
        if full:
            self._full_at = now
        taken: Future[None] = Future()
        arrivals = self._continuation.arrival_state(now, wall)
        take = partial(self._take, clock.last, arrivals, taken, full=full, last=last)
        self._post(StateWanted(clock.last, take))
        return taken

    # In the worker's turn.

    def _take(
        self, time: float, arrivals: ArrivalState, taken: Future[None], *, full: bool, last: bool
    ) -> None:
        pipeline = self._pipeline
        biometric = full and pipeline.policy.records.failover == "full"
        try:
            sound, voices = self._continuation.sound_state()
            judgement, vision = pipeline.judgement(), pipeline.analyser
            self._publisher.save(
                time,
                judgement.state,
                HotState(
                    arrivals,
                    sound,
                    vision.hot(),
                    judgement.inputs,
                    judgement.faces,
                    judgement.recent,
                ),
                LearnedState(vision.learned()) if full else None,
                BiometricState(voices, vision.biometrics()) if biometric else None,
                last=last,
            )
        finally:
            taken.set_result(None)
