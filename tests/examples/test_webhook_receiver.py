"""The receiver of webhooks, beside a real server that sends them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from tests.ports import free_port
from tests.server.live import receive_key, running
from tests.session.evidence.people import encode

from proctoring.settings import WebhookTarget
from proctoring.vision.networks import VisionModels

ROOT = Path(__file__).parents[2]
SECRET = "whsec_c2VjcmV0IG9mIHRlc3RzLCAyNCBieXRlcw=="  # noqa: S105
BLIND = VisionModels(faces=None, objects=None, capabilities=())
"""No networks: the server starts fast, and a covered camera needs none to be detected."""


@contextmanager
def receiver() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The example as a process, and its address."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "examples/webhook_receiver.py", "--port", str(port)],
        cwd=ROOT,
        env=os.environ | {"WEBHOOK_SECRET": SECRET},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        listening = process.stdout.readline().strip()
        assert listening == f"listening on http://127.0.0.1:{port}/"
        yield process, f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


@pytest.mark.e2e
@pytest.mark.timeout(200)
def test_incidents_are_printed_and_forgeries_refused(tmp_path: Path) -> None:
    black = encode(np.zeros((240, 320, 3), np.uint8))
    with receiver() as (process, address):
        assert process.stdout is not None
        target = WebhookTarget.model_validate({"url": address, "secret": SECRET})
        with running(BLIND, data_folder=tmp_path, webhooks=(target,)) as live:
            with live.socket("exam-7/video?observe=1") as video:
                for n in range(60):
                    video.send((10**15 + n * 100_000).to_bytes(8, "big") + black)
                    receive_key(video, "observation")
            assert process.stdout.readline() == "exam-7: session.started\n"
            assert process.stdout.readline().startswith("exam-7: Camera Covered started: ")
            forged = {
                "webhook-id": "msg_1",
                "webhook-timestamp": "1",
                "webhook-signature": "v1,eA==",
            }
            for headers in ({}, forged, forged | {"webhook-signature": "nonsense"}):
                answer = httpx.post(
                    address, content=b'{"type": "incident"}', headers=headers, timeout=60
                )
                assert answer.status_code == 401
                assert process.stdout.readline().startswith("refused: ")
