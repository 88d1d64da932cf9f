"""A real server that dies by kill -9 with messages undelivered, and the next one that delivers them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from standardwebhooks.webhooks import Webhook
from tests.delivery.receiver import Receiver, receiving
from tests.server.live import TIMEOUT, receive_key
from tests.session.evidence.people import encode
from websockets.sync.client import connect

from proctoring.errors import SettingsError
from proctoring.settings import read_settings

SECRET = "whsec_c2VjcmV0IG9mIHRlc3RzLCAyNCBieXRlcw=="  # noqa: S105
PROGRAM = """
import json, sys, time
from pathlib import Path
from tests.server.live import running
from proctoring.vision.networks import VisionModels
from proctoring.settings import WebhookTarget
folder, hooks = Path(sys.argv[1]), json.loads(sys.argv[2])
blind = VisionModels(faces=None, objects=None, capabilities=())
targets = tuple(WebhookTarget(**hook) for hook in hooks)
with running(blind, data_folder=folder, webhooks=targets) as live:
    print(live.address, flush=True)
    time.sleep(600)
"""
"""A server without networks, which starts fast; a covered camera needs none to be told."""


@contextmanager
def process(
    folder: Path, hooks: list[dict[str, str]]
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server process over a data folder; killed, if it still lives, at the end."""
    server = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), json.dumps(hooks)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    try:
        address = server.stdout.readline().strip()
        assert address, "the server did not start"
        yield server, address
    finally:
        server.kill()
        server.wait(TIMEOUT)
        server.stdout.close()


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_a_message_outlives_the_server_that_was_killed(tmp_path: Path) -> None:
    black = encode(np.zeros((240, 320, 3), np.uint8))
    receiver = Receiver(status=503)
    with receiving(receiver):
        hooks = [{"url": receiver.url, "secret": SECRET}]
        with process(tmp_path, hooks) as (server, address):
            base = address.replace("http", "ws", 1) + "/ws/proctor/exam-7"
            with (
                connect(f"{base}/events", open_timeout=TIMEOUT) as events,
                connect(f"{base}/video?observe=1", open_timeout=TIMEOUT) as video,
            ):
                refused = receiver.wait(1)  # that the session began
                for n in range(60):
                    video.send((10**15 + n * 100_000).to_bytes(8, "big") + black)
                    receive_key(video, "observation")
                told = json.loads(events.recv(timeout=TIMEOUT))
                assert told["alerts"] == ["Camera Covered"]
                server.send_signal(signal.SIGKILL)  # a listener has heard of it
                server.wait(TIMEOUT)
        receiver.requests.clear()
        receiver.status = 200
        with process(tmp_path, hooks):
            # What the killed one was delivering is leased for a minute.
            receiver.wait(2, timeout=120)
            while not any(f"_{told['seq']}" in found for found in receiver.ids):
                receiver.wait(len(receiver.requests) + 1, timeout=120)
    for taken in receiver.requests:
        Webhook(SECRET).verify(taken.body, taken.headers)
    assert refused[0].headers["webhook-id"] in receiver.ids
    messages = [taken.message for taken in receiver.requests]
    (delivered,) = [m for m in messages if m["data"].get("seq") == told["seq"]]
    assert delivered["data"] == told, "what listeners heard and what the webhook got differ"


@pytest.mark.parametrize(
    ("hook", "named"),
    [
        ({"url": "ftp://example.org/hook", "secret": SECRET}, "url"),
        ({"url": "https://example.org/hook", "secret": "whsec_c2hvcnQ="}, "24 bytes"),
        ({"url": "https://example.org/hook", "secret": "x" * 10, "style": "livekit"}, "livekit"),
        ({"url": "https://example.org/hook"}, "secret"),
        ({"url": "https://example.org/hook", "secret": SECRET, "what": "all"}, "what"),
    ],
)
def test_a_webhook_that_cannot_work_is_refused_at_the_start_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, hook: dict[str, str], named: str
) -> None:
    monkeypatch.setenv("PROCTORING_WEBHOOKS", json.dumps([hook]))
    with pytest.raises(SettingsError) as refused:
        read_settings()
    assert named in refused.value.detail
    assert "WEBHOOKS" in refused.value.detail
    assert hook.get("secret", "nothing") not in refused.value.detail
