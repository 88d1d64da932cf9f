"""The video socket of a real server, on real pixels."""

from __future__ import annotations

from tests.server.live import Live, receive, receive_key


def test_a_frame_is_seen_and_the_answer_carries_its_capture_time(
    live: Live, session_id: str, face_jpeg: bytes
) -> None:
    with live.socket(f"{session_id}/video?observe=1") as video:
        assert receive(video) == {
            "flow": {"frames_per_second": 10.0, "max_width": 640, "max_height": 480}
        }
        video.send((1_700_000_000_000_000).to_bytes(8, "big") + face_jpeg)
        first = receive_key(video, "observation")
        video.send((1_700_000_000_100_000).to_bytes(8, "big") + face_jpeg)
        second = receive_key(video, "observation")
    assert first["capture_time"] == 1_700_000_000_000_000
    assert (first["width"], first["height"]) == (640, 480)
    assert first["time"] == 0
    assert second["time"] == 0.1
    (face,) = first["faces"]
    left, top, right, bottom = face["box"]
    assert 230 < left < right < 350
    assert 40 < top < bottom < 220
    assert "landmarks" not in face
    assert second["faces"][0]["track"] == face["track"]
    assert {"decode", "faces"} <= first["milliseconds"].keys()
    assert first["latency_ms"] > 0
