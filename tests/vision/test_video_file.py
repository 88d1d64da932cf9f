"""Video files: presentation times, rotation, and errors of damaged files."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from tests.recording.clips import face, write_clip

from proctoring.errors import BadFrameError
from proctoring.vision import video_file
from proctoring.vision.frame import Pixels
from proctoring.vision.video_file import declared_duration, read_frames, read_pictures


def scene(value: int = 128) -> Pixels:
    """A small picture, brighter in its upper left quarter."""
    picture = np.full((64, 96, 3), value // 2, np.uint8)
    picture[:32, :48] = value
    return picture


def test_a_variable_frame_rate_is_honoured(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.1, 0.5, 0.52, 2.0]
    clip = write_clip(tmp_path / "clip.mp4", [(time, scene()) for time in times])
    assert [picture.time for picture in read_pictures(clip)] == pytest.approx(times, abs=1e-4)


def test_times_count_from_the_first_picture_to_the_microsecond(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", [(5 + n / 3, scene()) for n in range(4)])
    assert [picture.time for picture in read_pictures(clip)] == [0.0, 0.333, 0.667, 1.0]


def test_only_wanted_pictures_are_given(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [(n / 10, scene()) for n in range(10)])
    frames = list(read_frames(clip, wanted=lambda time: time > 0.65))
    assert [frame.time for frame in frames] == pytest.approx([0.7, 0.8, 0.9])


def test_pictures_are_those_that_ffmpeg_converts_one_by_one(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [(n / 10, face(n)) for n in range(4)])
    with av.open(str(clip)) as container:
        expected = [one.to_ndarray(format="rgb24") for one in container.decode(video=0)]
    for threads in (None, 1):
        found = [picture.frame().pixels for picture in read_pictures(clip, threads)]
        assert np.array_equal(found, expected)


ROTATIONS: dict[int, tuple[int, int, int, int]] = {
    90: (0, 1, -1, 0),
    180: (-1, 0, 0, -1),
    270: (0, -1, 1, 0),
}
"""Clockwise turn for display, and the matrix that says so in an MP4 file."""


@pytest.mark.parametrize(("clockwise", "matrix"), ROTATIONS.items())
def test_a_declared_rotation_is_applied(
    tmp_path: Path, clockwise: int, matrix: tuple[int, int, int, int]
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [(n / 10, scene(200)) for n in range(3)])
    data = bytearray(clip.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # version 0: the matrix comes 40 bytes into the box
    a, b, c, d = (value << 16 for value in matrix)
    for offset, value in ((0, a), (4, b), (12, c), (16, d)):
        data[at + offset : at + offset + 4] = value.to_bytes(4, "big", signed=True)
    clip.write_bytes(data)
    upright = next(read_frames(clip)).pixels
    expected = np.rot90(scene(200), -clockwise // 90)
    assert upright.shape == expected.shape
    assert np.abs(upright.astype(int) - expected).mean() < 6


def test_a_file_says_how_long_it_is(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [(n / 10, scene()) for n in range(30)])
    assert declared_duration(clip) == pytest.approx(3.0, abs=0.1)


def _text(path: Path) -> None:
    path.write_text("this is no video\n" * 100)


def _empty(path: Path) -> None:
    path.touch()


def _noise(path: Path) -> None:
    path.write_bytes(np.random.default_rng(1).bytes(100_000))


def _picture(path: Path) -> None:
    Image.fromarray(face()).save(path, "JPEG")


def _sound(path: Path) -> None:
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        sound.writeframes(bytes(32_000))


def _no_pictures(path: Path) -> None:
    write_clip(path, [])


def _missing(path: Path) -> None:
    assert not path.exists()


def _folder(path: Path) -> None:
    path.mkdir()


def _half(path: Path) -> None:
    moments = [(n / 10, face(float(n))) for n in range(40)]
    write_clip(path, moments)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("name", "make", "problem"),
    [
        ("a.mp4", _text, "a.mp4 cannot be read as video: Invalid data"),
        ("a.mp4", _empty, "a.mp4 cannot be read as video: Invalid data"),
        ("a.mp4", _noise, "a.mp4 cannot be read as video: Invalid data"),
        ("a.jpg", _picture, "a.jpg is a picture, not a video"),
        ("a.wav", _sound, "a.wav holds no video"),
        ("a.mp4", _no_pictures, "a.mp4 "),
        ("a.mp4", _missing, "a.mp4 cannot be read as video: No such file"),
        ("a.mp4", _folder, "a.mp4 cannot be read as video: Is a directory"),
        ("a.mp4", _half, "a.mp4 cannot be read as video: Invalid data"),
    ],
)
def test_a_file_that_is_no_video_is_refused_with_its_name(
    tmp_path: Path, name: str, make: Callable[[Path], None], problem: str
) -> None:
    make(tmp_path / name)
    with pytest.raises(BadFrameError) as error:
        list(read_pictures(tmp_path / name))
    assert error.value.detail.startswith(problem)


def test_a_truncated_recording_gives_what_it_holds_and_then_says_so(tmp_path: Path) -> None:
    path = tmp_path / "half.mkv"
    _half(path)
    pictures = read_pictures(path)
    assert len([next(pictures) for _ in range(5)]) == 5
    with pytest.raises(BadFrameError, match=r"half.mkv (ends after \d|has )"):
        list(pictures)


def test_a_damaged_part_costs_its_own_pictures_alone(tmp_path: Path) -> None:
    # Every picture of an MJPEG recording stands for itself.
    path = write_clip(tmp_path / "clip.mkv", [(n / 10, face()) for n in range(20)], codec="mjpeg")
    data = bytearray(path.read_bytes())
    starts = [at for at in range(len(data)) if data[at : at + 3] == b"\xff\xd8\xff"]
    data[starts[10] : starts[10] + 600] = bytes(600)
    path.write_bytes(data)
    times: list[float] = []

    def read() -> None:
        times.extend(picture.time for picture in read_pictures(path))

    with pytest.raises(BadFrameError, match=r"clip.mkv has a damaged part, left out: Invalid data"):
        read()
    assert times == pytest.approx([n / 10 for n in range(20) if n != 10])


def test_a_last_picture_that_stays_long_is_no_truncation(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [(0.0, scene()), (0.1, scene()), (6.0, scene())])
    assert len(list(read_pictures(clip))) == 3


def test_a_playlist_cannot_reach_the_network(tmp_path: Path) -> None:
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/clip.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(BadFrameError):
        list(read_pictures(path))


def test_the_rotation_of_a_real_recording_is_applied(shared_data: Path) -> None:
    frame = next(read_frames(shared_data / "gaze" / "eyes_only" / "center_focus.mp4"))
    assert frame.pixels.shape == (848, 480, 3)  # stored as 848 x 480


def test_a_video_of_giant_pictures_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_clip(tmp_path / "clip.mkv", [(0.0, scene())])
    monkeypatch.setattr(video_file, "MAX_PIXELS", 96 * 64 - 1)
    with pytest.raises(BadFrameError, match=r"clip\.mkv has 96 x 64 pixels, too many"):
        list(read_pictures(clip))
