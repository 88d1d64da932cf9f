"""Send a camera, or a recording in real time, to a session and print its alerts.

    python examples/client.py
    python examples/client.py ws://localhost:8000/ws/proctor/exam-7 recording.mp4

PROCTORING_TOKEN: a token with the scopes media and events, where the server asks for one.
"""

import argparse
import json
import os
import sys
from contextlib import suppress

import cv2
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.http11 import Response
from websockets.sync.client import connect


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", nargs="?", default="ws://localhost:8000/ws/proctor/exam-7")
    parser.add_argument("recording", nargs="?", help="a video file; by default the first camera")
    options = parser.parse_args()
    camera = cv2.VideoCapture(options.recording or 0)
    if not camera.isOpened():
        sys.exit(f"error: {options.recording or 'the camera'} cannot be opened")
    try:
        send(options.url, camera)
    except InvalidStatus as refused:
        sys.exit(f"error: {options.url}: {explain(refused.response)}")
    except (OSError, WebSocketException) as error:
        sys.exit(f"error: {options.url}: {error}")


def explain(response: Response) -> str:
    """Why the server refused a socket, and whether to try again."""
    try:
        error = json.loads(response.body)["error"]
    except (ValueError, KeyError):  # something between here and the server answered
        return f"HTTP status {response.status_code}"
    again = " (try again later)" if error["retryable"] else ""
    return f"HTTP status {response.status_code}: {error['detail']}{again}"


def send(url: str, camera: cv2.VideoCapture) -> None:
    """Send ten frames a second and print alerts as they arrive."""
    token = os.environ.get("PROCTORING_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with (
        connect(f"{url}/video", additional_headers=headers) as video,
        connect(f"{url}/events", additional_headers=headers) as events,
    ):
        while (grabbed := camera.read())[0]:
            video.send(cv2.imencode(".jpg", grabbed[1])[1].tobytes())
            with suppress(TimeoutError):  # ten frames a second, whether something happens or not
                if alerts := json.loads(events.recv(timeout=0.1)).get("alerts"):
                    print(alerts, flush=True)


if __name__ == "__main__":
    main()
