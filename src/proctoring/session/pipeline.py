"""One session's way from frame to incidents: what the server and ``proctoring analyse`` both run."""

from __future__ import annotations

from typing import Any

from proctoring.delivery.events import Notice
from proctoring.incidents import IncidentChange
from proctoring.judgement.judge import finish, initial_state, judge
from proctoring.judgement.policy import Policy
from proctoring.observations import Observation
from proctoring.session.guidance import enrolment_body, notices
from proctoring.vision.analyser import FrameAnalysis, VisionAnalyser
from proctoring.vision.frame import Frame


class Pipeline:
    """Analyses a session's frames and judges what was seen. For one thread at a time.

    Args:
        policy: what counts as suspicious.
        analyser: the session's own.
    """

    def __init__(self, policy: Policy, analyser: VisionAnalyser) -> None:
        self.policy = policy
        self.analyser = analyser
        self._state = initial_state()
        self._notices: list[Notice] = []

    def is_due(self, time: float) -> bool:
        """Whether a frame of this media time would be looked at: ask before decoding one."""
        return self.analyser.is_due(time)

    def analyse(self, frame: Frame) -> tuple[FrameAnalysis, tuple[IncidentChange, ...]]:
        """Look at a frame and judge what is in it."""
        analysis = self.analyser.analyse(frame)
        return analysis, self.observe(analysis.observation)

    def observe(self, observation: Observation) -> tuple[IncidentChange, ...]:
        """Judge an observation."""
        before = self._state
        self._state, changes = judge(self.policy, before, observation)
        self._notices += notices(self.policy, before, self._state)
        return changes

    def take_notices(self) -> tuple[Notice, ...]:
        """What the candidate is to be told since this was asked last."""
        told, self._notices = self._notices, []
        return tuple(told)

    @property
    def enrolment(self) -> dict[str, Any]:
        """How enrolment stands, as JSON values. May be asked from any thread."""
        return enrolment_body(self.policy, self._state.enrolment)

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
