"""A candidate's voice given through the API of a real server."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.server.live import Live, running

from proctoring.audio.networks import AudioModels
from proctoring.vision.networks import VisionModels


@pytest.fixture(scope="module")
def hearing(vision_models: VisionModels, audio_models: AudioModels) -> Iterator[Live]:
    with running(vision_models, audio_models) as server:
        yield server


def of(path: Path) -> dict[str, str]:
    return {"reference_voice": base64.b64encode(path.read_bytes()).decode()}


def test_a_voice_can_be_given_with_the_session_and_later(
    hearing: Live, carried_speech: Path
) -> None:
    with hearing.http as http:
        body = {"session_id": "with-voice", **of(carried_speech / "two_cities.wav")}
        made = http.post("/api/sessions", json=body)
        assert made.status_code == 201, made.text
        given = http.put("/api/sessions/with-voice/voice", json=of(carried_speech / "beckett.wav"))
        assert given.status_code == 200, given.text
        assert 3.0 <= given.json()["seconds"] < 60


def test_what_cannot_be_a_voice_is_refused_and_makes_no_session(
    hearing: Live, carried_speech: Path
) -> None:
    with hearing.http as http:
        two = {"session_id": "nobody", **of(carried_speech / "endgame_nagg_nell.wav")}
        answers = [
            http.post("/api/sessions", json=two),
            http.post("/api/sessions", json={"session_id": "nobody", "reference_voice": "%"}),
            http.put("/api/sessions/nobody/voice", json=of(carried_speech / "beckett.wav")),
        ]
        problems = [(a.status_code, a.json()["error"]["code"]) for a in answers]
        assert problems == [(422, "bad_voice"), (422, "bad_voice"), (404, "unknown_session")]
        assert "more than one voice" in answers[0].json()["error"]["detail"]


def test_where_nothing_is_heard_the_voice_is_refused_as_unavailable(
    vision_models: VisionModels, carried_speech: Path
) -> None:
    with running(vision_models) as deaf, deaf.http as http:
        answer: httpx.Response = http.post("/api/sessions", json=of(carried_speech / "beckett.wav"))
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "model_unavailable"
