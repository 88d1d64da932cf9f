"""Real faces and voices: what was learned of a candidate is known in the next process."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import select
from tests.server.live import receive, running, until

from proctoring.audio.networks import AudioModels
from proctoring.records.archive import FILE
from proctoring.records.database import connect, reading, sqlite_url
from proctoring.records.tables import SessionStateRow
from proctoring.session.session import Session
from proctoring.snapshots import encode
from proctoring.vision.networks import VisionModels

CHUNK = 1600
"""Samples of a message: 100 ms."""


def learned(session: Session) -> dict[str, bytes]:
    """What a session knows of its candidate, as bytes that can be compared."""
    analyser = session._pipeline.analyser
    _, voices = session.continuation.sound_state()
    return {
        "face": encode(analyser.biometrics()),
        "neutral pose": encode(analyser.hot().neutral),
        "gaze": encode(analyser.hot().gaze),
        "voices": encode(voices),
        "enrolment": encode(session._pipeline.state.enrolment),
    }


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("failover", ["full", "no_biometrics"])
def test_face_pose_and_voice_are_known_in_the_next_process(
    vision_models: VisionModels,
    audio_models: AudioModels,
    one_voice: NDArray[np.int16],
    face_jpeg: bytes,
    tmp_path: Path,
    failover: str,
) -> None:
    name = f"continued-{failover}"
    with running(vision_models, audio_models, data_folder=tmp_path) as live, live.http as http:
        wanted = {"session_id": name, "accommodations": {"records": {"failover": failover}}}
        assert http.post("/api/sessions", json=wanted).status_code == 201
        found = live.service.sessions.find(name)
        assert found is not None
        with live.socket(f"{name}/video") as video, live.socket(f"{name}/audio?observe=1") as audio:
            sound = one_voice[: 12 * 16_000]
            for start in range(0, len(sound), CHUNK):
                audio.send(sound[start : start + CHUNK].tobytes())
            for _ in range(len(sound) // 8_000):
                receive(audio)

            def is_known() -> bool:
                video.send((time.time_ns() // 1000).to_bytes(8, "big") + face_jpeg)
                time.sleep(0.1)
                assert found is not None
                ready = found.guidance["enrolment"]["state"] == "ready"
                return ready and found._pipeline.analyser.identity_reference is not None

            until(is_known)
            analysed = found.frames
            until(
                lambda: (
                    analysed.received == analysed.analysed + analysed.skipped + analysed.replaced
                )
            )
    before = learned(found)
    with running(vision_models, audio_models, data_folder=tmp_path) as live, live.http as http:
        until(lambda: live.service.open_sessions == 1)
        again = live.service.sessions.find(name)
        assert again is not None
        assert again is not found
        after = learned(again)
        http.delete(f"/api/sessions/{name}")
    kept = {"neutral pose", "gaze", "enrolment"} | (
        {"face", "voices"} if failover == "full" else set()
    )
    assert {part for part in before if before[part] == after[part]} == kept
    engine = connect(sqlite_url(tmp_path / FILE))
    with reading(engine) as connection:
        assert connection.execute(select(SessionStateRow)).first() is None
    engine.dispose()
