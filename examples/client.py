"""A client in a few lines: the camera, or a recording, in; alerts out.

python examples/client.py [ADDRESS] [RECORDING]
"""

import json
import os
import sys
from contextlib import suppress

import cv2
from websockets.sync.client import connect

url = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:8000/ws/proctor/exam-7"
token = os.environ.get("PROCTORING_TOKEN")  # where the server asks for one
headers = {"Authorization": f"Bearer {token}"} if token else {}
camera = cv2.VideoCapture(sys.argv[2] if len(sys.argv) > 2 else 0)
with (
    connect(f"{url}/video", additional_headers=headers) as video,
    connect(f"{url}/events", additional_headers=headers) as events,
):
    while (grabbed := camera.read())[0]:
        video.send(cv2.imencode(".jpg", grabbed[1])[1].tobytes())
        with suppress(TimeoutError):  # ten frames a second, whether something happens or not
            if alerts := json.loads(events.recv(timeout=0.1)).get("alerts"):
                print(alerts, flush=True)
