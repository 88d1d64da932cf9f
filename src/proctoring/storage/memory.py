"""Storage without a database: events in memory, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable

from proctoring.capabilities import Capability
from proctoring.delivery.outbox import Outbox
from proctoring.errors import RecordsOffError
from proctoring.judgement.inputs import JudgementInput
from proctoring.judgement.policy.storage import EvidenceSettings, RecordSettings
from proctoring.records.archive import Archive
from proctoring.records.entries import SittingRef
from proctoring.records.erasure import Erasure
from proctoring.records.evidence.ledger import EvidenceContent
from proctoring.records.signals import discard
from proctoring.session.continuing import LeftSession
from proctoring.session.evidence.face_search import FindFaces
from proctoring.session.evidence.recorder import EvidenceRecorder
from proctoring.session.sinks import Sink

_log = logging.getLogger(__name__)


class MemoryStorage:
    """Keeps the newest events of each session; observations and evidence are discarded.

    Args:
        outbox: over a ``MemoryJournal``.
        reason: why there is no database, for health.
        webhooks: whether webhooks are configured: they do not work without a database.
    """

    def __init__(self, outbox: Outbox, reason: str, *, webhooks: bool = False) -> None:
        self.outbox = outbox
        names = ("records", "evidence", "webhooks") if webhooks else ("records", "evidence")
        self.capabilities = tuple(
            Capability(name, available=False, reason=reason, model="") for name in names
        )

    @property
    def records(self) -> Archive:
        """Not available."""
        raise RecordsOffError("nothing is recorded: see /api/health")

    def believe_gone(self, is_gone: Callable[[str], bool]) -> None:
        """Ignored: there are no other servers."""

    def start(self) -> None:
        """Start delivering events."""
        self.outbox.start()

    def find_faces_with(self, find: FindFaces) -> None:
        """Ignored: there is no evidence."""

    def stop_evidence(self, timeout: float) -> None:
        """Nothing to finish."""

    def stop(self, timeout: float) -> None:
        """Deliver the events that wait."""
        if not self.outbox.stop(timeout):
            _log.error("%d events were not delivered within %.0f s", self.outbox.waiting, timeout)

    def heartbeat(self) -> None:
        """Nothing to record."""

    def sweep(self) -> None:
        """Nothing to erase."""

    @property
    def keeps_states(self) -> bool:
        """Nothing outlives the process."""
        return False

    def left_sessions(self, *, first: bool) -> tuple[str, ...]:  # noqa: ARG002
        """None: nothing outlives the process."""
        return ()

    def claim(self, session_id: str) -> LeftSession | None:  # noqa: ARG002
        """``None``: nothing outlives the process."""
        return None

    def abandon(self, found: LeftSession) -> None:
        """Nothing was found."""

    def observation_recorder(
        self,
        sitting: SittingRef,  # noqa: ARG002
        wanted: RecordSettings,  # noqa: ARG002
        *,
        next_segment: int = 0,  # noqa: ARG002
        lost: int = 0,  # noqa: ARG002
    ) -> Callable[[JudgementInput], None]:
        """A function that discards observations."""
        return discard

    def end_observations(self, sitting: SittingRef) -> None:
        """Nothing waits."""

    def evidence_recorder(
        self,
        settings: EvidenceSettings,  # noqa: ARG002
        publisher: Sink,  # noqa: ARG002
    ) -> EvidenceRecorder | None:
        """``None``: no evidence can be stored."""
        return None

    def write_observations(self, sitting_id: str) -> None:  # noqa: ARG002
        """Not available."""
        _ = self.records

    def evidence(self, sitting_id: str, digest: str) -> EvidenceContent:  # noqa: ARG002
        """Not available."""
        raise RecordsOffError("no evidence is kept: see /api/health")

    def erase(self, sitting_id: str, reason: str, erased_by: str) -> Erasure:  # noqa: ARG002
        """Not available."""
        raise RecordsOffError("nothing is recorded: see /api/health")

    def erase_consents(self, session_id: str, reason: str, erased_by: str) -> Erasure:  # noqa: ARG002
        """Not available."""
        raise RecordsOffError("nothing is recorded: see /api/health")
