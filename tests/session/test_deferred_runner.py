"""Object detection beside the frames of a session: frames do not wait for it, no result is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from queue import Queue
from threading import Event

import pytest
from prometheus_client import CollectorRegistry
from tests.session.conftest import BLIND, TIMEOUT, FakeSocket, SessionUnderTest

from proctoring.incidents import IncidentState
from proctoring.observations import Box, Detection, ObjectDetections
from proctoring.session.outcomes import DeferredAnalysed, DeferredFailed, Outcome
from proctoring.session.session_metrics import SessionMetrics
from proctoring.vision.frame import Pixels
from proctoring.vision.steps import Steps

MakeSession = Callable[..., SessionUnderTest]
PHONE = ObjectDetections((Detection("cell phone", 0.9, Box(1, 2, 3, 4)),), (), "seen by hand")


def sees_a_phone(_: Pixels, **__: bool) -> Steps[ObjectDetections]:
    yield
    return PHONE


class Looks:
    """A sink: waits for the ends of deferred detections."""

    def __init__(self) -> None:
        self._ends: Queue[Outcome] = Queue()

    def accept(self, outcome: Outcome) -> None:
        if isinstance(outcome, DeferredAnalysed | DeferredFailed):
            self._ends.put(outcome)

    def wait(self) -> None:
        """Until the next detection has ended."""
        self._ends.get(timeout=TIMEOUT)


def answer(
    live: SessionUnderTest, socket: FakeSocket, jpeg: bytes, at: float
) -> ObjectDetections | None:
    """Send a frame; the earlier detection of objects that its reply carries."""
    live.session.receive_frame(jpeg, None, socket, now=at)
    earlier = socket.next().earlier
    if earlier is None:
        return None
    assert earlier.observation.faces is None  # it covers only what was detected
    found: ObjectDetections = earlier.observation.objects
    return found


def test_frames_are_answered_while_a_deferred_detection_runs(
    make_session: MakeSession, face_jpeg: bytes
) -> None:
    going, gate = Event(), Event()

    def detect(_: Pixels, **__: bool) -> Steps[ObjectDetections]:
        going.set()
        gate.wait(TIMEOUT)
        yield
        return PHONE

    looks, socket = Looks(), FakeSocket()
    live = make_session(replace(BLIND, objects=detect), sinks=[looks])
    assert answer(live, socket, face_jpeg, 0.0) is None
    assert going.wait(TIMEOUT)
    for n in range(1, 40):  # due again every second: one detection at a time all the same
        assert answer(live, socket, face_jpeg, n / 10) is None
    gate.set()
    looks.wait()
    assert answer(live, socket, face_jpeg, 4.0) == PHONE


def test_a_result_is_judged_at_the_time_of_its_frame_and_before_the_end(
    make_session: MakeSession, face_jpeg: bytes
) -> None:
    gates = [Event(), Event()]
    going = [Event(), Event()]
    turns = iter(zip(going, gates, strict=True))

    def detect(_: Pixels, **__: bool) -> Steps[ObjectDetections]:
        begun, gate = next(turns)
        begun.set()
        gate.wait(TIMEOUT)
        yield
        return PHONE

    looks, socket = Looks(), FakeSocket()
    live = make_session(replace(BLIND, objects=detect), sinks=[looks])
    answer(live, socket, face_jpeg, 0.0)
    gates[0].set()
    looks.wait()
    assert answer(live, socket, face_jpeg, 0.1) == PHONE
    answer(live, socket, face_jpeg, 3.0)
    assert going[1].wait(TIMEOUT)
    live.session.end("over", 4.0)
    assert live.published.empty()
    gates[1].set()
    live.session.done.result(TIMEOUT)
    (looked, (started,)), (over, (ended,)) = live.next(), live.next()
    assert (started.kind, ended.state) == ("object.phone", IncidentState.ENDED)
    assert (looked, over) == (3.0, 4.0)
    assert live.ends == ["over"]


def test_two_detections_of_a_phone_are_an_incident(
    make_session: MakeSession, face_jpeg: bytes
) -> None:
    looks, socket = Looks(), FakeSocket()
    live = make_session(replace(BLIND, objects=sees_a_phone), sinks=[looks])
    for at in (0.0, 1.0):
        answer(live, socket, face_jpeg, at)
        looks.wait()
        assert answer(live, socket, face_jpeg, at + 0.1) == PHONE
    time, (started,) = live.next()
    assert (started.kind, started.state) == ("object.phone", IncidentState.STARTED)
    assert started.started_at == 0.0
    assert time >= 0.5
    live.session.end("over", 30.0)
    live.session.done.result(TIMEOUT)


def test_a_deferred_detection_that_fails_is_counted_and_affects_no_other(
    make_session: MakeSession, face_jpeg: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    registry = CollectorRegistry()
    failed = Event()

    def detect(_: Pixels, **__: bool) -> Steps[ObjectDetections]:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("on purpose")
        yield
        return PHONE

    looks, socket = Looks(), FakeSocket()
    live = make_session(
        replace(BLIND, objects=detect), metrics=SessionMetrics(registry), sinks=[looks]
    )
    for at in (0.0, 1.0):
        assert answer(live, socket, face_jpeg, at) is None
        looks.wait()
    assert answer(live, socket, face_jpeg, 1.1) == PHONE
    assert registry.get_sample_value("proctoring_deferred_detections_failed_total") == 1
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "a deferred detection failed"
    ]
    assert "exam-7" not in caplog.text
