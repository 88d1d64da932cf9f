"""A reference photo given through the API, and who then sits before the camera of a real server."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import simplejpeg
from tests.server.candidate import Candidate
from tests.server.live import Live, receive
from tests.vision.moving import reshaped

from proctoring.vision.decode import decode_jpeg
from proctoring.vision.networks import VisionModels


@pytest.fixture
def comparing(vision_models: VisionModels) -> None:
    """Skips where faces are not compared."""
    if vision_models.identity is None:
        pytest.skip("the weights of the face embedding cannot be had")


@pytest.fixture(scope="module")
def other_jpeg(face_jpeg: bytes) -> bytes:
    """A face of other proportions: to the network somebody else."""
    # Both halves are another's: one alone would be a face that is covered in part.
    other = reshaped(reshaped(decode_jpeg(face_jpeg), (290.0, 90.0)), (290.0, 145.0))
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(other), quality=85))


def begin(live: Live, session_id: str, photo: bytes) -> None:
    wanted = {"session_id": session_id, "reference_photo": base64.b64encode(photo).decode()}
    with live.http as http:
        assert http.post("/api/sessions", json=wanted).status_code == 201


@pytest.mark.usefixtures("comparing")
def test_somebody_else_than_on_the_photo_is_told_to_listeners(
    live: Live, session_id: str, face_jpeg: bytes, other_jpeg: bytes
) -> None:
    begin(live, session_id, other_jpeg)
    with (
        live.socket(f"{session_id}/events") as events,
        live.socket(f"{session_id}/video?observe=1") as video,
    ):
        Candidate(video).show(face_jpeg, 5)
        while not (message := receive(events))["alerts"]:
            pass
    (incident,) = message["incidents"]
    assert message["alerts"] == ["Different Person Detected"]
    assert (incident["kind"], incident["state"]) == ("face.mismatch", "started")
    assert "the face differs from that of the reference photo" in incident["reason"]


@pytest.mark.usefixtures("comparing")
def test_whoever_is_on_the_photo_raises_nothing(
    live: Live, session_id: str, face_jpeg: bytes
) -> None:
    begin(live, session_id, face_jpeg)
    with live.socket(f"{session_id}/video?observe=1") as video, live.http as http:
        candidate = Candidate(video)
        compared = [seen["identity"] for seen in candidate.show(face_jpeg, 5) if seen["identity"]]
        session = http.get(f"/api/sessions/{session_id}").json()
    assert len(compared) >= 3
    assert all(look["from_photo"] and look["distance"] < 0.3 for look in compared)
    assert session["open_incidents"] == []
