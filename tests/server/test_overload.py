"""More sessions than the machine can do, on real pixels through the real pool."""

from __future__ import annotations

import json
import time
from threading import Event, Thread
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
import simplejpeg
from skimage import data
from tests.server.live import Live, running, until

from proctoring.vision.networks import VisionModels

EPOCH = 1_700_000_000_000_000
SESSIONS = 8


@pytest.fixture(scope="module")
def large_jpeg() -> bytes:
    """A face in 5 megapixels: some 20 ms of work, so that eight sessions are too many for one
    worker."""
    photograph = np.asarray(getattr(data, "astronaut")(), np.uint8)  # noqa: B009  # untyped
    return bytes(simplejpeg.encode_jpeg(cv2.resize(photograph, (2560, 1920)), quality=50))


def send(live: Live, name: str, jpeg: bytes, told: list[dict[str, Any]], enough: Event) -> None:
    """Send 10 frames a second, and note what the server says about that."""
    with live.socket(f"{name}/video") as video:
        began = time.monotonic()
        sent = 0
        while not enough.is_set():
            now = time.monotonic() - began
            video.send((EPOCH + round(now * 1e6)).to_bytes(8, "big") + jpeg)
            sent += 1
            try:
                message = json.loads(video.recv(timeout=max(0.0, sent / 10 - now)))
                told.append(message["flow"])
            except TimeoutError:
                pass


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_under_overload_all_sessions_slow_down_alike_and_everybody_is_told(
    vision_models: VisionModels, large_jpeg: bytes
) -> None:
    told: list[list[dict[str, Any]]] = [[] for _ in range(SESSIONS)]
    enough = Event()
    with running(vision_models, workers=1, admission="load") as live, live.http as http:
        for i in range(SESSIONS):  # before anything is measured
            http.post("/api/sessions", json={"session_id": f"s{i}"}).raise_for_status()
        clients = [
            Thread(target=send, args=(live, f"s{i}", large_jpeg, told[i], enough))
            for i in range(SESSIONS)
        ]
        for client in clients:
            client.start()
        try:
            until(lambda: all(len(flows) > 1 for flows in told))
            until(lambda: min(analysed(http)) >= 2)
            health = http.get("/api/health").json()
            metrics = http.get("/metrics").text
            counts = analysed(http)
            until(lambda: not http.get("/api/health").json()["accepting"])
            refused = http.post("/api/sessions", json={})
        finally:
            enough.set()
            for client in clients:
                client.join()
    for first, *_, last in told:
        assert (first["frames_per_second"], first["reason"]) == (10.0, "")
        assert last["frames_per_second"] < 10.0
        assert last["reason"] in ("overload", "frame_cost")
    assert health["status"] == "degraded"
    assert health["frames_per_second"] < 10.0
    assert health["slowed_sessions"] == SESSIONS
    assert f"{SESSIONS} sessions are analysed at less" in health["detail"]
    assert f"proctoring_slowed_sessions {SESSIONS}.0" in metrics
    assert max(counts) <= 2 * min(counts) + 2
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "overloaded")


def analysed(http: httpx.Client) -> list[int]:
    sessions = http.get("/api/sessions").json()["sessions"]
    return [session["frames"]["analysed"] for session in sessions]
