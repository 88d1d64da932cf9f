"""Object detection beside the frames of a session: frames do not wait for it, no result is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Event

import pytest
from prometheus_client import CollectorRegistry
from tests.session.conftest import BLIND, TIMEOUT, FakeSocket, SessionUnderTest

from proctoring.incidents import IncidentState
from proctoring.observations import Box, Detection, ObjectDetections
from proctoring.session.session_metrics import SessionMetrics
from proctoring.vision.frame import Pixels
from proctoring.vision.steps import Steps

MakeSession = Callable[..., SessionUnderTest]
PHONE = ObjectDetections((Detection("cell phone", 0.9, Box(1, 2, 3, 4)),), (), "seen by hand")


def sees_a_phone(_: Pixels, **__: bool) -> Steps[ObjectDetections]:
    yield
    return PHONE


def until_told(
    live: SessionUnderTest, socket: FakeSocket, jpeg: bytes, at: float
) -> ObjectDetections:
    """Send frames a tenth of a second apart until one's reply carries a detection of objects."""
    for n in range(100):
        live.session.receive_frame(jpeg, None, socket, now=at + n / 10)
        earlier = socket.next().earlier
        if earlier is not None:
            assert earlier.observation.faces is None  # it covers only what was detected
            found: ObjectDetections = earlier.observation.objects
            return found
        Event().wait(0.01)
    raise AssertionError("no detection was reported")


def test_frames_are_answered_while_a_deferred_detection_runs(
    make_session: MakeSession, face_jpeg: bytes
) -> None:
    going, gate = Event(), Event()

    def detect(_: Pixels, **__: bool) -> Steps[ObjectDetections]:
        going.set()
        gate.wait(TIMEOUT)
        yield
        return PHONE

    live, socket = make_session(replace(BLIND, objects=detect)), FakeSocket()
    live.session.receive_frame(face_jpeg, None, socket, now=0.0)
    assert socket.next().earlier is None
    assert going.wait(TIMEOUT)
    for n in range(1, 40):  # due again every second: one detection at a time all the same
        live.session.receive_frame(face_jpeg, None, socket, now=n / 10)
        assert socket.next().earlier is None
    gate.set()
    assert until_told(live, socket, face_jpeg, 4.0) == PHONE


def test_a_result_is_judged_at_the_time_of_its_frame_and_before_the_end(
    make_session: MakeSession, face_jpeg: bytes
) -> None:
    gates = [Event(), Event()]
    going = [Event(), Event()]
    looks = iter(zip(going, gates, strict=True))

    def detect(_: Pixels, **__: bool) -> Steps[ObjectDetections]:
        begun, gate = next(looks)
        begun.set()
        gate.wait(TIMEOUT)
        yield
        return PHONE

    live, socket = make_session(replace(BLIND, objects=detect)), FakeSocket()
    live.session.receive_frame(face_jpeg, None, socket, now=0.0)
    socket.next()
    gates[0].set()
    until_told(live, socket, face_jpeg, 0.1)
    live.session.receive_frame(face_jpeg, None, socket, now=3.0)
    assert socket.next()
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
    live, socket = make_session(replace(BLIND, objects=sees_a_phone)), FakeSocket()
    until_told(live, socket, face_jpeg, 0.0)
    until_told(live, socket, face_jpeg, 1.0)
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

    live, socket = (
        make_session(replace(BLIND, objects=detect), metrics=SessionMetrics(registry)),
        FakeSocket(),
    )
    live.session.receive_frame(face_jpeg, None, socket, now=0.0)
    socket.next()
    assert failed.wait(TIMEOUT)
    assert until_told(live, socket, face_jpeg, 1.0) == PHONE
    assert registry.get_sample_value("proctoring_deferred_detections_failed_total") == 1
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "a deferred detection failed"
    ]
    assert "exam-7" not in caplog.text
