"""Sound of a session that goes on in another process, over real records: every moment once, every voice as before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from tests.audio.synthetic import sound, synthetic_models
from tests.session.conftest import BLIND, TIMEOUT, FakeSocket
from tests.waiting import until

from proctoring.audio.pcm import SAMPLE_RATE, Pcm
from proctoring.judgement.policy import Policy, shipped_policy
from proctoring.observations import AudioObservation
from proctoring.records.database import reading
from proctoring.records.session_states import read_state
from proctoring.server.open_storage import open_storage
from proctoring.session.factory import (
    NewSession,
    SessionLimits,
    SessionServices,
    continue_session,
    create_session,
)
from proctoring.session.lifetime import Lifetime
from proctoring.session.session import Session
from proctoring.session.session_metrics import SessionMetrics
from proctoring.session.worker_pool import WorkerPool
from proctoring.settings import Settings
from proctoring.storage.recorded import RecordedStorage

BEGAN = datetime(2026, 1, 2, 10, tzinfo=UTC)
CAPTURE = 1_700_000_000_000_000
"""The candidate's clock at media time 0, in microseconds."""
LIMITS = SessionLimits(10, admission_by_load=False, lifetime=Lifetime(), keep_events=60.0, max_pixels=1 << 24)  # fmt: skip
SPEECH = sound(("candidate", 8.0), ("stranger", 4.0), ("candidate", 3.0), ("stranger", 3.0), ("candidate", 7.0))  # fmt: skip
"""25 s."""
AWAY = 11.0
"""Seconds from the last state to the next process."""


@dataclass
class Life:
    """One process's services. Its clock shows ``clock`` when the candidate's shows media time 0."""

    services: SessionServices
    storage: RecordedStorage
    clock: float
    session: Session = field(init=False)
    heard: list[AudioObservation] = field(default_factory=list)
    socket: FakeSocket = field(default_factory=FakeSocket)

    def connect(self, at: float, first: float) -> None:
        """The audio socket opens at media time ``at``; its first sample is from ``first``."""
        start = CAPTURE + round(first * 1e6)
        self.session.attach_audio(self.socket, self.socket, start, self.clock + at)

    def speak(self, audio: Pcm, at: float, observations: int, pace: float = 1.0) -> None:
        """Send audio, arriving from media time ``at`` on, so many times as fast as it was spoken; wait
        until it is analysed and judged."""
        for first in range(0, len(audio), 4_000):
            piece = audio[first : first + 4_000]
            now = self.clock + at + (first + len(piece)) / SAMPLE_RATE / pace
            self.session.receive_audio(self.socket, piece.tobytes(), now)
        self.heard += [self.socket.next() for _ in range(observations)]
        until(lambda: self.session.continuation.sound_state()[0].until == self.heard[-1].time)

    def keep(self, at: float) -> None:
        """Have the state written."""
        assert self.session.keeper is not None
        wall = self.services.wall().timestamp()
        taken = self.session.keeper.keep(self.clock + at, wall, last=True)
        assert taken is not None
        taken.result(TIMEOUT)
        self.storage.outbox.write_saved()
        engine = self.storage.records.engine

        def is_stored() -> bool:
            with reading(engine) as connection:
                stored = read_state(connection, self.session.sitting_id)
            return stored is not None and "hot" in stored.parts

        until(is_stored)

    @property
    def voices(self) -> list[int]:
        """Numbers of the voices heard, one after the other."""
        return [v.number for o in self.heard if o.diarization for v in o.diarization.speakers]


@contextmanager
def life(folder: Path, clock: float, wall: datetime) -> Iterator[Life]:
    """A process; its time of day stands still."""
    metrics = SessionMetrics(CollectorRegistry())
    storage = open_storage(
        Settings(data_folder=folder), unbegun_days=1.0, metrics=metrics, wall=lambda: wall
    )
    assert isinstance(storage, RecordedStorage)
    storage.start()
    pool = WorkerPool(2)
    pool.start()
    services = SessionServices(BLIND, synthetic_models(), pool, storage, metrics, lambda: wall)
    try:
        yield Life(services, storage, clock)
    finally:
        assert pool.stop(TIMEOUT)
        storage.stop(TIMEOUT)


def part(start: float, end: float) -> Pcm:
    return SPEECH[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]


@pytest.fixture
def policy(request: pytest.FixtureRequest) -> Policy:
    """The exam's, keeping what the test says."""
    exam = shipped_policy("exam")
    kept = exam.records.model_copy(update={"failover": getattr(request, "param", "full")})
    return exam.model_copy(update={"records": kept})


def begin(first: Life, policy: Policy) -> None:
    """A session, of which 15 s were heard and the state was written after 14 s."""
    first.session = create_session(
        first.services, LIMITS, NewSession("continued-sound", policy), first.clock
    )
    first.session.recorded.result(TIMEOUT)
    first.connect(0.0, 0.0)
    first.speak(part(0.0, 14.0), 0.0, 28)
    first.keep(14.0)
    first.speak(part(14.0, 15.0), 14.0, 2)
    assert first.storage._lock is not None
    first.storage._lock.release()  # as when its process ends


def go_on(second: Life) -> None:
    """The session goes on in another process."""
    left = second.storage.claim("continued-sound")
    assert left is not None
    second.session = continue_session(second.services, LIMITS, left, second.clock + 14.0 + AWAY)


def test_voices_are_known_again_and_every_moment_is_heard_once(
    tmp_path: Path, policy: Policy
) -> None:
    back = 14.0 + AWAY
    with life(tmp_path, 100.0, BEGAN) as first:
        begin(first, policy)
        with life(tmp_path, 7_000.0, BEGAN + timedelta(seconds=AWAY)) as second:
            go_on(second)
            second.connect(back, 12.0)  # the last seconds once more, and what was said meanwhile
            second.speak(part(12.0, 25.0), back, 22, pace=20.0)
            voices = second.session.continuation.sound_state()[1].voices
    # The state is of 14 s: the second after it is analysed again.
    times = [o.time for o in first.heard[:28] + second.heard]
    assert times == pytest.approx([n / 2 for n in range(1, 51)])
    assert all(o.level is not None for o in second.heard)
    assert set(first.voices) == set(second.voices) == {1, 2}
    assert [one.number for one in voices.speakers] == [1, 2]


def test_sound_that_nobody_kept_is_told_as_a_gap(tmp_path: Path, policy: Policy) -> None:
    back = 14.0 + AWAY
    with life(tmp_path, 100.0, BEGAN) as first:
        begin(first, policy)
        with life(tmp_path, 7_000.0, BEGAN + timedelta(seconds=AWAY)) as second:
            go_on(second)
            second.connect(back, back)
            second.speak(part(12.0, 14.0), back, 5)
            counts = second.session.audio
    gap, *heard = second.heard
    assert (gap.level, gap.time, gap.duration) == (None, back, AWAY)
    assert [o.time for o in heard] == pytest.approx([back + n / 2 for n in range(1, 5)])
    assert (counts.received, counts.missing) == pytest.approx((16.0, AWAY))


@pytest.mark.parametrize("policy", ["no_biometrics"], indirect=True)
def test_where_no_biometrics_are_kept_the_candidate_is_enrolled_anew(
    tmp_path: Path, policy: Policy
) -> None:
    back = 14.0 + AWAY
    with life(tmp_path, 100.0, BEGAN) as first:
        begin(first, policy)
        before = {one.number for one in first.session.open_incidents}
        with life(tmp_path, 7_000.0, BEGAN + timedelta(seconds=AWAY)) as second:
            go_on(second)
            second.connect(back, back)
            second.speak(part(18.0, 25.0), back, 15)
            told = second.session.open_incidents
    assert set(first.voices) == {1, 2}
    assert set(second.voices) == {1}
    enrolments = [o.diarization.enrolment for o in second.heard if o.diarization]
    assert enrolments[0] == 0.0
    assert enrolments[-1] > 0.6
    # What ran goes on; that the voice is learned anew starts nothing.
    assert {one.number for one in told if one.kind.startswith("audio.")} <= before
