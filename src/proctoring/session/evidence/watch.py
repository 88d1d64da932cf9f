"""One session's evidence: what its policy wants of which incident, and when it can be made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from threading import RLock

from proctoring.audio.pcm import Pcm
from proctoring.incidents import Evidence, IncidentChange, IncidentState
from proctoring.judgement.policy.storage import EvidenceSettings
from proctoring.observations import FrameObservation
from proctoring.records.entries import Notice
from proctoring.session.evidence.bystanders import AROUND, look_of
from proctoring.session.evidence.keeper import Order
from proctoring.session.evidence.ring import MediaRing, Picture, Stretch
from proctoring.session.outcomes import (
    AudioReceived,
    DeferredAnalysed,
    DeferredFailed,
    FrameAnalysed,
    FrameReceived,
    JudgementUpdate,
    Outcome,
    SessionEnded,
)
from proctoring.session.sinks import Sink

LEAD = 12.0
"""Seconds that an incident may take from its beginning to being told and still be shown whole: the
default policy's slowest, looks of liveness and identity included, take less."""


@dataclass(frozen=True, slots=True, eq=False)
class _Pending:
    """Evidence that waits until everything it shows has happened."""

    number: int
    kind: str
    start: float
    end: float
    due: float
    picture: Picture | None = None
    """Of a still: its picture. A clip's are in the ring."""


@dataclass(slots=True)
class _Case:
    """An incident that may gain evidence."""

    change: IncidentChange
    """The last one told."""
    awaited: int = 0
    """Pieces that are pending or being made."""


class EvidenceWatch:
    """A sink between a session and what publishes its changes: adds their evidence to them.

    ``picture`` and ``sound`` are for the thread where messages arrive, ``looked``, ``tell``,
    ``passed`` and ``end`` for the pool, one call at a time.

    Args:
        wanted: the policy's.
        offer: orders a piece; see ``EvidenceKeeper.offer``.
        publisher: receives ``JudgementUpdate`` with the evidence added, in order, from this sink's
            callers and from the keeper's thread; and ``SessionEnded`` after all of them.
        lost: called when a piece is not made because there are too many.
        max_bytes: of media held in memory.
    """

    def __init__(
        self,
        wanted: EvidenceSettings,
        *,
        offer: Callable[[Order], None],
        publisher: Sink,
        lost: Callable[[str], None],
        max_bytes: int,
    ) -> None:
        self._wanted = wanted
        self._offer = offer
        self._publisher = publisher
        self._lost = lost
        self._margin = AROUND if wanted.blur_bystanders else 0.0
        self._ring: MediaRing | None = None
        if wanted.clips:
            kept = wanted.seconds_before + LEAD + wanted.seconds_after + 2 * self._margin
            self._ring = MediaRing(kept, max_bytes)
        # Without clips there are no pictures in it: where people are, for blurred stills.
        self._looks = self._ring or MediaRing(4 * AROUND, 0)
        self._newest: Picture | None = None
        """The picture that was looked at last."""
        self._time = 0.0
        self._looking: float | None = None
        """Media time of the frame that a slow look is still made of: it may find bystanders."""
        self._pending: list[_Pending] = []
        self._made = 0
        self._lock = RLock()
        """Held while something is published: an incident's changes must go out in order."""
        self._cases: dict[int, _Case] = {}
        self._ended: SessionEnded | None = None

    @property
    def size(self) -> int:
        """Bytes of media held in memory now."""
        return 0 if self._ring is None else self._ring.size

    def accept(self, outcome: Outcome) -> None:
        """Record an outcome; publish it, if that is what comes of it."""
        match outcome:
            case FrameReceived(frame):
                self.picture(frame.time, frame.data)
            case AudioReceived():
                if len(outcome.samples):
                    self.sound(outcome.time, outcome.samples)
            case FrameAnalysed(frame, analysis):
                self.looked(frame.data, analysis.observation)
                if outcome.deferred:
                    self.looking_slowly(frame.time)
            case DeferredAnalysed():
                self.looked_slowly(outcome.observation)
            case DeferredFailed():
                self.looked_slowly(None)
            case JudgementUpdate(time, changes, notice):
                self.tell(time, changes, notice)
            case SessionEnded():
                self.end(outcome)

    def picture(self, time: float, data: bytes) -> None:
        """A picture arrived."""
        if self._ring is not None:
            self._ring.picture(time, data)

    def sound(self, time: float, samples: Pcm) -> None:
        """Sound arrived; ``time`` is that of its first sample."""
        if self._ring is not None and self._wanted.audio:
            self._ring.sound(time, samples)

    def looked(self, data: bytes, observation: FrameObservation) -> None:
        """A picture was looked at; what comes of it is told next."""
        self._newest = Picture(observation.time, data)
        if self._wanted.blur_bystanders:
            self._looks.look(look_of(observation))

    def looking_slowly(self, time: float) -> None:
        """A slow look at the picture of this media time begins: what shows it waits for the end."""
        self._looking = time

    def looked_slowly(self, observation: FrameObservation | None) -> None:
        """That slow look is over; ``None``: it failed."""
        self._looking = None
        if observation is not None and self._wanted.blur_bystanders:
            self._looks.look(look_of(observation))

    def tell(
        self,
        media_time: float,
        changes: tuple[IncidentChange, ...],
        notice: Notice | None = None,
    ) -> None:
        """Publish changes with the evidence that their incidents have, and see what else is wanted."""
        with self._lock:
            told = tuple(self._with_evidence(change) for change in changes)
            for change in told:
                self._want(change, media_time)
            if told or notice is not None:
                self._publisher.accept(JudgementUpdate(media_time, told, notice))
        self.passed(media_time)

    def passed(self, media_time: float) -> None:
        """Media time has come so far: order what is due."""
        self._time = max(self._time, media_time)
        until = self._time
        if self._looking is not None and self._margin:
            until = min(until, self._looking)
        due = [pending for pending in self._pending if pending.due <= until]
        if due:
            self._pending = [pending for pending in self._pending if pending.due > until]
        for pending in due:
            self._order(pending)

    def end(self, outcome: SessionEnded) -> None:
        """The session is over: what is pending is made of what there is, the rest forgotten.

        ``outcome`` is published, from any thread, when nothing else is to come.
        """
        pending, self._pending = self._pending, []
        for each in pending:
            self._order(each)
        self._looks.clear()
        self._newest = None
        with self._lock:
            self._ended = outcome
        self._see_whether_finished()

    def _with_evidence(self, change: IncidentChange) -> IncidentChange:
        case = self._cases.get(change.number)
        if case is None:
            return change
        case.change = replace(change, evidence=case.change.evidence)
        return case.change

    def _want(self, change: IncidentChange, media_time: float) -> None:
        if change.state is IncidentState.ENDED:
            self._forget(change.number)
        if change.state is not IncidentState.STARTED:
            return
        wanted: list[_Pending] = []
        if self._wanted.wants_still(change.kind):
            time = media_time if self._newest is None else self._newest.time
            due = time + self._margin
            wanted.append(_Pending(change.number, "still", time, time, due, self._newest))
        if self._wanted.wants_clip(change.kind):
            start = max(change.started_at, media_time - LEAD) - self._wanted.seconds_before
            end = media_time + self._wanted.seconds_after
            wanted.append(_Pending(change.number, "clip", start, end, end + self._margin))
        for pending in wanted:
            if self._made >= self._wanted.max_items:
                self._lost("the session has as many pieces of evidence as its policy allows")
                continue
            self._made += 1
            self._cases.setdefault(change.number, _Case(change)).awaited += 1
            self._pending.append(pending)

    def _order(self, pending: _Pending) -> None:
        ring = self._looks
        stretch = ring.between(pending.start, pending.end, looks_around=self._margin)
        if pending.kind == "still":
            pictures = () if pending.picture is None else (pending.picture,)
            stretch = Stretch(pictures, (), stretch.looks)
        self._offer(
            Order(
                pending.kind,
                stretch,
                self._wanted.blur_bystanders,
                partial(self._gained, pending.number),
            )
        )

    def _gained(self, number: int, evidence: Evidence | None) -> None:
        """From the keeper's thread."""
        with self._lock:
            case = self._cases[number]
            case.awaited -= 1
            if evidence is not None:
                change = case.change
                case.change = replace(
                    change,
                    # One that ended stays so: "updated" would tell listeners that it goes on.
                    state=IncidentState.ENDED
                    if change.state is IncidentState.ENDED
                    else IncidentState.UPDATED,
                    alerts=False,
                    evidence=(*change.evidence, evidence),
                )
                self._publisher.accept(JudgementUpdate(self._time, (case.change,)))
            if case.change.state is IncidentState.ENDED:
                self._forget(number)
        self._see_whether_finished()

    def _forget(self, number: int) -> None:
        """Remember an incident that ended no longer than evidence of it may come."""
        case = self._cases.get(number)
        if case is not None and not case.awaited:
            del self._cases[number]

    def _see_whether_finished(self) -> None:
        with self._lock:
            if self._ended is None or any(case.awaited for case in self._cases.values()):
                return
            ended, self._ended = self._ended, None
        self._publisher.accept(ended)
