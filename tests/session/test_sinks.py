"""Sinks get every outcome of a session exactly once, in order, whatever another sink does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from threading import Event, Lock

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from tests.session.conftest import BLIND, TIMEOUT, FakeSocket, SessionUnderTest

from proctoring.errors import BadFrameError
from proctoring.judgement.policy import shipped_policy
from proctoring.observations import Box, Detection, ObjectDetections
from proctoring.session.messages import ReceivedFrame, SessionEnd
from proctoring.session.outcomes import (
    AudioReceived,
    DeferredAnalysed,
    FrameAnalysed,
    FrameReceived,
    JudgementUpdate,
    Outcome,
    SessionEnded,
    SinkFailed,
)
from proctoring.session.pipeline import Pipeline
from proctoring.session.session_metrics import SessionMetrics
from proctoring.session.sinks import Sinks
from proctoring.session.worker import SessionWorker
from proctoring.session.worker_pool import WorkerPool
from proctoring.settings import Settings
from proctoring.vision.analyser import FrameAnalysis, VisionAnalyser
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.networks import VisionModels
from proctoring.vision.steps import Steps

MakeSession = Callable[..., SessionUnderTest]


class Recorder:
    """A new consumer, of which the session knows nothing."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self._lock = Lock()

    def accept(self, outcome: Outcome) -> None:
        with self._lock:
            self.outcomes.append(outcome)

    @property
    def names(self) -> Counter[str]:
        return Counter(type(outcome).__name__ for outcome in self.outcomes)


class Broken:
    """Fails on everything."""

    def accept(self, outcome: Outcome) -> None:
        raise RuntimeError(f"on purpose: {type(outcome).__name__}")


class FailsAt(VisionAnalyser):
    """The real analyser, but for the frame of one media time."""

    def analyse_immediate(self, frame: Frame, *, allow_deferred: bool = True) -> FrameAnalysis:
        if frame.time == 3.0:
            raise RuntimeError("on purpose")
        return super().analyse_immediate(frame, allow_deferred=allow_deferred)


def test_a_new_sink_sees_every_outcome_once(
    make_session: MakeSession, vision_models: VisionModels, face_jpeg: bytes
) -> None:
    recorder, registry = Recorder(), CollectorRegistry()
    analyser = FailsAt(replace(vision_models, objects=None))
    live, socket = (
        make_session(analyser=analyser, sinks=[recorder], metrics=SessionMetrics(registry)),
        FakeSocket(),
    )
    session = live.session
    session.receive_frame(face_jpeg, None, socket, now=0.0)  # analysed
    socket.next()
    session.receive_frame(face_jpeg, None, socket, now=0.001)  # nothing is due yet
    while recorder.names["FrameSkipped"] == 0:
        Event().wait(0.01)
    session.receive_frame(face_jpeg[:2000], None, socket, now=2.0)  # cannot be decoded
    assert isinstance(socket.next(), BadFrameError)
    session.receive_frame(face_jpeg, None, socket, now=3.0)  # fails
    assert socket.next() == "failed"
    session.frame_limited()
    session.message_refused(BadFrameError("no picture"), 3.0)
    session.attach_audio(socket, socket, None, 3.0)
    session.receive_audio(socket, np.zeros(1600, np.int16).tobytes(), 3.1)
    session.end("over", 4.0)
    session.done.result(TIMEOUT)

    names = recorder.names
    updates = names.pop("JudgementUpdate")
    assert names == {
        "FrameReceived": 4,
        "FrameAnalysed": 1,
        "FrameSkipped": 1,
        "FrameRefused": 1,
        "FrameFailed": 1,
        "FrameLimited": 1,
        "MessageRefused": 1,
        "AudioReceived": 1,
        "SessionEnded": 1,
    }
    assert updates >= 2  # of the frame and of the end
    assert isinstance(recorder.outcomes[-1], SessionEnded)

    frames = session.frames
    assert (frames.received, frames.analysed, frames.skipped) == (4, 1, 1)
    assert (frames.refused, frames.failed, frames.replaced) == (1, 1, 0)
    assert session.audio.received == pytest.approx(0.1)
    counted = {
        name: registry.get_sample_value(f"proctoring_frames_{name}_total")
        for name in ("received", "skipped", "refused", "failed", "limited", "replaced")
    }
    # What is no frame at all is refused too; it was never received.
    assert counted == {
        "received": 4,
        "skipped": 1,
        "refused": 2,
        "failed": 1,
        "limited": 1,
        "replaced": 0,
    }
    assert registry.get_sample_value("proctoring_frame_latency_seconds_count") == 1


def test_every_received_frame_has_one_more_outcome(
    make_session: MakeSession, pool: WorkerPool, face_jpeg: bytes
) -> None:
    gate = Event()
    for _ in range(2):  # both workers are busy elsewhere
        pool.serial_queue(lambda: [gate.wait(TIMEOUT)].clear()).schedule()
    recorder = Recorder()
    live, socket = make_session(sinks=[recorder]), FakeSocket()
    for i in range(5):
        live.session.receive_frame(face_jpeg, None, socket, now=float(i))
    gate.set()
    socket.next()
    frames = [outcome.frame for outcome in recorder.outcomes if isinstance(outcome, FrameReceived)]
    others = [
        outcome.frame
        for outcome in recorder.outcomes
        if not isinstance(outcome, FrameReceived) and hasattr(outcome, "frame")
    ]
    assert [frame.time for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.time for frame in others] == [0, 1, 2, 3, 4]
    assert recorder.names["FrameReplaced"] == 4


def test_a_frame_whose_turn_does_not_come_before_the_end_is_skipped(
    pool: WorkerPool, face_jpeg: bytes
) -> None:
    """It waits while the step that handles the end still analyses the frame before it."""

    def frame(time: float) -> ReceivedFrame:
        return ReceivedFrame(face_jpeg, time, None, time, FakeSocket())

    class EndsTheSession:
        def accept(self, outcome: Outcome) -> None:
            if isinstance(outcome, FrameAnalysed):
                worker.post_frame(frame(1.0))
                worker.post(SessionEnd(2.0, "over"))
            elif isinstance(outcome, SessionEnded):
                ended.set()

    recorder, ended = Recorder(), Event()
    worker = SessionWorker(
        Pipeline(shipped_policy("exam"), VisionAnalyser(BLIND)),
        Sinks((recorder, EndsTheSession())),
        pool,
        max_pixels=Settings().max_frame_pixels,
    )
    worker.post_frame(frame(0.0))
    assert ended.wait(TIMEOUT)
    assert (recorder.names["FrameAnalysed"], recorder.names["FrameSkipped"]) == (1, 1)
    assert isinstance(recorder.outcomes[-1], SessionEnded)


def test_a_frame_is_analysed_before_what_it_changed_and_a_deferred_detection_too(
    make_session: MakeSession, face_jpeg: bytes
) -> None:
    phone = ObjectDetections((Detection("cell phone", 0.9, Box(1, 2, 3, 4)),), (), "seen by hand")

    def objects(_: Pixels, **__: bool) -> Steps[ObjectDetections]:
        yield
        return phone

    recorder = Recorder()
    live, socket = make_session(replace(BLIND, objects=objects), sinks=[recorder]), FakeSocket()
    live.session.receive_frame(face_jpeg, None, socket, now=0.0)
    socket.next()
    live.session.end("over", 1.0)
    live.session.done.result(TIMEOUT)
    outcomes = recorder.outcomes
    first, analysed, deferred, end = (o for o in outcomes if not isinstance(o, JudgementUpdate))
    assert isinstance(first, FrameReceived)
    assert isinstance(analysed, FrameAnalysed)
    assert analysed.deferred
    assert isinstance(deferred, DeferredAnalysed)
    assert deferred.observation.objects == phone
    assert isinstance(end, SessionEnded)
    # What arrives is judged too, but never between an observation and what it changed.
    after = [outcomes[outcomes.index(each) + 1] for each in (analysed, deferred)]
    updates = [each for each in (*after, outcomes[-2]) if isinstance(each, JudgementUpdate)]
    assert [each.time for each in updates] == [0.0, 0.0, 1.0]


def test_audio_is_given_once_with_its_media_time(make_session: MakeSession) -> None:
    recorder = Recorder()
    live, socket = make_session(sinks=[recorder]), FakeSocket()
    live.session.attach_audio(socket, socket, None, 0.0)
    for n in range(3):
        live.session.receive_audio(socket, np.full(1600, n, np.int16).tobytes(), now=n / 10)
    live.session.end("over", 1.0)
    live.session.done.result(TIMEOUT)
    audio = [each for each in recorder.outcomes if isinstance(each, AudioReceived)]
    assert [each.time for each in audio] == pytest.approx([0.0, 0.1, 0.2])
    assert [int(each.samples[0]) for each in audio] == [0, 1, 2]
    assert sum(each.seconds for each in audio) == pytest.approx(live.session.audio.received)


def test_a_sink_that_fails_costs_neither_the_session_nor_the_sinks_after_it(
    make_session: MakeSession, face_jpeg: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    recorder, registry = Recorder(), CollectorRegistry()
    live, socket = (
        make_session(sinks=[Broken(), recorder], metrics=SessionMetrics(registry)),
        FakeSocket(),
    )
    live.session.receive_frame(face_jpeg, None, socket, now=0.0)
    assert isinstance(socket.next(), FrameAnalysis)
    live.session.end("over", 1.0)
    live.session.done.result(TIMEOUT)
    names = recorder.names
    assert (names["FrameReceived"], names["FrameAnalysed"], names["SessionEnded"]) == (1, 1, 1)
    assert names["SinkFailed"] == sum(names.values()) - names["SinkFailed"]
    failures = registry.get_sample_value("proctoring_judgement_errors_total")
    assert failures == names["SinkFailed"]
    assert "exam-7" not in caplog.text


def test_a_sink_that_fails_on_failures_does_not_repeat_for_ever() -> None:
    recorder, outcome = Recorder(), SessionEnded(0.0, "over", None)
    Sinks([Broken(), recorder]).emit(outcome)
    assert recorder.outcomes == [SinkFailed(), outcome]
