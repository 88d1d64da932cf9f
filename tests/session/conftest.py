"""A session over real analysers, whose time is the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import Queue
from typing import Any

import numpy as np
import pytest
import simplejpeg
from prometheus_client import CollectorRegistry
from skimage import data

from proctoring.audio.networks import AudioModels
from proctoring.errors import BadFrameError
from proctoring.incidents import IncidentChange
from proctoring.judgement.policy import shipped_policy
from proctoring.observations import AudioObservation
from proctoring.records.entries import Notice, sitting_ref
from proctoring.session.config import SessionConfig, SessionResources
from proctoring.session.lifetime import Lifetime
from proctoring.session.load import Slowed
from proctoring.session.messages import ReceivedFrame
from proctoring.session.outcomes import JudgementUpdate, Outcome, SessionEnded
from proctoring.session.pipeline import Pipeline
from proctoring.session.session import Session
from proctoring.session.session_metrics import SessionMetrics
from proctoring.session.sinks import Sink
from proctoring.session.worker_pool import WorkerPool
from proctoring.settings import Settings
from proctoring.vision.analyser import FrameAnalysis, VisionAnalyser
from proctoring.vision.networks import VisionModels

TIMEOUT = 60.0
"""Seconds after which a test that waits fails."""

BLIND = VisionModels(faces=None, objects=None, capabilities=())
"""No vision models: frames are decoded and nothing is detected."""


DEAF = AudioModels(voice_activity=None, speakers=None, capabilities=())
"""No audio models: only the level is measured."""


@dataclass
class FakeSocket:
    """A media socket: records what the session sends to it."""

    replies: Queue[Any] = field(default_factory=Queue)
    told: list[str] = field(default_factory=list)
    flows: list[tuple[float, Slowed]] = field(default_factory=list)

    def analysed(self, frame: ReceivedFrame, analysis: FrameAnalysis, decode_ms: float) -> None:
        assert frame.data
        assert decode_ms > 0
        self.replies.put(analysis)

    def refused(self, error: BadFrameError) -> None:
        self.replies.put(error)

    def failed(self) -> None:
        self.replies.put("failed")

    def segment_analysed(self, observation: AudioObservation) -> None:
        self.replies.put(observation)

    def flow(self, rate: float, slowed: Slowed) -> None:
        self.flows.append((rate, slowed))

    def replaced(self) -> None:
        self.told.append("replaced")

    def moved(self, detail: str) -> None:
        self.told.append(f"moved: {detail}")

    def ended(self, detail: str) -> None:
        self.told.append(f"ended: {detail}")

    def next(self) -> Any:
        """The next reply."""
        return self.replies.get(timeout=TIMEOUT)


class FakePublisher:
    """The sink that publishes: records what it receives."""

    def __init__(self) -> None:
        self.changes: Queue[tuple[float, tuple[IncidentChange, ...]]] = Queue()
        self.notices: Queue[Notice] = Queue()
        self.ends: list[str] = []
        self.done: Future[None] = Future()

    def accept(self, outcome: Outcome) -> None:
        match outcome:
            case JudgementUpdate(time, changes, notice):
                if changes:
                    self.changes.put((time, changes))
                if notice is not None:
                    self.notices.put(notice)
            case SessionEnded(_, detail):
                self.ends.append(detail)
                self.done.set_result(None)


@dataclass
class SessionUnderTest:
    """A session and what it published."""

    session: Session
    published: Queue[tuple[float, tuple[IncidentChange, ...]]]
    ends: list[str]
    notices: Queue[Notice]
    """Published beside incidents."""

    def next(self) -> tuple[float, tuple[IncidentChange, ...]]:
        """The next published changes and their media time."""
        return self.published.get(timeout=TIMEOUT)


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    """Two workers."""
    pool = WorkerPool(2)
    pool.start()
    yield pool
    assert pool.stop(TIMEOUT)


@pytest.fixture
def metrics() -> SessionMetrics:
    """Metrics of one test."""
    return SessionMetrics(CollectorRegistry())


@pytest.fixture
def make_session(pool: WorkerPool, metrics: SessionMetrics) -> Callable[..., SessionUnderTest]:
    """Makes sessions that began at second 0."""

    def make(
        models: VisionModels = BLIND,
        audio: AudioModels = DEAF,
        *,
        sinks: Sequence[Sink] = (),
        **options: Any,
    ) -> SessionUnderTest:
        published = FakePublisher()
        analyser = options.pop("analyser", None) or VisionAnalyser(models)
        resources = SessionResources(pool, audio, options.pop("transcription", None))
        session_id = options.pop("session_id", "exam-7")
        session = Session(
            SessionConfig(
                sitting_ref(session_id, datetime(2026, 1, 2, 10, tzinfo=UTC)),
                lifetime=options.pop("lifetime", Lifetime()),
                max_pixels=Settings().max_frame_pixels,
                awaited=options.pop("awaited", False),
            ),
            resources,
            Pipeline(options.pop("policy", None) or shipped_policy("exam"), analyser),
            (options.pop("metrics", metrics), *sinks, published),
            done=published.done,
            now=0.0,
        )
        assert not options
        return SessionUnderTest(session, published.changes, published.ends, published.notices)

    return make


@pytest.fixture(scope="session")
def face_jpeg() -> bytes:
    """A 512 x 512 picture with one real face."""
    return jpeg("astronaut")


@pytest.fixture(scope="session")
def empty_jpeg() -> bytes:
    """A picture with nobody in it."""
    return jpeg("coffee")


def jpeg(name: str) -> bytes:
    """One of scikit-image's photographs as a JPEG."""
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(getattr(data, name)()), quality=85))
