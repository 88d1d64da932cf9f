"""Recorded video, written here by the encoder and read back."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from proctoring.errors import BadFrameError
from proctoring.vision.frame import Pixels
from proctoring.vision.recording import read_frames


def write(path: Path, pictures: list[Pixels], times: list[float]) -> Path:
    """A video whose frames are shown at these seconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height = pictures[0].shape[1], pictures[0].shape[0]
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.bit_rate = 4_000_000
        for pixels, time in zip(pictures, times, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_frames_come_with_the_times_at_which_they_are_shown(
    tmp_path: Path, astronaut: Pixels
) -> None:
    times = [0.0, 0.04, 0.5, 0.533, 2.0]  # a variable frame rate
    video = write(tmp_path / "video.mp4", [astronaut] * 5, times)

    frames = list(read_frames(video))

    assert [frame.time for frame in frames] == pytest.approx(times, abs=0.002)
    difference = np.abs(frames[0].pixels.astype(float) - astronaut.astype(float))
    assert frames[0].pixels.shape == astronaut.shape
    assert difference.mean() < 8


def test_times_begin_at_the_first_frame(tmp_path: Path, astronaut: Pixels) -> None:
    video = write(tmp_path / "video.mkv", [astronaut] * 3, [5.0, 5.1, 5.2])

    assert [frame.time for frame in read_frames(video)] == pytest.approx([0, 0.1, 0.2], abs=0.002)


def test_frames_that_are_not_wanted_are_left_out(tmp_path: Path, astronaut: Pixels) -> None:
    video = write(tmp_path / "video.mp4", [astronaut] * 6, [index / 10 for index in range(6)])

    frames = read_frames(video, wanted=lambda time: time > 0.25)

    assert [frame.time for frame in frames] == pytest.approx([0.3, 0.4, 0.5], abs=0.002)


@pytest.mark.parametrize("content", [b"", b"not a video at all" * 100])
def test_what_is_no_video_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "notes.mp4").write_bytes(content)

    with pytest.raises(BadFrameError, match=r"notes\.mp4 cannot be read as video"):
        list(read_frames(tmp_path / "notes.mp4"))


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadFrameError, match=r"absent\.mp4 cannot be read as video"):
        list(read_frames(tmp_path / "absent.mp4"))


def test_rotation_that_the_file_declares_is_applied(shared_data: Path) -> None:
    frame = next(read_frames(shared_data / "gaze" / "eyes_only" / "center_focus.mp4"))

    assert frame.pixels.shape == (848, 480, 3)  # stored as 848 x 480
