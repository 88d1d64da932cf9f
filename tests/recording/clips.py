"""Clips made for the tests: a public-domain face that moves, encoded by FFmpeg."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import skimage.data
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
WIDTH, HEIGHT = 640, 480


def face(shift: float = 0.0) -> Pixels:
    """One person, moved to the right by ``shift`` pixels."""
    matrix = np.array([[1.0, 0.0, 64.0 + shift], [0.0, 1.0, 20.0]])
    return _warp(matrix)


def two_faces() -> Pixels:
    """The same face twice, side by side."""
    picture = face(-150.0)
    picture[:, WIDTH // 2 :] = face(120.0)[:, WIDTH // 2 :]
    return picture


def nobody() -> Pixels:
    """A cup of coffee."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[40:440, 20:620] = _photograph("coffee")
    return picture


def sitting(rate: float = 10.0) -> list[tuple[float, Pixels]]:
    """14 s: a face, from 3 s nobody, from 8 s two faces, from 11 s one. Times and pictures."""
    moments = []
    for number in range(round(14 * rate)):
        time = number / rate
        if time < 3 or time >= 11:
            picture = face(4 * np.sin(time))
        else:
            picture = nobody() if time < 8 else two_faces()
        moments.append((time, picture))
    return moments


def write_clip(path: Path, moments: Iterable[tuple[float, Pixels]], codec: str = "libx264") -> Path:
    """Encode pictures, each at its time; the kind of file is told by the name."""
    with av.open(str(path), "w") as container:
        options = {"crf": "12", "preset": "ultrafast"} if codec == "libx264" else {"qscale": "2"}
        stream = container.add_stream(codec, rate=30, options=options)
        assert isinstance(stream, VideoStream)
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90_000)
        for time, pixels in moments:
            if not stream.codec_context.is_open:
                stream.height, stream.width = pixels.shape[:2]
            picture = av.VideoFrame.from_ndarray(pixels, "rgb24")
            picture.pts, picture.time_base = round(time * 90_000), Fraction(1, 90_000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def write_clip_with_sound(
    path: Path, moments: Iterable[tuple[float, Pixels]], begin: float, samples: NDArray[np.int16]
) -> Path:
    """An MJPEG clip with uncompressed sound (16 kHz, mono) that begins at its own time."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mjpeg", rate=30, options={"qscale": "2"})
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
        audio = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for time, pixels in moments:
            picture = av.VideoFrame.from_ndarray(pixels, "rgb24")
            picture.pts, picture.time_base = round(time * 30), Fraction(1, 30)
            container.mux(video.encode(picture))
        for at in range(0, len(samples), 1600):
            frame = av.AudioFrame.from_ndarray(samples[None, at : at + 1600], "s16", "mono")
            frame.sample_rate, frame.time_base = 16_000, Fraction(1, 16_000)
            frame.pts = round(begin * 16_000) + at
            container.mux(audio.encode(frame))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return path


def write_sound(path: Path, samples: NDArray[np.int16], codec: str = "pcm_s16le") -> Path:
    """A sound file of 16 kHz, mono; the kind of file is told by the name."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=16_000, layout="mono")
        assert isinstance(stream, AudioStream)
        wanted = stream.codec_context.codec.audio_formats or [av.AudioFormat("s16")]
        resampler = av.AudioResampler(wanted[0].name, "mono", 16_000)
        for at in range(0, len(samples), 1152):
            frame = av.AudioFrame.from_ndarray(samples[None, at : at + 1152], "s16", "mono")
            frame.sample_rate, frame.pts = 16_000, at
            for piece in resampler.resample(frame):
                container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def _warp(matrix: NDArray[np.float64]) -> Pixels:
    warped = cv2.warpAffine(
        _photograph("astronaut"),
        matrix,
        (WIDTH, HEIGHT),
        borderValue=(90, 90, 90),
    )
    return np.asarray(warped, np.uint8)


def _photograph(name: str) -> Pixels:
    return np.asarray(getattr(skimage.data, name)(), np.uint8)
