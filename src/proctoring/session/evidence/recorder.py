"""Requests the evidence of a session's incidents and adds it to their changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from threading import RLock

from proctoring.incidents import Evidence, IncidentChange, IncidentState
from proctoring.judgement.policy.storage import EvidenceSettings
from proctoring.observations import FrameObservation
from proctoring.session.evidence.bystanders import HIDE_MARGIN, people_in
from proctoring.session.evidence.media_buffer import EncodedFrame, MediaBuffer, MediaSegment
from proctoring.session.evidence.writer import EvidenceRequest
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

MAX_LEAD = 12.0
"""Seconds before the detection of an incident that a clip can show of it. In the default policy
incidents are detected sooner after their start, except for what holds for as long as it is seen:
``face.motionless``, ``liveness.unread``."""


@dataclass(frozen=True, slots=True, eq=False)
class _Pending:
    """Evidence that is requested once all of its media has arrived. Times are media time."""

    number: int
    """Of the incident."""
    kind: str
    """``still`` or ``clip``."""
    start: float
    end: float
    due: float
    frame: EncodedFrame | None = None
    """A still's frame. A clip's are in the buffer."""


@dataclass(slots=True)
class _Incident:
    """An incident for which evidence is pending or stored."""

    change: IncidentChange
    """The last one published."""
    awaited: int = 0
    """Number of stills and clips that are pending or requested."""


class EvidenceRecorder:
    """A sink before the one that publishes: every change passes through it.

    Args:
        settings: the policy's.
        submit: requests evidence; see ``EvidenceWriter.submit``.
        publisher: receives each ``JudgementUpdate`` with evidence added, an update of its own when
            evidence of an incident was stored (from the writer's thread), and, after all of them,
            ``SessionEnded``. Calls do not overlap.
        on_lost: called with the reason why evidence is not requested.
        max_bytes: of media held in memory.
    """

    def __init__(
        self,
        settings: EvidenceSettings,
        *,
        submit: Callable[[EvidenceRequest], None],
        publisher: Sink,
        on_lost: Callable[[str], None],
        max_bytes: int,
    ) -> None:
        self._settings = settings
        self._submit = submit
        self._publisher = publisher
        self._on_lost = on_lost
        self._margin = HIDE_MARGIN if settings.blur_bystanders else 0.0
        self._media: MediaBuffer | None = None
        if settings.clips:
            around = settings.seconds_before + settings.seconds_after + 2 * self._margin
            self._media = MediaBuffer(around + MAX_LEAD, max_bytes)
        # Without clips it holds no media, only where people are, for blurred stills.
        self._people = self._media or MediaBuffer(4 * HIDE_MARGIN, 0)
        self._last_frame: EncodedFrame | None = None
        """The last one analysed."""
        self._time = 0.0
        self._deferred_since: float | None = None
        """Media time of the frame of a deferred detection that is running: it may find bystanders."""
        self._pending: list[_Pending] = []
        self._count = 0
        """Stills and clips so far."""
        self._lock = RLock()
        """Held while publishing, so that the changes of an incident are published in order."""
        self._incidents: dict[int, _Incident] = {}
        self._ended: SessionEnded | None = None

    @property
    def size(self) -> int:
        """Bytes of media held in memory."""
        return 0 if self._media is None else self._media.size

    def resume(self, count: int, incidents: Iterable[IncidentChange]) -> None:
        """Go on where another process stopped.

        Args:
            count: stills and clips that are stored.
            incidents: open ones, with their evidence.
        """
        self._count = count
        self._incidents = {one.number: _Incident(one) for one in incidents if one.evidence}

    def accept(self, outcome: Outcome) -> None:
        """Record media, request evidence, publish."""
        match outcome:
            case FrameReceived(frame):
                if self._media is not None:
                    self._media.add_frame(frame.time, frame.data)
            case AudioReceived():
                if self._media is not None and self._settings.audio and len(outcome.samples):
                    self._media.add_audio(outcome.time, outcome.samples)
            case FrameAnalysed(frame, analysis):
                self._last_frame = EncodedFrame(frame.time, frame.data)
                self._add_people(analysis.observation)
                if outcome.deferred:
                    self._deferred_since = frame.time
            case DeferredAnalysed():
                self._deferred_since = None
                self._add_people(outcome.observation)
            case DeferredFailed():
                self._deferred_since = None
            case JudgementUpdate():
                self._publish(outcome)
                if not outcome.frames_pending:  # they may show bystanders
                    self._submit_due(outcome.time)
            case SessionEnded():
                self._end(outcome)

    def _add_people(self, observation: FrameObservation) -> None:
        if self._settings.blur_bystanders:
            self._people.add_people(people_in(observation))

    def _publish(self, update: JudgementUpdate) -> None:
        with self._lock:
            changes = tuple(self._with_evidence(change) for change in update.changes)
            for change in changes:
                self._plan(change, update.time)
            if changes or update.notice is not None:
                self._publisher.accept(replace(update, changes=changes))

    def _submit_due(self, media_time: float) -> None:
        """Request what is due at this media time."""
        self._time = max(self._time, media_time)
        until = self._time
        if self._deferred_since is not None and self._margin:
            until = min(until, self._deferred_since)
        due = [pending for pending in self._pending if pending.due <= until]
        if due:
            self._pending = [pending for pending in self._pending if pending.due > until]
        for pending in due:
            self._request(pending)

    def _end(self, ended: SessionEnded) -> None:
        """Request what is pending with the media there is; publish the end after the last result."""
        pending, self._pending = self._pending, []
        for each in pending:
            self._request(each)
        self._people.clear()
        self._last_frame = None
        with self._lock:
            self._ended = ended
        self._publish_end()

    def _with_evidence(self, change: IncidentChange) -> IncidentChange:
        incident = self._incidents.get(change.number)
        if incident is None:
            return change
        incident.change = replace(change, evidence=incident.change.evidence)
        return incident.change

    def _plan(self, change: IncidentChange, media_time: float) -> None:
        """Decide what evidence an incident gets when it starts."""
        if change.state is IncidentState.ENDED:
            self._forget(change.number)
        if change.state is not IncidentState.STARTED:
            return
        wanted: list[_Pending] = []
        if self._settings.wants_still(change.kind):
            time = media_time if self._last_frame is None else self._last_frame.time
            due = time + self._margin
            wanted.append(_Pending(change.number, "still", time, time, due, self._last_frame))
        if self._settings.wants_clip(change.kind):
            start = max(change.started_at, media_time - MAX_LEAD) - self._settings.seconds_before
            end = media_time + self._settings.seconds_after
            wanted.append(_Pending(change.number, "clip", start, end, end + self._margin))
        for pending in wanted:
            if self._count >= self._settings.max_items:
                self._on_lost("the session has as many pieces of evidence as its policy allows")
                continue
            self._count += 1
            self._incidents.setdefault(change.number, _Incident(change)).awaited += 1
            self._pending.append(pending)

    def _request(self, pending: _Pending) -> None:
        media = self._people
        segment = media.between(pending.start, pending.end, people_margin=self._margin)
        if pending.kind == "still":
            frames = () if pending.frame is None else (pending.frame,)
            segment = MediaSegment(frames, (), segment.people)
        done = partial(self._add_evidence, pending.number)
        self._submit(EvidenceRequest(pending.kind, segment, self._settings.blur_bystanders, done))

    def _add_evidence(self, number: int, evidence: Evidence | None) -> None:
        """Called from the writer's thread."""
        with self._lock:
            incident = self._incidents[number]
            incident.awaited -= 1
            if evidence is not None:
                change = incident.change
                # An incident that has ended stays so: "updated" would open it again for listeners.
                ended = change.state is IncidentState.ENDED
                incident.change = replace(
                    change,
                    state=IncidentState.ENDED if ended else IncidentState.UPDATED,
                    alerts=False,
                    evidence=(*change.evidence, evidence),
                )
                self._publisher.accept(JudgementUpdate(self._time, (incident.change,)))
            if incident.change.state is IncidentState.ENDED:
                self._forget(number)
        self._publish_end()

    def _forget(self, number: int) -> None:
        """Drop an incident that has ended, unless evidence of it is still awaited."""
        incident = self._incidents.get(number)
        if incident is not None and not incident.awaited:
            del self._incidents[number]

    def _publish_end(self) -> None:
        """Publish the end of the session if it has ended and no evidence is awaited."""
        with self._lock:
            awaited = any(incident.awaited for incident in self._incidents.values())
            if self._ended is None or awaited:
                return
            ended, self._ended = self._ended, None
        self._publisher.accept(ended)
