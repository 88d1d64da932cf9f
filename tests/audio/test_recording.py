"""The audio of recordings of any kind, as 16 kHz mono."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from proctoring.audio.recording import read_audio
from proctoring.errors import BadRecordingError

RATE = 16_000


def write_tone(path: Path, codec: str, rate: int, layout: str, seconds: float) -> None:
    channels = 2 if layout == "stereo" else 1
    time = np.arange(int(rate * seconds)) / rate
    tone = (np.sin(2 * np.pi * 440 * time) * 16000).astype(np.int16)
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(
            np.repeat(tone, channels)[None], format="s16", layout=layout
        )
        frame.sample_rate = rate
        resampler = av.AudioResampler(stream.format.name, layout, rate, frame_size=1024)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("name", "codec", "rate", "layout"),
    [
        ("tone.wav", "pcm_s16le", 48_000, "stereo"),
        ("tone.flac", "flac", 44_100, "mono"),
        ("tone.mp4", "aac", 48_000, "stereo"),
    ],
)
def test_any_rate_and_layout_becomes_16_khz_mono(
    tmp_path: Path, name: str, codec: str, rate: int, layout: str
) -> None:
    write_tone(tmp_path / name, codec, rate, layout, 2.0)
    chunks = list(read_audio(tmp_path / name))
    audio = np.concatenate([chunk.samples for chunk in chunks])
    assert audio.dtype == np.int16
    assert len(audio) == pytest.approx(2 * RATE, abs=2100)  # codecs pad by up to two frames
    middle = audio[RATE // 2 : RATE // 2 + RATE].astype(float)
    spectrum = np.abs(np.fft.rfft(middle))
    assert spectrum.argmax() == 440
    assert middle.std() == pytest.approx(16000 / np.sqrt(2), rel=0.05)


def test_chunks_are_contiguous(tmp_path: Path) -> None:
    write_tone(tmp_path / "tone.wav", "pcm_s16le", 48_000, "mono", 3.0)
    chunks = list(read_audio(tmp_path / "tone.wav"))
    for before, after in pairwise(chunks):
        assert after.time == pytest.approx(before.time + len(before.samples) / RATE, abs=1e-6)


def test_a_file_without_audio_gives_nothing(tmp_path: Path) -> None:
    with av.open(tmp_path / "silent.mp4", "w") as container:
        stream = container.add_stream("mpeg4", rate=10, width=64, height=64)
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    assert list(read_audio(tmp_path / "silent.mp4")) == []


@pytest.mark.parametrize("content", [b"", b"not a recording at all" * 100])
def test_what_is_no_recording_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.wav").write_bytes(content)
    with pytest.raises(BadRecordingError, match=r"odd\.wav"):
        list(read_audio(tmp_path / "odd.wav"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadRecordingError, match=r"gone\.wav"):
        list(read_audio(tmp_path / "gone.wav"))
