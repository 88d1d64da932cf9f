"""From frames and observations to incidents: used by live sessions and by recordings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from proctoring.incidents import IncidentChange
from proctoring.judgement.attention import needed_attention
from proctoring.judgement.calibration import calibration_limit_reached, why_no_calibration
from proctoring.judgement.challenge import why_no_challenge
from proctoring.judgement.inputs import JudgementInput
from proctoring.judgement.judge import finish
from proctoring.judgement.policy import Policy
from proctoring.judgement.recent_angles import RecentAngles, RecentAnglesState
from proctoring.judgement.reducer import apply
from proctoring.judgement.state import JudgementState, initial_state
from proctoring.observations import FrameObservation, TranscriptObservation
from proctoring.records.entries import Notice
from proctoring.session.guidance import guidance, notices
from proctoring.vision.analyser import FrameAnalysis, VisionAnalyser, merge_deferred
from proctoring.vision.deferred import DeferredResult
from proctoring.vision.frame import Frame
from proctoring.vision.snapshot import VisionSnapshot
from proctoring.vision.steps import run_to_completion


@dataclass(frozen=True, slots=True)
class JudgementSnapshot:
    """What is kept of judgement: the state, and what follows from the last observations."""

    state: JudgementState
    faces: FrameObservation | None = None
    """The last observation of faces."""
    recent: RecentAnglesState | None = None
    notices: tuple[Notice, ...] = field(default=(), repr=False)
    """Those that nobody has taken yet."""
    inputs: int = 0
    """As in ``Pipeline``."""


@dataclass(frozen=True, slots=True, eq=False)
class PipelineSnapshot:
    """What another pipeline needs to continue a session."""

    judgement: JudgementSnapshot
    vision: VisionSnapshot


class Pipeline:
    """Analyses the frames of one session and judges its observations. Not thread-safe, except for
    the methods and properties that say so.

    Args:
        policy: the policy to judge by.
        analyser: the session's own; not shared with other sessions.
        seed: challenges are drawn from it; must not be known to the candidate.
        record: called with every input before it is applied, so that a sitting can be judged again.
        kept: of the pipeline whose session this one continues, judged by the same policy; ``seed`` is then
            not used. The analyser was made from the other part of the same snapshot.
    """

    def __init__(
        self,
        policy: Policy,
        analyser: VisionAnalyser,
        *,
        seed: str = "",
        record: Callable[[JudgementInput], None] = lambda _: None,
        kept: JudgementSnapshot | None = None,
    ) -> None:
        kept = kept or JudgementSnapshot(initial_state(seed))
        self.policy = policy
        self.analyser = analyser
        self.inputs = kept.inputs
        """Inputs so far that the records may hold."""
        self._record = record
        self._state = kept.state
        self._notices = list(kept.notices)
        self._faces = kept.faces
        """The last observation of faces."""
        self._recent = RecentAngles(kept.recent)
        self._direct_attention()

    def is_due(self, time: float) -> bool:
        """Whether a frame of this media time would be analysed; saves decoding one that would not."""
        return self.analyser.is_due(time)

    def analyse(self, frame: Frame) -> tuple[FrameAnalysis, tuple[IncidentChange, ...]]:
        """Analyse a frame completely, deferred detections included, and judge the observations."""
        analysis, changes = self.analyse_immediate(frame)
        if analysis.deferred is None:
            return analysis, changes
        slow, more = self.apply_result(run_to_completion(analysis.deferred.steps()))
        return merge_deferred(analysis, slow), changes + more

    def analyse_immediate(
        self, frame: Frame, *, allow_deferred: bool = True
    ) -> tuple[FrameAnalysis, tuple[IncidentChange, ...]]:
        """Run the immediate detections on a frame and judge the observation. The analysis may
        request a deferred detection, unless ``allow_deferred`` is false."""
        analysis = self.analyser.analyse_immediate(frame, allow_deferred=allow_deferred)
        return analysis, self.apply(analysis.observation)

    def apply_result(
        self, result: DeferredResult
    ) -> tuple[FrameAnalysis, tuple[IncidentChange, ...]]:
        """Judge the result of a deferred detection."""
        analysis = self.analyser.apply_result(result)
        return analysis, self.apply(analysis.observation)

    def apply(self, item: JudgementInput) -> tuple[IncidentChange, ...]:
        """Record an input and judge it."""
        self._record(item)
        self.inputs += self.policy.records.transcripts or not isinstance(
            item, TranscriptObservation
        )
        before = self._state
        self._state, changes = apply(self.policy, before, item)
        self._notices += notices(self.policy, before, self._state)
        if isinstance(item, FrameObservation) and item.faces is not None:
            self._faces = item
            self._recent.add(item)
        self._direct_attention()
        return changes

    def _direct_attention(self) -> None:
        self.analyser.attention = needed_attention(
            self.policy, self._state, self._faces, self._recent
        )

    def snapshot(self) -> PipelineSnapshot:
        """All that another pipeline needs to continue this session. What it holds does not change any more."""
        return PipelineSnapshot(self.judgement(), self.analyser.snapshot())

    def judgement(self) -> JudgementSnapshot:
        """The part that is judgement's; ``VisionAnalyser`` gives those that are vision's. Cheap."""
        return JudgementSnapshot(
            self._state, self._faces, self._recent.state, tuple(self._notices), self.inputs
        )

    def finish(self, time: float) -> tuple[IncidentChange, ...]:
        """End open incidents: the session ends at media time ``time``."""
        self._state, changes = finish(self.policy, self._state, time)
        return changes

    def why_no_challenge(self, time: float) -> str:
        """Why a challenge cannot be requested now; empty if it can. Thread-safe."""
        return why_no_challenge(self._state.challenge, time)

    def why_no_calibration(self) -> str:
        """Why a calibration cannot be started now; empty if it can. Thread-safe."""
        return why_no_calibration(self.policy, self._state.calibration)

    @property
    def state(self) -> JudgementState:
        """What judgement knows. Thread-safe."""
        return self._state

    @property
    def learned(self) -> tuple[object, ...]:
        """Changes when something was learned that is worth keeping at once. Thread-safe."""
        enrolment, calibration = self._state.enrolment, self._state.calibration
        known = (enrolment.ready_at is not None, calibration.extent is not None)
        return (*known, *self.analyser.progress)

    @property
    def suspicious(self) -> bool:
        """Whether something holds that is an incident, or becomes one if it lasts. Thread-safe."""
        return any(kind.samples or kind.incident for kind in self._state.kinds.values())

    @property
    def calibration_limit_reached(self) -> bool:
        """Whether the policy permits no further calibration. Thread-safe."""
        return calibration_limit_reached(self.policy, self._state.calibration)

    def take_notices(self) -> tuple[Notice, ...]:
        """Notices for the candidate since the last call."""
        taken, self._notices = self._notices, []
        return tuple(taken)

    @property
    def guidance(self) -> dict[str, dict[str, Any]]:
        """State of enrolment, calibration and challenge as JSON values. Thread-safe."""
        return guidance(self.policy, self._state)

    @property
    def face_to_keep(self) -> tuple[float, ...] | None:
        """The reference embedding of the candidate's face, to be stored with the records. ``None``
        if the policy does not store it or there is none yet. Biometric data."""
        reference = self.analyser.identity_reference
        if reference is None or not self.policy.identity.store_reference:
            return None
        return tuple(float(value) for value in reference)
