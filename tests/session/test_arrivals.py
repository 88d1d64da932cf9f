"""What a session tells of media that stops and of frames that nobody analyses."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import numpy as np
import pytest
from tests.session.conftest import BLIND, TIMEOUT, FakeSocket, SessionUnderTest

from proctoring.errors import BadFrameError
from proctoring.incidents import IncidentChange, IncidentState
from proctoring.session.outcomes import JudgementUpdate, Outcome
from proctoring.vision.analyser import FrameAnalysis, VisionAnalyser
from proctoring.vision.frame import Frame

MakeSession = Callable[..., SessionUnderTest]
ROOM = np.random.default_rng(0).normal(0, 20, 8000).astype("<i2").tobytes()
"""Half a second of noise."""


def next_of(live: SessionUnderTest, kind: str) -> IncidentChange:
    """The next change of this kind."""
    while True:
        _, changes = live.next()
        for change in changes:
            if change.kind == kind:
                return change


class Stuck(VisionAnalyser):
    """The real analyser, which does not return from the third frame until it is released."""

    def __init__(self) -> None:
        super().__init__(BLIND)
        self.frames = 0
        self.stuck = Event()
        self.released = Event()

    def analyse_immediate(self, frame: Frame, *, allow_deferred: bool = True) -> FrameAnalysis:
        self.frames += 1
        if self.frames == 3:
            self.stuck.set()
            self.released.wait(TIMEOUT)
        return super().analyse_immediate(frame, allow_deferred=allow_deferred)


class Updates:
    """A sink: whether earlier frames may still be analysed, by media time."""

    def __init__(self) -> None:
        self.pending: dict[float, bool] = {}

    def accept(self, outcome: Outcome) -> None:
        if isinstance(outcome, JudgementUpdate):
            self.pending[outcome.time] = outcome.frames_pending


def test_an_analysis_that_does_not_return_is_told_while_it_lasts(
    make_session: MakeSession, face_jpeg: bytes
) -> None:
    analyser, socket, updates = Stuck(), FakeSocket(), Updates()
    live = make_session(analyser=analyser, sinks=[updates])
    for n in range(20):
        live.session.receive_frame(face_jpeg, None, socket, now=n / 2)
        if n < 2:
            socket.next()
        elif n == 2:
            assert analyser.stuck.wait(TIMEOUT)
        live.session.tick(n / 2 + 0.25)
    started = next_of(live, "session.not_analysed")
    assert not analyser.released.is_set()
    overtaking = [pending for time, pending in updates.pending.copy().items() if time > 1.0]
    assert overtaking
    assert all(overtaking), "evidence would be made without the frame that is being analysed"
    assert started.started_at == pytest.approx(2.5, abs=0.3)
    assert "replaced by newer ones" in started.reason
    told = live.session.guidance["media"]["problems"]
    assert [problem["code"] for problem in told] == ["not_analysed"]
    analyser.released.set()
    socket.next()
    for n in range(20, 30):
        live.session.receive_frame(face_jpeg, None, socket, now=n / 2)
        socket.next()
        live.session.tick(n / 2 + 0.25)
    ended = next_of(live, "session.not_analysed")
    assert (ended.number, ended.state) == (started.number, IncidentState.ENDED)


def test_pictures_that_are_all_unreadable_are_told(
    make_session: MakeSession, face_jpeg: bytes
) -> None:
    live, socket = make_session(), FakeSocket()
    for n in range(20):
        now = n / 2
        if n % 2:
            live.session.message_refused(BadFrameError("not a JPEG"), now)
        else:
            live.session.receive_frame(face_jpeg[:2000], None, socket, now)
            assert isinstance(socket.next(), BadFrameError)
        live.session.tick(now + 0.25)
    assert "not decodable" in next_of(live, "session.not_analysed").reason
    told = live.session.guidance["media"]["problems"]
    assert [problem["code"] for problem in told] == ["pictures_unreadable"]


@pytest.mark.parametrize(
    ("stops", "kind"), [("audio", "audio.lost"), ("video", "camera.lost"), ("both", None)]
)
def test_what_stops_is_told_by_what_goes_on(
    make_session: MakeSession, face_jpeg: bytes, stops: str, kind: str | None
) -> None:
    live, video, audio = make_session(), FakeSocket(), FakeSocket()
    live.session.attach_video(video, 0.0)
    live.session.attach_audio(audio, audio, None, 0.0)
    for n in range(40):
        now = n / 2
        if n < 4 or stops == "audio":
            live.session.receive_frame(face_jpeg, None, video, now)
            video.next()
        if n < 4 or stops == "video":
            live.session.receive_audio(audio, ROOM, now)
        elif stops == "audio":
            live.session.detach_audio(audio, now)
        live.session.tick(now + 0.25)
    expected = kind or "session.connection_lost"
    assert next_of(live, expected).state is IncidentState.STARTED
    live.session.end("over", 21.0)
    live.session.done.result(TIMEOUT)
    while not live.published.empty():
        assert {change.kind for change in live.next()[1]} == {expected}


def test_minutes_of_zeros_are_told(make_session: MakeSession) -> None:
    live, audio = make_session(), FakeSocket()
    live.session.attach_audio(audio, audio, None, 0.0)
    for n in range(125):
        live.session.receive_audio(audio, bytes(32_000), float(n))
        for _ in range(2):
            audio.next()
    started = next_of(live, "audio.silent")
    assert started.started_at + started.duration == pytest.approx(120.5, abs=0.6)
