"""The part of storage that sessions write to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from proctoring.delivery.outbox import Outbox
from proctoring.judgement.inputs import JudgementInput
from proctoring.judgement.policy.storage import EvidenceSettings, RecordSettings
from proctoring.records.entries import SittingRef
from proctoring.session.evidence.recorder import EvidenceRecorder
from proctoring.session.sinks import Sink


class SessionStorage(Protocol):
    """Events, observations and evidence of all sessions. Implemented by ``proctoring.storage``."""

    @property
    def outbox(self) -> Outbox:
        """The event log: begins, publishes and ends sittings."""

    @property
    def keeps_states(self) -> bool:
        """Whether the state of sessions is stored, so that another process can continue them."""

    def observation_recorder(
        self, sitting: SittingRef, wanted: RecordSettings, *, next_segment: int = 0, lost: int = 0
    ) -> Callable[[JudgementInput], None]:
        """Return the function that records each observation of a sitting, as its policy allows.

        Args:
            next_segment: number of the first segment, of a sitting that continues.
            lost: observations that another process could not record any more.
        """

    def end_observations(self, sitting: SittingRef) -> None:
        """Write what waits of a sitting's observations; no more will come."""

    def evidence_recorder(
        self, settings: EvidenceSettings, publisher: Sink
    ) -> EvidenceRecorder | None:
        """Record a session's evidence; ``None`` if its policy wants none or none can be stored.

        Args:
            settings: the policy's.
            publisher: receives judgement's updates with evidence added, and the end, in order.
        """
