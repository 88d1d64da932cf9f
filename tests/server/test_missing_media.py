"""A silent microphone, media that stops and pictures that cannot be read, over real sockets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import simplejpeg
from tests.server.live import Live, receive, running
from websockets.sync.client import ClientConnection

from proctoring.vision.networks import VisionModels

BLIND = VisionModels(faces=None, objects=None, capabilities=())
JPEG = bytes(simplejpeg.encode_jpeg(np.full((120, 160, 3), 90, np.uint8)))
PERIOD = 0.2
"""Seconds from one picture to the next: bad ones are too few for the socket to be closed."""


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with running(BLIND) as server:
        yield server


def create(live: Live, session_id: str, kind: str, persist: float) -> None:
    made = {"session_id": session_id, "accommodations": {kind: {"persist": persist}}}
    with live.http as http:
        http.post("/api/sessions", json=made).raise_for_status()


def told(events: ClientConnection) -> tuple[list[str], list[dict[str, str]]]:
    """The first alerts, and what the candidate is told with them."""
    alerts: list[str] = []
    problems: list[dict[str, str]] = []
    while not (alerts and problems):
        message: dict[str, Any] = receive(events)
        alerts += message["alerts"]
        problems += message.get("media", {}).get("problems", [])
    return alerts, problems


def test_digital_silence_is_told_with_what_to_do(live: Live, session_id: str) -> None:
    create(live, session_id, "audio.silent", 5.0)
    with (
        live.socket(f"{session_id}/events") as events,
        live.socket(f"{session_id}/audio") as audio,
    ):
        audio.send(bytes(6 * 32_000))
        alerts, (problem,) = told(events)
        assert alerts == ["Microphone Silent"]
        assert problem["code"] == "microphone_silent"
        assert "say a few words" in problem["text"]
        with live.http as http:
            answer = http.get(f"/api/sessions/{session_id}").json()
        assert answer["media"]["problems"] == [problem]


@pytest.mark.slow
def test_a_microphone_that_closes_while_pictures_go_on_is_told(live: Live, session_id: str) -> None:
    create(live, session_id, "audio.lost", 1.0)
    with (
        live.socket(f"{session_id}/events") as events,
        live.socket(f"{session_id}/video") as video,
    ):
        with live.socket(f"{session_id}/audio") as audio:
            video.send(JPEG)
            audio.send(np.full(16_000, 99, np.int16).tobytes())
        for _ in range(20):
            video.send(JPEG)
            time.sleep(PERIOD)
        alerts, (problem,) = told(events)
        assert "Sound Lost" in alerts
        assert "Connection Lost" not in alerts
        assert problem["code"] == "sound_lost"


@pytest.mark.slow
def test_pictures_that_cannot_be_read_are_told(live: Live, session_id: str) -> None:
    create(live, session_id, "session.not_analysed", 1.0)
    with (
        live.socket(f"{session_id}/events") as events,
        live.socket(f"{session_id}/video") as video,
    ):
        for picture in (JPEG[: len(JPEG) // 2], b"\x89PNG no JPEG") * 9:
            video.send(picture)
            time.sleep(PERIOD)
        alerts, (problem,) = told(events)
        assert alerts == ["Pictures Not Analysed"]
        assert problem["code"] == "pictures_unreadable"
