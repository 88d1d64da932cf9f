"""A session over real analysers, whose time is the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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

from proctoring.audio.analyser import AudioModels
from proctoring.delivery.events import Notice, SittingRef
from proctoring.errors import BadFrameError
from proctoring.incidents import IncidentChange
from proctoring.judgement.policy import shipped_policy
from proctoring.observations import SoundObservation
from proctoring.session.pipeline import Pipeline
from proctoring.session.pool import Pool
from proctoring.session.session import Arrival, Lifetime, Session
from proctoring.session.tally import Tally
from proctoring.settings import Settings
from proctoring.vision.analyser import FrameAnalysis, VisionAnalyser
from proctoring.vision.networks import VisionModels

TIMEOUT = 20.0
"""Seconds after which a test that waits fails."""

BLIND = VisionModels(faces=None, objects=None, capabilities=())
"""What an installation without any model can see: frames are decoded, nothing is looked for."""


DEAF = AudioModels(voice_activity=None, speakers=None, capabilities=())
"""What an installation without any model can hear: how loud it is."""


@dataclass
class Heard:
    """A socket's end of a session: remembers what it is told."""

    replies: Queue[Any] = field(default_factory=Queue)
    told: list[str] = field(default_factory=list)
    flows: list[float] = field(default_factory=list)

    def analysed(self, arrival: Arrival, analysis: FrameAnalysis, decode_ms: float) -> None:
        assert arrival.data
        assert decode_ms > 0
        self.replies.put(analysis)

    def refused(self, error: BadFrameError) -> None:
        self.replies.put(error)

    def failed(self) -> None:
        self.replies.put("failed")

    def heard(self, observation: SoundObservation) -> None:
        self.replies.put(observation)

    def flow(self, rate: float) -> None:
        self.flows.append(rate)

    def replaced(self) -> None:
        self.told.append("replaced")

    def ended(self, detail: str) -> None:
        self.told.append(f"ended: {detail}")

    def next(self) -> Any:
        """What became of the next frame."""
        return self.replies.get(timeout=TIMEOUT)


@dataclass
class Sat:
    """A session and everything that came out of it."""

    session: Session
    published: Queue[tuple[float, tuple[IncidentChange, ...]]]
    ends: list[str]
    notices: Queue[Notice]
    """What was told beside incidents."""

    def next(self) -> tuple[float, tuple[IncidentChange, ...]]:
        """What is published next: media time and changes."""
        return self.published.get(timeout=TIMEOUT)


@pytest.fixture
def pool() -> Iterator[Pool]:
    """Two workers."""
    pool = Pool(2)
    pool.start()
    yield pool
    assert pool.stop(TIMEOUT)


@pytest.fixture
def tally() -> Tally:
    """Counts of one test."""
    return Tally(CollectorRegistry())


@pytest.fixture
def sit(pool: Pool, tally: Tally) -> Callable[..., Sat]:
    """Makes a session that began at second 0."""

    def make(models: VisionModels = BLIND, audio: AudioModels = DEAF, **options: Any) -> Sat:
        published: Queue[tuple[float, tuple[IncidentChange, ...]]] = Queue()
        ends: list[str] = []
        notices: Queue[Notice] = Queue()

        def publish(
            _: SittingRef, time: float, changes: tuple[IncidentChange, ...], notice: Notice | None
        ) -> None:
            if changes:
                published.put((time, changes))
            if notice is not None:
                notices.put(notice)

        def ended(detail: str) -> Future[None]:
            ends.append(detail)
            told: Future[None] = Future()
            told.set_result(None)
            return told

        analyser = options.pop("analyser", None) or VisionAnalyser(models)
        session = Session(
            SittingRef(options.pop("session_id", "exam-7"), datetime(2026, 1, 2, 10, tzinfo=UTC)),
            pipeline=Pipeline(options.pop("policy", None) or shipped_policy("exam"), analyser),
            pool=pool,
            publish=publish,
            ended=lambda _sitting, _time, detail, _face: ended(detail),
            tally=options.pop("tally", tally),
            audio=audio,
            now=0.0,
            max_pixels=Settings().max_frame_pixels,
            **{"lifetime": Lifetime(), **options},
        )
        return Sat(session, published, ends, notices)

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
