"""Send a camera, or a recording in real time, to a session and print its incidents.

    python examples/client.py
    python examples/client.py ws://localhost:8000/ws/proctor/exam-7 recording.mp4

PROCTORING_TOKEN: a token with the scopes media and events, where the server asks for one; with admin,
the session is ended at the end.
"""

import argparse
import json
import os
import random
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import cv2
import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.http11 import Response
from websockets.sync.client import ClientConnection, connect

RATE = 10.0
"""Frames per second that are sent; the server analyses no more."""
MOVED = 1012
"""Close code of a server that restarts, or hands the session to another: come back at once."""
PATIENCE = 60.0
"""Seconds in which attempts to come back follow each other, after longer and longer pauses."""
EVERY = 1.0 if sys.stderr.isatty() else 10.0
"""Seconds between two status lines; on a terminal each replaces the one before."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "url",
        nargs="?",
        default="ws://localhost:8000/ws/proctor/exam-7",
        help="of a session; by default %(default)s",
    )
    parser.add_argument("recording", nargs="?", help="a video file; by default the first camera")
    options = parser.parse_args()
    if options.recording and not Path(options.recording).is_file():
        sys.exit(f"error: {options.recording}: there is no such file")
    if not re.fullmatch(r"wss?://.+/ws/proctor/[^/]+/?", options.url):
        sys.exit(f"error: {options.url}: a session is at ws://HOST:PORT/ws/proctor/SESSION")
    # What cannot be opened is said below.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    camera = cv2.VideoCapture(options.recording or 0)
    if not camera.isOpened():
        sys.exit(f"error: {options.recording or 'the camera'} cannot be opened as video")
    frames = sample(played(camera) if options.recording else live(camera))
    try:
        Client(options.url).run(frames)
    except InvalidStatus as refused:
        sys.exit(f"error: {options.url}: {explain(refused.response)}")
    except OSError as error:
        reason = error.strerror or error
        sys.exit(f"error: {options.url}: {reason}. Is the server running (proctoring serve)?")
    except WebSocketException as error:
        sys.exit(f"error: {options.url}: {error}")


def live(camera: cv2.VideoCapture) -> Iterator[tuple[float, Any]]:
    """Frames of a camera with the seconds since the first."""
    start = time.monotonic()
    while (grabbed := camera.read())[0]:
        yield time.monotonic() - start, grabbed[1]


def played(file: cv2.VideoCapture) -> Iterator[tuple[float, Any]]:
    """Frames of a file at its own speed, with its own times in seconds."""
    start, first = time.monotonic(), None
    while (grabbed := file.read())[0]:
        seconds = file.get(cv2.CAP_PROP_POS_MSEC) / 1000
        first = seconds if first is None else first
        time.sleep(max(0.0, start + seconds - first - time.monotonic()))
        yield seconds - first, grabbed[1]


def sample(frames: Iterator[tuple[float, Any]]) -> Iterator[tuple[float, Any]]:
    """At most ten frames a second, whatever the rate of the source."""
    due = 0.0
    for seconds, frame in frames:
        if seconds >= due - 0.005:
            due = max(due + 1 / RATE, seconds + 0.5 / RATE)
            yield seconds, frame


def explain(response: Response) -> str:
    """Why the server refused a socket, and whether to try again."""
    try:
        error = json.loads(response.body)["error"]
    except (ValueError, KeyError):  # something between here and the server answered
        return f"HTTP status {response.status_code}"
    again = " (try again later)" if error["retryable"] else ""
    return f"HTTP status {response.status_code}: {error['detail']}{again}"


class Client:
    """One session: frames out, observations and events in."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        token = os.environ.get("PROCTORING_TOKEN")
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.sent = self.analysed = self.alerts = 0
        self.position = 0.0
        self.trouble = ""
        self.start = time.time()
        self.last_seq = 0
        self.connected = 0

    def run(self, frames: Iterator[tuple[float, Any]]) -> None:
        """Send frames until there are no more, or until Ctrl-C; come back when the session moves."""
        review, pause, until = "", 0.1, 0.0
        while True:
            try:
                with self.connect() as video:
                    if not review:
                        say(f"connected to {self.url}; Ctrl-C ends it")
                        review = self.review()
                    pause = 0.1
                    try:
                        self.send(video, frames)
                        time.sleep(1.0)  # the answers to the last frames
                    except KeyboardInterrupt:
                        say("stopped")
                    print(self.status(), file=sys.stderr)
                    say(self.end())
                    break
            except ConnectionClosed as closed:
                if closed.rcvd is None or closed.rcvd.code != MOVED:
                    sys.exit(f"\nerror: {self.url}: {self.trouble or closed}")
                until = time.monotonic() + PATIENCE
            except (OSError, WebSocketException):
                if time.monotonic() > until:
                    raise
                pause = min(2 * pause, 5.0)
            # A little random, so that the clients of a server do not all return in the same moment.
            time.sleep(random.uniform(0.0, 1.5) * pause)  # noqa: S311  (no secret)
        say(f"review: {review}")

    @contextmanager
    def connect(self) -> Iterator[ClientConnection]:
        """Both sockets, read from now on; frames go into the one for video."""
        after = f"?after={self.last_seq}" if self.last_seq else ""
        with (
            connect(f"{self.url}/video?observe=1", additional_headers=self.headers) as video,
            connect(f"{self.url}/events{after}", additional_headers=self.headers) as events,
        ):
            for socket, take in ((video, self.observe), (events, self.report)):
                Thread(target=self.receive, args=(socket, take), daemon=True).start()
            self.connected += 1
            yield video

    def send(self, video: ClientConnection, frames: Iterator[tuple[float, Any]]) -> None:
        """Send each frame with its capture time, and say how far it is."""
        said = time.monotonic()
        for seconds, frame in frames:
            capture_time = round((self.start + seconds) * 1e6)
            jpeg = cv2.imencode(".jpg", frame)[1].tobytes()
            video.send(capture_time.to_bytes(8, "big") + jpeg)
            self.sent += 1
            self.position = seconds
            if time.monotonic() - said >= EVERY:
                said = time.monotonic()
                say(self.status(), replaced=sys.stderr.isatty())

    def receive(self, socket: ClientConnection, take: Any) -> None:
        """Take every message of a socket; the last error says why the server closes it."""
        try:
            for text in socket:
                message = json.loads(text)
                self.trouble = message.get("error", {}).get("detail", self.trouble)
                take(message)
        except ConnectionClosed:
            pass  # told where frames are sent

    def observe(self, message: dict[str, Any]) -> None:
        self.analysed += "observation" in message

    def report(self, event: dict[str, Any]) -> None:
        """Print the incidents that start or end."""
        self.last_seq = max(self.last_seq, event.get("seq", 0))
        self.alerts += len(event.get("alerts", ()))
        for incident in event.get("incidents", ()):
            if incident["state"] == "updated":
                continue
            at = incident["started_at"]
            at += incident["duration"] if incident["state"] == "ended" else 0.0
            what = f"{incident['label']} ({incident['severity']})"
            reason = f": {incident['reason']}" if incident["state"] == "started" else ""
            print(f"{at:8.1f} s  {incident['state']:7}  {what}{reason}", flush=True)

    def status(self) -> str:
        return (
            f"{self.position:8.1f} s  sent {self.sent}, analysed {self.analysed}, "
            f"alerts {self.alerts}"
        )

    def review(self) -> str:
        """Where a reviewer finds the session."""
        server, _, session_id = self.url.replace("ws", "http", 1).rpartition("/ws/proctor/")
        try:
            session = self.ask("GET", f"{server}/api/sessions/{session_id}")
        except httpx.HTTPError:
            return f"{server}/review"
        return f"{server}/sitting?id={session['sitting_id']}"

    def end(self) -> str:
        """End the session, if the token permits it."""
        server, _, session_id = self.url.replace("ws", "http", 1).rpartition("/ws/proctor/")
        try:
            self.ask("DELETE", f"{server}/api/sessions/{session_id}")
        except httpx.HTTPError:
            return "the session stays open until its grace period is over: it could not be ended"
        return "the session has ended"

    def ask(self, method: str, address: str) -> Any:
        answer = httpx.request(method, address, headers=self.headers, timeout=30)
        return answer.raise_for_status().json()


def say(text: str, *, replaced: bool = False) -> None:
    """A line about the run, beside the incidents on standard output."""
    if sys.stderr.isatty():
        text = f"\r\033[K{text}"
    print(text, end="" if replaced else "\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
