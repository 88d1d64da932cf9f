"""Has a session go on that another process left: its parts decoded, the outage judged and told."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TypeVar

from proctoring.observations import ConnectionObservation
from proctoring.records.continuation import KeptSitting
from proctoring.records.entries import Notice
from proctoring.records.session_states import StateSealing
from proctoring.session.clock import ClockState
from proctoring.session.continuation import ArrivalState
from proctoring.session.counters import AudioCounts, FrameCounts
from proctoring.session.kept import BiometricState, HotState, LearnedState
from proctoring.session.media_monitor import MonitorState
from proctoring.session.sound_state import SoundState, SoundVoices
from proctoring.snapshots import SnapshotError
from proctoring.vision.identity.verifier import VerifierFaces
from proctoring.vision.snapshot import LearnedVision, VisionSnapshot

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LeftSession:
    """A claimed sitting with its parts decoded, as far as they can be."""

    kept: KeptSitting
    hot: HotState
    learned: LearnedState | None
    biometrics: BiometricState | None
    missing: tuple[str, ...]
    """Names of the parts that were not kept, or cannot be read; for listeners and reviewers."""

    @property
    def vision(self) -> VisionSnapshot:
        """Of the analyser of frames. What is missing is as of a new session."""
        learned = LearnedVision() if self.learned is None else self.learned.vision
        faces = VerifierFaces() if self.biometrics is None else self.biometrics.face
        return VisionSnapshot(self.hot.vision, learned, faces)

    @property
    def voices(self) -> SoundVoices:
        """Those that were told apart."""
        return SoundVoices() if self.biometrics is None else self.biometrics.voices

    @property
    def inputs_lost(self) -> int:
        """Inputs of judgement that are not in the records, as far as is known."""
        return max(0, self.hot.inputs - self.kept.inputs_recorded)


def decode_parts(kept: KeptSitting, sealing: StateSealing) -> LeftSession:
    """Decode the parts of a sitting. What cannot be read is named in the log, and is missing."""
    missing: list[str] = []

    def part(name: str, kind: type[T]) -> T | None:
        stored = kept.parts.get(name)
        if stored is None:
            missing.append(name)
            return None
        try:
            return sealing.open(kept.sitting.id, name, stored, kind)
        except SnapshotError as error:
            _log.warning("a session continues without its part %s: %s", name, error)
            missing.append(name)
            return None

    return LeftSession(
        kept,
        part("hot", HotState) or _estimated(kept),
        part("learned", LearnedState),
        part("biometrics", BiometricState),
        tuple(missing),
    )


def _estimated(kept: KeptSitting) -> HotState:
    """Where a session was, by what judgement had last, if nothing else was kept yet."""
    seen = kept.judgement.time is not None
    time = kept.media_time
    clock = ClockState(time if seen else None, 0.0, time, None, None)
    monitor = MonitorState(0.0 if seen else None, None, None, 0.0, None, 0, FrameCounts())
    arrivals = ArrivalState(
        taken_at=kept.saved_at.timestamp(),
        clock=clock,
        monitor=monitor,
        idle=0.0,
        awaited=False,
        frames=FrameCounts(),
        audio=AudioCounts(),
        sound_end=None,
    )
    return HotState(arrivals, SoundState())


def outage(found: LeftSession, time: float) -> ConnectionObservation | None:
    """What is judged of the time until ``time``, in seconds, in which no process ran: time limits are
    extended by it, open incidents stay open, and nothing counts as lost that arrived before. ``None`` before the first media."""
    arrived = found.hot.arrivals.monitor.reported
    if arrived is None or found.kept.judgement.time is None:
        return None
    away = max(0.0, time - max(found.kept.media_time, found.kept.judgement.time))
    return ConnectionObservation(
        time,
        connected=bool(arrived.pictures or arrived.sound),
        pictures=arrived.pictures,
        sound=arrived.sound,
        outage=away,
    )


def continued_notice(found: LeftSession, time: float) -> Notice:
    """What listeners and reviewers are told."""
    return Notice(
        "continued",
        {
            "from": round(min(found.kept.media_time, time), 3),
            "to": round(time, 3),
            "missing": list(found.missing),
        },
    )
