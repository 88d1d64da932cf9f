"""The audio socket, on a real server, with real networks and real speech."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.server.live import Live, receive, receive_key, running
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from proctoring.audio.networks import AudioModels
from proctoring.vision.networks import VisionModels

Pcm = NDArray[np.int16]
BLIND = VisionModels(faces=None, objects=None, capabilities=())
SECOND = np.zeros(16_000, np.int16).tobytes()


@pytest.fixture(scope="module")
def hearing(audio_models: AudioModels) -> Iterator[Live]:
    with running(BLIND, audio_models) as server:
        yield server


@pytest.fixture(scope="module")
def deaf() -> Iterator[Live]:
    with running(BLIND) as server:
        yield server


def sounds(socket: ClientConnection, until: float) -> list[dict[str, object]]:
    """The observations up to a media time."""
    seen: list[dict[str, object]] = []
    while not seen or float(str(seen[-1]["time"])) < until - 0.01:
        seen.append(receive_key(socket, "audio"))
    return seen


def told(server: Live, session_id: str) -> dict[str, Any]:
    """What the interface says of a session."""
    with server.http as http:
        answer: dict[str, Any] = http.get(f"/api/sessions/{session_id}").json()
        return answer


def test_two_voices_are_an_incident_and_one_is_none(
    hearing: Live, session_id: str, one_voice: Pcm, two_voices: Pcm
) -> None:
    for name, speech, expected in (("one", one_voice, 0), ("two", two_voices, 1)):
        with (
            hearing.socket(f"{session_id}.{name}/events") as events,
            hearing.socket(f"{session_id}.{name}/audio?observe=1") as audio,
        ):
            # The whole recording at once, as after a disconnection: under 30 s waits for its turn.
            part = speech[: 26 * 16_000]
            audio.send(part.tobytes())
            heard = sounds(audio, len(part) / 16_000)
            assert max(float(str(sound["speech"])) for sound in heard) > 0.5
            with hearing.http as http:
                http.delete(f"/api/sessions/{session_id}.{name}")
            alerts: list[str] = []
            try:
                while True:
                    alerts += receive(events).get("alerts", [])
            except ConnectionClosed:
                assert alerts.count("Multiple Speakers Detected") == expected


def test_odd_pieces_give_what_whole_ones_give(
    hearing: Live, session_id: str, one_voice: Pcm
) -> None:
    data = one_voice[: 3 * 16_000].tobytes()
    answers = []
    for name, size in (("whole", len(data)), ("odd", 4097)):
        with hearing.socket(f"{session_id}.{name}/audio?observe=1") as audio:
            for at in range(0, len(data), size):
                audio.send(data[at : at + size])
            answers.append([(sound["speech"], sound["level"]) for sound in sounds(audio, 3.0)][:6])
    assert answers[0] == answers[1]


def test_sound_without_any_model_still_says_how_loud_it_is(deaf: Live, session_id: str) -> None:
    with deaf.socket(f"{session_id}/audio?observe=1") as audio:
        audio.send(SECOND)
        sound = receive_key(audio, "audio")
        assert (sound["speech"], sound["level"], sound["diarization"]) == (None, -100.0, None)
        answer = told(deaf, session_id)
        assert answer["audio"] is True
        assert answer["sound"]["received"] == 1.0


def test_missing_sound_after_a_reconnection_is_an_explicit_gap(deaf: Live, session_id: str) -> None:
    with deaf.socket(f"{session_id}/audio?start=1000000&observe=1") as audio:
        audio.send(SECOND)
        sounds(audio, 1.0)
    with deaf.socket(f"{session_id}/audio?start=4500000&observe=1") as audio:
        audio.send(SECOND)
        gap = receive_key(audio, "audio")
        assert gap["duration"] == pytest.approx(2.5)
        assert gap["not_read"] == [{"what": "audio", "reason": "2.5 s of audio are missing"}]
    assert told(deaf, session_id)["sound"]["missing"] == 2.5


def test_text_on_the_audio_socket_is_refused_and_the_session_lives(
    deaf: Live, session_id: str
) -> None:
    with deaf.socket(f"{session_id}/audio") as audio:
        audio.send("hello")
        assert receive(audio)["error"]["code"] == "not_binary"
        with pytest.raises(ConnectionClosed) as closed:
            receive(audio)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1003
    assert told(deaf, session_id)["state"] == "open"


@pytest.mark.parametrize(
    "query", ["rate=48000", "rate=fast", "start=-1", "start=soon", "start=1e6", "rate="]
)
def test_an_impossible_declaration_is_refused_before_the_socket_is_accepted(
    deaf: Live, session_id: str, query: str
) -> None:
    with pytest.raises(InvalidStatus) as refused, deaf.socket(f"{session_id}/audio?{query}"):
        pass
    assert refused.value.response.status_code == 400


def test_the_declared_rate_of_the_contract_is_fine(deaf: Live, session_id: str) -> None:
    with deaf.socket(f"{session_id}/audio?rate=16000&observe=1") as audio:
        audio.send(SECOND)
        assert receive_key(audio, "audio")["duration"] == 0.5


def test_a_newer_audio_socket_takes_over_and_the_older_is_told(deaf: Live, session_id: str) -> None:
    with deaf.socket(f"{session_id}/audio") as older:
        older.send(SECOND)
        with deaf.socket(f"{session_id}/audio?observe=1") as newer:
            assert receive(older)["error"]["code"] == "replaced"
            newer.send(SECOND)
            assert receive_key(newer, "audio")["level"] == -100.0


def test_more_than_half_a_minute_at_once_is_bounded_and_the_rest_named_missing(
    deaf: Live, session_id: str
) -> None:
    with deaf.socket(f"{session_id}/audio?observe=1") as audio:
        audio.send(SECOND * 38)
        heard = sounds(audio, 38.0)
        missing = told(deaf, session_id)["sound"]["missing"]
        assert heard[-1]["time"] == pytest.approx(38, abs=0.6)
        assert 0 < missing <= 8.1


def test_the_answer_to_the_end_of_a_session_says_that_its_sockets_are_closed(deaf: Live) -> None:
    with deaf.http as http, deaf.socket("ended-while-heard/audio?observe=1") as audio:
        audio.send(SECOND)
        sounds(audio, 0.5)
        assert http.get("/api/sessions/ended-while-heard").json()["audio"]
        assert not http.delete("/api/sessions/ended-while-heard").json()["audio"]
