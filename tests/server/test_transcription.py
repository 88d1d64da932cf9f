"""Words over the real server: told, never logged; a transcriber that fails costs nothing else."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.audio.transcription.deepgram_server import KEY, DeepgramServer
from tests.server.live import Live, receive, receive_key, running, until
from websockets.exceptions import ConnectionClosed

from proctoring.audio.networks import AudioModels
from proctoring.models.store import ModelStore
from proctoring.vision.networks import VisionModels

pytestmark = pytest.mark.e2e

Pcm = NDArray[np.int16]
BLIND = VisionModels(faces=None, objects=None, capabilities=())
RATE = 16_000


@pytest.fixture
def deepgram() -> Iterator[DeepgramServer]:
    with DeepgramServer() as server:
        yield server


def begin(server: Live, session_id: str, transcription: dict[str, Any], *phrases: str) -> None:
    with server.http as http:
        http.post(
            "/api/sessions",
            json={
                "session_id": session_id,
                "accommodations": {
                    "transcription": transcription,
                    "audio": {"phrases": list(phrases)},
                },
            },
        ).raise_for_status()


def capability(http: httpx.Client, name: str) -> dict[str, Any]:
    found = http.get("/api/health").json()["capabilities"]
    return next(one for one in found if one["name"] == name)


def sit_through(server: Live, session_id: str, sound: Pcm, after: float = 0.0) -> list[Any]:
    """Send sound, end the session once it was heard; every event of it."""
    events: list[Any] = []
    with server.socket(f"{session_id}/events?after=0") as listener:
        with server.socket(f"{session_id}/audio?observe=1") as audio:
            audio.send(sound.tobytes())
            while receive_key(audio, "audio")["time"] < len(sound) / RATE - 0.6:
                pass
        if after:
            with server.http as http:
                words = f"/api/sessions/{session_id}"
                until(lambda: bool(http.get(words).json()["transcription"]["reason"]))
        with server.http as http:
            http.delete(f"/api/sessions/{session_id}").raise_for_status()
        try:
            while True:
                events.append(receive(listener))
        except ConnectionClosed:
            return events


def alerts(events: list[Any]) -> list[str]:
    """Of what is heard: the sound comes in one burst, so the connection seems lost after it."""
    return [
        found["label"]
        for event in events
        for found in event.get("incidents", [])
        if found["state"] == "started" and found["kind"].startswith("audio.")
    ]


def test_words_reach_listeners_and_no_log(
    audio_models: AudioModels,
    model_store: ModelStore,
    one_voice: Pcm,
    session_id: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    chosen = {"models_folder": model_store.folder, "models_mirror": model_store.mirror}
    with running(BLIND, audio_models, **chosen) as server:
        begin(server, session_id, {"engine": "moonshine", "publish": True}, "worst of times")
        events = sit_through(server, session_id, one_voice[: 12 * RATE])
        with server.http as http:
            assert capability(http, "transcription.moonshine")["available"] is True
            assert capability(http, "transcription.deepgram")["wanted"] is False
            assert http.get("/api/health").json()["status"] == "ok"
    told = [event["transcript"] for event in events if "transcript" in event]
    assert "best of times" in " ".join(one["text"] for one in told).casefold()
    assert [event["seq"] for event in events if "seq" in event] == list(
        range(1, 1 + sum("seq" in event for event in events))
    )
    assert alerts(events) == ["Suspicious Phrase Detected"]
    said = {word["text"].casefold().strip(".,") for one in told for word in one["words"]}
    logged = caplog.text.casefold()
    assert not [word for word in said if len(word) > 4 and word in logged]


def test_a_wrong_key_is_said_at_once_and_voices_are_heard_all_the_same(
    audio_models: AudioModels,
    deepgram: DeepgramServer,
    two_voices: Pcm,
    session_id: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    chosen = {"deepgram_api_key": "k3y-of-nobody", "deepgram_url": deepgram.url}
    with running(BLIND, audio_models, **chosen) as server, server.http as http:
        until(lambda: bool(capability(http, "transcription.deepgram")["wanted"]))
        health = http.get("/api/health").json()
        assert health["status"] == "degraded"
        assert "Deepgram refuses the key (status 401)" in health["detail"]
        speakers = {"transcription": {"engine": "deepgram", "publish": True}}
        begin(server, session_id, speakers["transcription"])
        events = sit_through(server, session_id, two_voices[: 22 * RATE], after=1.0)
    told = next(event["transcription"] for event in events if "transcription" in event)
    assert told == {
        "engine": "deepgram",
        "available": False,
        "reason": "Deepgram refuses the key (status 401)",
    }
    assert alerts(events) == ["Multiple Speakers Detected"]
    assert "transcription by Deepgram: off: Deepgram refuses the key" in caplog.text
    assert "k3y-of-nobody" not in caplog.text + json.dumps(events) + json.dumps(health)


def test_a_socket_that_is_cut_costs_no_words(
    deepgram: DeepgramServer, audio_models: AudioModels, session_id: str
) -> None:
    deepgram.hang_up_after = 3 * 2 * RATE
    chosen = {"deepgram_api_key": KEY, "deepgram_url": deepgram.url}
    with running(BLIND, audio_models, **chosen) as server:
        begin(server, session_id, {"engine": "deepgram", "publish": True})
        with (
            server.socket(f"{session_id}/events?after=0") as listener,
            server.socket(f"{session_id}/audio") as audio,
        ):
            for _ in range(8):
                audio.send(np.full(RATE, 500, np.int16).tobytes())
            heard = 0.0
            while heard < 5:  # of 8 s; how the rest is cut depends on the new connection
                heard = max(heard, receive_key(listener, "transcript")["end"])
    assert len(deepgram.audio) >= 2


def test_a_transcriber_that_never_reads_holds_up_neither_the_voices_nor_the_end(
    deepgram: DeepgramServer, audio_models: AudioModels, two_voices: Pcm, session_id: str
) -> None:
    deepgram.deaf = True
    chosen = {"deepgram_api_key": KEY, "deepgram_url": deepgram.url}
    with running(BLIND, audio_models, **chosen) as server:
        begin(server, session_id, {"engine": "deepgram"})
        events = sit_through(server, session_id, two_voices[: 22 * RATE])
    assert alerts(events) == ["Multiple Speakers Detected"]
