"""One sitting, on real analysers, with the test's own time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from threading import Event

import pytest
from benchmarks.bombs import many_scans
from tests.session.conftest import BLIND, TIMEOUT, FakeSocket, SessionUnderTest

from proctoring.audio.analyser import AudioAnalyser
from proctoring.errors import BadFrameError
from proctoring.incidents import IncidentState
from proctoring.session.lifetime import Lifetime
from proctoring.session.load import SessionRate, Slowed
from proctoring.session.media_monitor import MISSING_AFTER
from proctoring.session.media_source import SessionState
from proctoring.session.messages import ReceivedFrame
from proctoring.session.session_metrics import SessionMetrics
from proctoring.session.worker import REFUSED_SHARE, SessionWorker
from proctoring.session.worker_pool import SerialQueue, WorkerPool
from proctoring.vision import decode
from proctoring.vision.analyser import FrameAnalysis, VisionAnalyser
from proctoring.vision.decode import read_jpeg
from proctoring.vision.frame import Frame
from proctoring.vision.jpeg_structure import MAX_SCANS
from proctoring.vision.networks import VisionModels

MakeSession = Callable[..., SessionUnderTest]


def is_over(live: SessionUnderTest) -> bool:
    return live.session.state is SessionState.ENDED


def test_a_frame_is_decoded_seen_and_answered(
    make_session: MakeSession, vision_models: VisionModels, face_jpeg: bytes
) -> None:
    live, socket = make_session(vision_models), FakeSocket()
    live.session.receive_frame(face_jpeg, None, socket, now=5.0)
    analysis = socket.next()
    assert analysis.observation.time == 0
    assert len(analysis.observation.faces) == 1
    assert live.session.frames.analysed == 1


def test_nobody_there_becomes_an_incident_and_the_end_ends_it(
    make_session: MakeSession, vision_models: VisionModels, empty_jpeg: bytes
) -> None:
    live, socket = make_session(vision_models), FakeSocket()
    for i in range(40):
        live.session.receive_frame(empty_jpeg, None, socket, now=i / 10)
        socket.next()
    time, (started,) = live.next()
    assert (started.kind, started.state) == ("face.absent", IncidentState.STARTED)
    assert time == pytest.approx(3.0, abs=0.11)
    assert [one.kind for one in live.session.open_incidents] == ["face.absent"]
    live.session.end("ended on request", now=4.5)
    live.session.done.result(TIMEOUT)
    time, (ended,) = live.next()
    assert (ended.number, ended.state) == (started.number, IncidentState.ENDED)
    assert time == pytest.approx(4.5)
    assert live.session.open_incidents == ()
    assert live.session.last_alert == started
    assert live.ends == ["ended on request"]


def test_others_are_slowed_down_before_a_session_with_a_pending_incident(
    make_session: MakeSession,
    vision_models: VisionModels,
    pool: WorkerPool,
    empty_jpeg: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[bool] = []
    make = pool.serial_queue

    def observed(step: Callable[[], None], *, background: bool = False) -> SerialQueue:
        return replace(make(step, background=background), set_suspicious=told.append)

    monkeypatch.setattr(pool, "serial_queue", observed)
    live, socket = make_session(vision_models), FakeSocket()
    for i in range(10):  # nobody there, not long enough for an incident
        live.session.receive_frame(empty_jpeg, None, socket, now=i / 10)
        socket.next()
    assert live.session.open_incidents == ()
    assert told[-1]


def test_a_newer_frame_replaces_one_that_waits(
    make_session: MakeSession, pool: WorkerPool, face_jpeg: bytes
) -> None:
    gate = Event()
    for _ in range(2):  # both workers are busy elsewhere
        pool.serial_queue(lambda: [gate.wait(TIMEOUT)].clear()).schedule()
    live, socket = make_session(), FakeSocket()
    for i in range(5):
        live.session.receive_frame(face_jpeg, None, socket, now=float(i))
    gate.set()
    assert socket.next().observation.time == 4.0
    assert (live.session.frames.received, live.session.frames.replaced) == (5, 4)


def test_frames_sooner_than_due_are_not_even_decoded(
    make_session: MakeSession, vision_models: VisionModels, face_jpeg: bytes
) -> None:
    live, socket = make_session(vision_models), FakeSocket()
    live.session.receive_frame(face_jpeg, None, socket, now=0.0)
    socket.next()
    live.session.receive_frame(b"\xff\xd8 not decoded, so not refused", None, socket, now=0.005)
    live.session.receive_frame(face_jpeg, None, socket, now=0.1)
    assert isinstance(socket.next(), FrameAnalysis)
    frames = live.session.frames
    assert (frames.analysed, frames.skipped + frames.replaced, frames.refused) == (2, 1, 0)


def test_pictures_that_only_cost_time_get_a_tenth_of_a_worker(
    make_session: MakeSession, face_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "SCANNED_PER_SECOND", float("inf"))
    # A tenth of what decoding takes: with the real limit a quick machine was done just before it.
    limited = partial(read_jpeg, max_seconds=0.02)
    monkeypatch.setattr("proctoring.session.worker.read_jpeg", limited)
    live, socket = make_session(), FakeSocket()
    slow = many_scans(3840, 2160, MAX_SCANS)  # refused after that time
    for arrival in (0.0, 0.01, 0.05, 0.02 / REFUSED_SHARE - 0.01):
        live.session.receive_frame(slow, None, socket, now=arrival)
    assert "longer than" in socket.next().detail
    live.session.receive_frame(face_jpeg, None, socket, now=0.02 / REFUSED_SHARE + 9.0)
    assert isinstance(socket.next(), FrameAnalysis)
    frames = live.session.frames
    assert (frames.refused, frames.analysed) == (1, 1)


def test_a_broken_frame_is_refused_and_the_next_is_seen(
    make_session: MakeSession, vision_models: VisionModels, face_jpeg: bytes
) -> None:
    live, socket = make_session(vision_models), FakeSocket()
    live.session.receive_frame(face_jpeg[:2000], None, socket, now=0.0)
    assert isinstance(socket.next(), BadFrameError)
    live.session.receive_frame(face_jpeg, None, socket, now=0.1)
    assert isinstance(socket.next(), FrameAnalysis)
    assert live.session.frames.refused == 1


class FailsOnce(VisionAnalyser):
    """The real analyser, but for one frame."""

    failed = False

    def analyse_immediate(self, frame: Frame, *, allow_deferred: bool = True) -> FrameAnalysis:
        if not self.failed:
            self.failed = True
            raise RuntimeError("on purpose")
        return super().analyse_immediate(frame, allow_deferred=allow_deferred)


def test_an_analyser_that_fails_costs_that_frame_is_counted_and_logs_no_media(
    make_session: MakeSession,
    vision_models: VisionModels,
    face_jpeg: bytes,
    metrics: SessionMetrics,
    caplog: pytest.LogCaptureFixture,
) -> None:
    live, socket = make_session(analyser=FailsOnce(vision_models)), FakeSocket()
    live.session.receive_frame(face_jpeg, None, socket, now=0.0)
    assert socket.next() == "failed"
    live.session.receive_frame(face_jpeg, None, socket, now=0.1)
    assert isinstance(socket.next(), FrameAnalysis)
    assert live.session.frames.failed == 1
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "on purpose" in str(record.exc_info)
    assert "exam-7" not in caplog.text
    assert len(caplog.text) < 5000


class Unreachable(FakeSocket):
    """A sender to whom nothing can be said."""

    def analysed(self, frame: ReceivedFrame, analysis: FrameAnalysis, decode_ms: float) -> None:
        super().analysed(frame, analysis, decode_ms)
        raise OSError("gone")

    def refused(self, error: BadFrameError) -> None:
        super().refused(error)
        raise OSError("gone")

    def failed(self) -> None:
        super().failed()
        raise OSError("gone")


def test_a_reply_that_fails_stops_no_later_frame_and_no_message(
    make_session: MakeSession, pool: WorkerPool, vision_models: VisionModels, face_jpeg: bytes
) -> None:
    live, socket = make_session(analyser=FailsOnce(vision_models)), Unreachable()
    live.session.receive_frame(face_jpeg, None, socket, now=0.0)
    assert socket.next() == "failed"
    live.session.receive_frame(face_jpeg[:2000], None, socket, now=0.1)
    assert isinstance(socket.next(), BadFrameError)
    for now in (0.2, 0.3):
        live.session.receive_frame(face_jpeg, None, socket, now=now)
        assert isinstance(socket.next(), FrameAnalysis)
    live.session.end("over", 1.0)
    live.session.done.result(TIMEOUT)
    frames = live.session.frames
    assert (frames.analysed, frames.refused, frames.failed) == (2, 1, 1)
    assert pool.failures == 0


def test_lost_media_is_an_incident_that_ends_when_it_is_back(
    make_session: MakeSession, face_jpeg: bytes
) -> None:
    live, socket = make_session(), FakeSocket()
    live.session.attach_video(socket, 0.0)
    live.session.receive_frame(face_jpeg, None, socket, now=0.0)
    now = 0.0
    while now < 10:
        now += 0.25
        live.session.tick(now)
    time, (started,) = live.next()
    assert (started.kind, started.state) == ("session.connection_lost", IncidentState.STARTED)
    assert MISSING_AFTER + 5 <= time <= MISSING_AFTER + 6.5
    live.session.receive_frame(face_jpeg, None, socket, now=12.0)
    time, (ended,) = live.next()
    assert (ended.kind, ended.state) == ("session.connection_lost", IncidentState.ENDED)
    assert time == pytest.approx(12.0)


def test_before_the_first_media_nothing_is_lost(make_session: MakeSession) -> None:
    live = make_session(awaited=True)
    for now in range(600):
        live.session.tick(float(now))
    assert not is_over(live)
    assert live.session.media_time is None
    assert live.published.empty()


def test_minutes_without_frames_leave_a_session_with_an_open_socket_alive(
    make_session: MakeSession, face_jpeg: bytes
) -> None:
    live, socket = make_session(lifetime=Lifetime(grace=30, patience=3600)), FakeSocket()
    live.session.attach_video(socket, 0.0)
    live.session.receive_frame(face_jpeg, None, socket, now=1.0)
    for now in range(600):
        live.session.tick(float(now))
    assert not is_over(live)
    assert socket.told == []


LIFETIME = Lifetime(grace=30, patience=600)


def test_a_session_ends_a_grace_after_its_media_and_socket_are_gone(
    make_session: MakeSession, face_jpeg: bytes
) -> None:
    live, socket = make_session(lifetime=LIFETIME), FakeSocket()
    live.session.attach_video(socket, 0.0)
    live.session.receive_frame(face_jpeg, None, socket, now=1.0)
    live.session.listener_joined(2.0)  # who only listens does not keep it
    live.session.detach_video(socket, 100.0)
    live.session.tick(129.0)
    assert not is_over(live)
    live.session.tick(130.0)
    assert is_over(live)
    live.session.done.result(TIMEOUT)
    assert live.ends == ["no media arrived for too long"]


@pytest.mark.parametrize(
    ("awaited", "listens", "ends_at"), [(False, False, 30), (True, False, 600), (False, True, 600)]
)
def test_before_media_a_session_waits_as_long_as_somebody_waits_for_it(
    make_session: MakeSession, awaited: bool, listens: bool, ends_at: float
) -> None:
    live = make_session(lifetime=LIFETIME, awaited=awaited)
    if listens:
        live.session.listener_joined(0.0)
    live.session.tick(ends_at - 1)
    assert not is_over(live)
    live.session.tick(ends_at)
    assert is_over(live)


def test_the_newer_of_two_sockets_wins_and_the_older_is_told(make_session: MakeSession) -> None:
    live, older, newer = make_session(), FakeSocket(), FakeSocket()
    live.session.attach_video(older, 0.0)
    live.session.attach_video(newer, 1.0)
    assert (older.told, newer.told) == (["replaced"], [])
    live.session.detach_video(older, 2.0)
    assert live.session.has_video
    live.session.end("over", 3.0)
    assert newer.told == ["ended: over"]
    assert older.told == ["replaced"]


def test_what_comes_after_the_end_is_not_looked_at(
    make_session: MakeSession, face_jpeg: bytes
) -> None:
    live, socket = make_session(BLIND), FakeSocket()
    live.session.end("over", 1.0)
    live.session.end("again", 1.5)
    live.session.receive_frame(face_jpeg, None, socket, now=2.0)
    live.session.tick(1e6)
    live.session.done.result(TIMEOUT)
    assert live.session.frames.received == 0
    assert live.ends == ["over"]


def test_a_socket_is_told_how_fast_to_send_when_it_opens_and_when_that_changes(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, socket = make_session(), FakeSocket()
    live.session.attach_video(socket, 0.0)
    live.session.tick(1.0)
    assert socket.flows == [(1.0, Slowed.NO)]
    slow = SessionRate(0.5, limit=0.5)
    monkeypatch.setattr(SessionWorker, "decided", property(lambda _: slow))
    live.session.tick(2.0)
    live.session.tick(3.0)
    assert socket.flows == [(1.0, Slowed.NO), (0.5, Slowed.FRAME_COST)]


@pytest.mark.parametrize("broken", ["__init__", "push", "flush"])
def test_audio_analysis_that_fails_keeps_no_session_from_ending(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(AudioAnalyser, broken, fail)
    live, socket = make_session(), FakeSocket()
    live.session.attach_audio(socket, socket, None, 0.0)
    live.session.receive_audio(socket, bytes(64_000), 0.0)
    live.session.end("over", 1.0)
    live.session.done.result(TIMEOUT)
    assert live.ends == ["over"]
