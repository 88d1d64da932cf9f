"""The video socket of a real server, on real pixels: good input, then every kind of bad one."""

from __future__ import annotations

import contextlib
import io
import json
import random
import time
from collections.abc import Callable
from itertools import count

import numpy as np
import pytest
import simplejpeg
from PIL import ExifTags, Image
from tests.server.live import TIMEOUT, Live, receive, receive_key, running, until
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from proctoring.vision.networks import VisionModels

EPOCH = 1_700_000_000_000_000
"""Microseconds."""


class Clock:
    """A server's clock that stands still until a test moves it: a busy machine may take its time."""

    def __init__(self) -> None:
        self.seconds = time.monotonic()

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(live: Live, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The shared server's, for one test."""
    clock = Clock()
    monkeypatch.setattr(live.service, "now", clock)
    return clock


def stamped(capture: int, jpeg: bytes) -> bytes:
    return capture.to_bytes(8, "big") + jpeg


def closing(socket: ClientConnection) -> tuple[int, str]:
    """Code and reason with which the server closes the socket; what it sends before is skipped."""
    with pytest.raises(ConnectionClosed) as caught:
        receive_key(socket, "a key that no message has")
    received = caught.value.rcvd
    assert received is not None
    return received.code, received.reason


def seen(socket: ClientConnection, jpeg: bytes, since: int = EPOCH) -> bool:
    """Whether the socket still does its work: a good frame comes back as an observation with faces.

    A frame that comes too soon, or over the limit of frames, has no answer: another is sent.
    """
    end = time.monotonic() + TIMEOUT
    for capture in count(since, 500_000):
        socket.send(stamped(capture, jpeg))
        answered = time.monotonic() + 0.5
        while (left := answered - time.monotonic()) > 0:
            try:
                message = json.loads(socket.recv(timeout=left))
            except TimeoutError:
                break
            observation = message.get("observation")
            if observation and observation["capture_time"] == capture and observation["faces"]:
                return True
        if time.monotonic() > end:
            break
    return False


def test_a_frame_is_seen_and_the_answer_carries_its_capture_time(
    live: Live, session_id: str, face_jpeg: bytes, clock: Clock
) -> None:
    with live.socket(f"{session_id}/video?observe=1") as video:
        assert receive(video) == {
            "flow": {
                "frames_per_second": 10.0,
                "max_width": 640,
                "max_height": 480,
                "reason": "",
            }
        }
        video.send(stamped(EPOCH, face_jpeg))
        first = receive_key(video, "observation")
        clock.seconds += 0.1
        video.send(stamped(EPOCH + 100_000, face_jpeg))
        second = receive_key(video, "observation")
    assert first["capture_time"] == EPOCH
    assert (first["width"], first["height"]) == (640, 480)
    assert (first["time"], second["time"]) == (0, 0.1)
    (face,) = first["faces"]
    left, top, right, bottom = face["box"]
    assert 230 < left < right < 350
    assert 40 < top < bottom < 220
    assert "landmarks" not in face
    assert second["faces"][0]["track"] == face["track"]
    assert {"decode", "faces"} <= first["milliseconds"].keys()
    assert first["latency_ms"] == 0


def test_landmarks_come_on_request(live: Live, session_id: str, face_jpeg: bytes) -> None:
    with live.socket(f"{session_id}/video?observe=1&landmarks=1") as video:
        video.send(face_jpeg)
        observation = receive_key(video, "observation")
    (face,) = observation["faces"]
    points = np.array(face["landmarks"])
    assert points.shape == (478, 2)
    left, top, right, bottom = face["box"]
    assert points.min(axis=0) == pytest.approx([left, top], abs=0.2)
    assert points.max(axis=0) == pytest.approx([right, bottom], abs=0.2)
    assert observation["capture_time"] is None


def test_without_observe_nothing_but_flow_comes_back(
    live: Live, session_id: str, face_jpeg: bytes
) -> None:
    with live.socket(f"{session_id}/video") as video, live.http as http:
        assert "flow" in receive(video)
        video.send(face_jpeg)
        path = f"/api/sessions/{session_id}"
        until(lambda: http.get(path).json()["frames"]["analysed"] == 1)
        with pytest.raises(TimeoutError):
            video.recv(timeout=0.1)


# Bad frames: each costs itself alone.

NOISE = random.Random(0).randbytes(5 << 20)


def with_size(jpeg: bytes, width: int, height: int) -> bytes:
    """The JPEG with other dimensions in its header (SOF0: marker, length, precision, y, x)."""
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + jpeg[at + 4 :]


BAD: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "not a JPEG": (lambda _: b"GIF89a of some kind", "not a JPEG"),
    "empty": (lambda _: b"", "not a JPEG"),
    "a stamp alone": (lambda _: EPOCH.to_bytes(8, "big"), "not a JPEG"),
    "truncated": (lambda jpeg: jpeg[: len(jpeg) // 2], "damaged or cut short"),
    "a beginning alone": (lambda jpeg: jpeg[:2], "not a JPEG"),
    "30,000 x 30,000": (lambda jpeg: with_size(jpeg, 30_000, 30_000), "picture too large"),
    "5 MB of noise": (lambda _: NOISE, "not a JPEG"),
    "5 MB of noise that begins like a JPEG": (lambda _: b"\xff\xd8" + NOISE, "not a JPEG"),
    "1 x 1": (
        lambda _: bytes(simplejpeg.encode_jpeg(np.zeros((1, 1, 3), np.uint8))),
        "too small: 1 x 1",
    ),
    "more bytes than a frame may have": (
        lambda jpeg: jpeg + bytes(7 << 20),
        "frame too large",
    ),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("timed", [False, True])
def test_a_bad_frame_is_answered_and_costs_itself_alone(
    live: Live, session_id: str, face_jpeg: bytes, case: str, timed: bool
) -> None:
    make, detail = BAD[case]
    bad = make(face_jpeg)
    with live.socket(f"{session_id}/video?observe=1") as video:
        video.send(stamped(EPOCH, bad) if timed else bad)
        error = receive_key(video, "error")
        assert error["code"] == "bad_frame"
        assert detail in error["detail"]
        assert len(error["detail"]) < 300
        assert seen(video, face_jpeg)


def picture(mode: str, jpeg: bytes, orientation: int = 1) -> bytes:
    """The JPEG in another colour space, or turned and marked so in EXIF."""
    image = Image.open(io.BytesIO(jpeg)).convert(mode)
    exif = Image.Exif()
    if orientation == 6:  # "rotate by 90 degrees clockwise to see it upright"
        image = image.transpose(Image.Transpose.ROTATE_90)
        exif[ExifTags.Base.Orientation] = 6
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85, exif=exif)
    return out.getvalue()


@pytest.mark.parametrize(("mode", "orientation"), [("L", 1), ("CMYK", 1), ("RGB", 6)])
def test_grey_cmyk_and_rotated_jpegs_are_seen(
    live: Live, session_id: str, face_jpeg: bytes, mode: str, orientation: int
) -> None:
    with live.socket(f"{session_id}/video?observe=1") as video:
        video.send(picture(mode, face_jpeg, orientation))
        observation = receive_key(video, "observation")
    assert (observation["width"], observation["height"]) == (640, 480)
    (face,) = observation["faces"]
    left, top, right, bottom = face["box"]
    assert 220 < left < right < 360
    assert 30 < top < bottom < 230


def test_twenty_bad_frames_in_a_row_close_the_socket_and_leave_the_session(
    live: Live, session_id: str, face_jpeg: bytes
) -> None:
    with live.socket(f"{session_id}/video?observe=1") as video:
        for _ in range(20):
            video.send(b"no picture")
        assert closing(video) == (4000, "20 frames in a row could not be used")
    with live.socket(f"{session_id}/video?observe=1") as video:
        assert seen(video, face_jpeg)


def test_a_good_frame_between_bad_ones_keeps_the_socket_open(
    live: Live, session_id: str, face_jpeg: bytes
) -> None:
    with live.socket(f"{session_id}/video?observe=1") as video:
        for part in range(3):
            for _ in range(19):
                video.send(b"no picture")
                receive_key(video, "error")
            video.send(stamped(EPOCH + part * 1_000_000, face_jpeg))
            receive_key(video, "observation")
        assert seen(video, face_jpeg, EPOCH + 3_000_000)


def test_text_closes_the_socket_with_a_reason_and_leaves_the_session(
    live: Live, session_id: str, face_jpeg: bytes
) -> None:
    with live.socket(f"{session_id}/video?observe=1") as video:
        video.send("a picture, in words")
        assert receive_key(video, "error")["code"] == "not_binary"
        assert closing(video)[0] == 1003
    with live.socket(f"{session_id}/video?observe=1") as video:
        assert seen(video, face_jpeg)


def test_a_message_beyond_all_bounds_closes_its_socket_alone(
    live: Live, session_id: str, face_jpeg: bytes
) -> None:
    with (
        live.socket(f"{session_id}-other/video?observe=1") as other,
        live.socket(f"{session_id}/video") as video,
    ):
        with contextlib.suppress(ConnectionClosed):
            video.send(bytes(64 << 20))  # the server closes while it is sent
        with pytest.raises(ConnectionClosed) as caught:
            receive_key(video, "a key that no message has")
        received = caught.value.rcvd
        assert received is None or received.code == 1009
        assert seen(other, face_jpeg)


def test_200_frames_a_second_are_answered_at_10_and_kill_nothing(
    live: Live, session_id: str, face_jpeg: bytes
) -> None:
    began, sent = time.monotonic(), 0
    with live.socket(f"{session_id}/video?observe=1") as video:

        def refused() -> bool:
            """Send more, of 200 a second; whether the server has said that they are too many."""
            nonlocal sent
            for _ in range(300):
                video.send(stamped(EPOCH + sent * 5000, face_jpeg))
                sent += 1
            with contextlib.suppress(TimeoutError):
                while (error := receive(video, timeout=0.2).get("error")) is None:
                    pass
                assert error["code"] == "too_many_frames"
                return True
            return False

        assert any(refused() for _ in range(20))  # a busy machine may send fewer than are allowed
        assert seen(video, face_jpeg, EPOCH + sent * 5000 + 1_000_000)
    with live.http as http:
        frames = http.get(f"/api/sessions/{session_id}").json()["frames"]
    # 120 at once, 60 a second in the mean; analysed 10 times a second of media time.
    assert frames["received"] <= 120 + 60 * (time.monotonic() - began) + 1
    assert frames["analysed"] <= sent * 0.005 * 10 + 10
    assert frames["refused"] == 0


@pytest.mark.parametrize(
    ("kind", "captures"),
    [
        ("stand still", [EPOCH] * 5),
        ("run backwards", [EPOCH - i * 1_000_000 for i in range(5)]),
        ("jump", [EPOCH + (i % 2) * 86_400_000_000 for i in range(5)]),
        ("are the largest there are", [2**64 - 1] * 5),
        ("come and go", [EPOCH if i % 2 else None for i in range(5)]),
    ],
)
def test_whatever_stamps_do_media_time_rises_with_arrival(
    live: Live,
    session_id: str,
    face_jpeg: bytes,
    clock: Clock,
    kind: str,
    captures: list[int | None],
) -> None:
    times = []
    with live.socket(f"{session_id}/video?observe=1") as video:
        began = clock.seconds
        for capture in captures:
            video.send(face_jpeg if capture is None else stamped(capture, face_jpeg))
            observation = receive_key(video, "observation")
            times.append(observation["time"])
            assert observation["capture_time"] == capture
            clock.seconds += 1.0  # the next is due: media time goes by arrival here
        passed = clock.seconds - began
    assert times == sorted(set(times))
    assert times[-1] <= passed


def test_of_two_video_sockets_the_newer_wins_and_the_older_is_told(
    live: Live, session_id: str, face_jpeg: bytes
) -> None:
    with live.socket(f"{session_id}/video?observe=1") as older:
        assert seen(older, face_jpeg)
        with live.socket(f"{session_id}/video?observe=1") as newer:
            assert receive_key(older, "error")["code"] == "replaced"
            assert closing(older)[0] == 4009
            assert seen(newer, face_jpeg, EPOCH + 1_000_000)
            with live.http as http:
                assert http.get(f"/api/sessions/{session_id}").json()["video"] is True


# Names.


@pytest.mark.parametrize("socket", ["video", "events"])
@pytest.mark.parametrize(
    "name", ["a/b", "a%2Fb", "a%20b", "x" * 201, "x" * 7000, "", "..%2F..", "%C3%A4"]
)
def test_a_name_that_cannot_be_is_refused_before_the_socket_is_accepted(
    live: Live, name: str, socket: str
) -> None:
    with pytest.raises(InvalidStatus) as caught:
        live.socket(f"{name}/{socket}")
    response = caught.value.response
    assert response.status_code == 400
    assert b"bad_session_id" in (response.body or b"")
    assert len(response.body or b"") < 400


@pytest.mark.parametrize("socket", ["video", "events"])
def test_a_name_with_a_null_character_is_refused_before_the_socket_is_accepted(
    live: Live, socket: str
) -> None:
    with pytest.raises(InvalidStatus) as caught:
        live.socket(f"%00/{socket}")
    response = caught.value.response
    assert response.status_code == 400
    assert b"null character" in (response.body or b"")


def test_a_name_of_10_000_characters_is_refused_before_anything_reads_it(live: Live) -> None:
    with pytest.raises(InvalidStatus) as caught:
        live.socket("x" * 10_000 + "/video")
    assert caught.value.response.status_code == 414


@pytest.mark.parametrize("path", ["video", "exam-7", "exam-7/", "exam-7/screen"])
def test_a_socket_that_there_is_not_is_refused(live: Live, path: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        live.socket(path)
    assert caught.value.response.status_code == 404


def test_every_character_that_a_name_may_have_works(live: Live, face_jpeg: bytes) -> None:
    with live.socket("aZ0_-.:%40~/video?observe=1") as video, live.http as http:
        assert seen(video, face_jpeg)
        assert http.get("/api/sessions/aZ0_-.:@~").json()["session_id"] == "aZ0_-.:@~"


# One session's misery is its own.


def test_a_session_full_of_garbage_leaves_anothers_observations_as_they_were(
    vision_models: VisionModels, face_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    captures = [EPOCH + i * 100_000 for i in range(25)]

    def watch(live: Live, disturb: Callable[[int], None]) -> list[object]:
        found = []
        clock = Clock()
        monkeypatch.setattr(live.service, "now", clock)
        with live.socket("good/video?observe=1") as video:
            for i, capture in enumerate(captures):
                disturb(i)
                video.send(stamped(capture, face_jpeg))
                observation = receive_key(video, "observation")
                while observation["faces"] is None:  # a slow look, whenever it was done
                    observation = receive_key(video, "observation")
                del observation["milliseconds"], observation["latency_ms"]
                # Slow looks come with whichever frame comes next, and so does what they add.
                del observation["objects"]
                if observation.get("liveness"):
                    del observation["liveness"]["framed_share"]
                found.append(observation)
                clock.seconds += 0.1
        return found

    # Workers enough that no rate falls, however slow the machine: that would be another story.
    with running(vision_models, workers=8) as live:
        alone = watch(live, lambda _: None)
    with running(vision_models, workers=8) as live, live.socket("bad/video") as bad:
        garbage = [
            NOISE[: 1 << 20],
            face_jpeg[:3000],
            with_size(face_jpeg, 30_000, 30_000),
            picture("L", face_jpeg, 6),
            stamped(0, face_jpeg),
        ]
        together = watch(live, lambda i: bad.send(garbage[i % len(garbage)]))
    assert together == alone
