"""One session's way from frame to incidents: what the server and ``proctoring analyse`` both run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from proctoring.delivery.events import Notice
from proctoring.incidents import IncidentChange
from proctoring.judgement.calibration import begin, why_no_calibration
from proctoring.judgement.challenge import ask, why_no_challenge
from proctoring.judgement.judge import finish, initial_state, judge
from proctoring.judgement.policy import Policy
from proctoring.observations import Observation
from proctoring.records.kept import CalibrationAsked, Kept, MovementAsked
from proctoring.session.guidance import guidance, notices
from proctoring.vision.analyser import FrameAnalysis, VisionAnalyser, joined
from proctoring.vision.deferred import DeferredResult
from proctoring.vision.frame import Frame
from proctoring.vision.steps import finished


class Pipeline:
    """Analyses a session's frames and judges what was seen. For one thread at a time.

    Args:
        policy: what counts as suspicious.
        analyser: the session's own.
        seed: what challenges are drawn from; the candidate must not know it.
        keep: takes all that judgement goes by, before it does, so that it can be judged again.
    """

    def __init__(
        self,
        policy: Policy,
        analyser: VisionAnalyser,
        *,
        seed: str = "",
        keep: Callable[[Kept], None] = lambda _: None,
    ) -> None:
        self.policy = policy
        self.analyser = analyser
        self._keep = keep
        self._state = initial_state(seed)
        self._notices: list[Notice] = []

    def is_due(self, time: float) -> bool:
        """Whether a frame of this media time would be looked at: ask before decoding one."""
        return self.analyser.is_due(time)

    def analyse(self, frame: Frame) -> tuple[FrameAnalysis, tuple[IncidentChange, ...]]:
        """Look at a frame, slow looks included, and judge what is in it."""
        analysis, changes = self.analyse_immediate(frame)
        if analysis.deferred is None:
            return analysis, changes
        slow, more = self.apply_result(finished(analysis.deferred.steps()))
        return joined(analysis, slow), changes + more

    def analyse_immediate(
        self, frame: Frame, *, allow_deferred: bool = True
    ) -> tuple[FrameAnalysis, tuple[IncidentChange, ...]]:
        """Take a quick look at a frame and judge it; a slow look may be asked for."""
        analysis = self.analyser.analyse_immediate(frame, allow_deferred=allow_deferred)
        return analysis, self.observe(analysis.observation)

    def apply_result(
        self, result: DeferredResult
    ) -> tuple[FrameAnalysis, tuple[IncidentChange, ...]]:
        """Judge what a slow look found."""
        analysis = self.analyser.apply_result(result)
        return analysis, self.observe(analysis.observation)

    def observe(self, observation: Observation) -> tuple[IncidentChange, ...]:
        """Judge an observation."""
        self._keep(observation)
        before = self._state
        self._state, changes = judge(self.policy, before, observation)
        self._notices += notices(self.policy, before, self._state)
        return changes

    def ask(self, time: float, action: str | None) -> None:
        """Ask the candidate for a movement, if one can be asked for at media time ``time``."""
        self._keep(MovementAsked(time, action))
        before = self._state
        asked = ask(self.policy, before.challenge, time, action)
        self._state = replace(before, challenge=asked)
        self._notices += notices(self.policy, before, self._state)

    def calibrate(self, time: float) -> None:
        """Begin a guided calibration, if one can begin at media time ``time``."""
        self._keep(CalibrationAsked(time))
        before = self._state
        begun = begin(self.policy, before.calibration, time)
        self._state = replace(before, calibration=begun)
        self._notices += notices(self.policy, before, self._state)

    def why_not_ask(self, time: float) -> str:
        """Why no movement can be asked for now; empty when one can. From any thread."""
        return why_no_challenge(self._state.challenge, time)

    def why_not_calibrate(self) -> str:
        """Why no calibration can begin now; empty when one can. From any thread."""
        return why_no_calibration(self.policy, self._state.calibration)

    def take_notices(self) -> tuple[Notice, ...]:
        """What the candidate is to be told since this was asked last."""
        told, self._notices = self._notices, []
        return tuple(told)

    @property
    def guidance(self) -> dict[str, dict[str, Any]]:
        """How enrolment, calibration and challenge stand, as JSON values. From any thread."""
        return guidance(self.policy, self._state)

    @property
    def face_to_keep(self) -> tuple[float, ...] | None:
        """The embedding that the candidate is compared with, for the session's records: only where
        the policy says so, and once it is known. Biometric data."""
        reference = self.analyser.identity_reference
        if reference is None or not self.policy.identity.store_reference:
            return None
        return tuple(float(value) for value in reference)

    def finish(self, time: float) -> tuple[IncidentChange, ...]:
        """End what is open: the session ends at media time ``time``."""
        self._state, changes = finish(self.policy, self._state, time)
        return changes
