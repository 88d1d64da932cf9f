"""Pictures to an MP4 file."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

import numpy as np
import pytest
from tests.recording.clips import face

from proctoring.errors import SettingsError
from proctoring.recording.writer import VideoWriter
from proctoring.vision.video_file import read_frames


def test_each_picture_is_shown_at_its_time(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    times = [0.0, 0.1, 0.2, 0.9, 3.0]
    with VideoWriter(path) as writer:
        for number, time in enumerate(times):
            writer.write(time, face(10.0 * number))
    frames = list(read_frames(path))
    assert [frame.time for frame in frames] == pytest.approx(times, abs=0.001)
    for number, frame in enumerate(frames):
        assert np.abs(frame.pixels.astype(int) - face(10.0 * number)).mean() < 6


def test_an_odd_row_and_column_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with VideoWriter(path) as writer:
        writer.write(0.0, face()[:101, :203])
    (frame,) = read_frames(path)
    assert frame.pixels.shape == (100, 202, 3)


def test_after_an_error_nothing_half_done_is_left(tmp_path: Path) -> None:
    def fail() -> None:
        with VideoWriter(tmp_path / "out.mp4") as writer:
            writer.write(0.0, face())
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert not list(tmp_path.iterdir())


def test_without_pictures_there_is_no_file(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"out.mp4: No such file"):
        VideoWriter(tmp_path / "none" / "out.mp4").__enter__()


def test_a_full_disk_is_one_error_and_leaves_nothing(tmp_path: Path) -> None:
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    noise = np.random.default_rng(1).integers(0, 255, (480, 640, 3), np.uint8)

    def write() -> None:
        with VideoWriter(tmp_path / "out.mp4") as writer:
            for number in range(60):
                writer.write(number / 10, np.roll(noise, number * 7, axis=1))

    usual = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limit[1]))
    try:
        with pytest.raises(SettingsError, match=r"out.mp4: File too large"):
            write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, usual)
    assert not list(tmp_path.iterdir())
