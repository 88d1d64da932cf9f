"""A thousand sessions through one real server."""

from __future__ import annotations

import gc
import threading
from dataclasses import replace

import numpy as np
import psutil
import pytest
import simplejpeg
from tests.server.live import receive_key, running, until

from proctoring.vision.analyser import VisionModels


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_a_thousand_sessions_with_sockets_leave_nothing_behind(
    vision_models: VisionModels,
) -> None:
    grey = bytes(simplejpeg.encode_jpeg(np.full((64, 64, 3), 90, np.uint8)))
    process = psutil.Process()
    faces_alone = replace(vision_models, objects=None)  # looks once a session, at 50 ms each
    with running(faces_alone, keep_events=0.0) as live, live.http as http:

        def sit(number: int) -> None:
            with (
                live.socket(f"s{number}/video?observe=1") as video,
                live.socket(f"s{number}/events"),
            ):
                video.send(grey)
                receive_key(video, "observation")
                if number % 2:  # every other one ends while its sockets are open
                    http.delete(f"/api/sessions/s{number}").raise_for_status()
            if not number % 2:
                http.delete(f"/api/sessions/s{number}").raise_for_status()

        def held() -> tuple[int, int, int]:
            until(lambda: len(live.connections()) <= 1)  # the REST client's
            gc.collect()
            return process.memory_info().rss, threading.active_count(), process.num_fds()

        for number in range(50):  # what is set up on first use
            sit(number)
        memory, threads, files = held()
        for number in range(50, 1050):
            sit(number)
        memory_after, threads_after, files_after = held()
        # Pools of threads and of connections to the records grow to their bounds when first needed.
        assert threads_after - threads <= 4
        assert files_after - files <= 16
        assert memory_after - memory < 24 << 20
        assert live.service.open_sessions == 0
        assert live.service.outbox.listeners() == 0
