"""From a stretch of media to the bytes that are kept: a JPEG, an MP4."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import cv2
import numpy as np
import simplejpeg
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from proctoring.audio.pcm import SAMPLE_RATE, Pcm
from proctoring.errors import BadFrameError
from proctoring.session.evidence.bystanders import hide_bystanders
from proctoring.session.evidence.crowd import CUTS_OF_CLIP, CUTS_OF_STILL, FindFaces, looks_at
from proctoring.session.evidence.ring import Picture, Stretch
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.frame import Pixels

_TICKS = 1000
"""Ticks of presentation time per second."""
_LONGEST_SIDE = 960
"""Larger pictures are made smaller in a clip; a still keeps its size."""
_QUALITY = 90
"""Of a still that is encoded anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """Evidence, ready to be kept."""

    kind: str
    media_type: str
    data: bytes
    start: float
    """Media time of the first picture, in seconds."""
    end: float
    blurred: bool


def make_still(
    stretch: Stretch, *, blur: bool, max_pixels: int, find: FindFaces | None = None
) -> Made:
    """The first picture of a stretch: the very bytes that came, or with bystanders hidden.

    Args:
        blur: hide them.
        find: looks for faces in the picture itself; without it, those that the session saw count.

    Raises:
        BadFrameError: there is none, or it is no picture.
    """
    if not stretch.pictures:
        raise BadFrameError("no picture was at hand")
    picture = stretch.pictures[0]
    data = picture.data
    pixels = decode_jpeg(data, max_pixels=max_pixels)  # it may be kept for years: is it one?
    if blur:
        looks = stretch.looks
        if find is not None:
            looks = looks_at([(picture.time, pixels)], looks, find, cuts=CUTS_OF_STILL)
        hidden = hide_bystanders(pixels, picture.time, looks)
        data = bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(hidden), quality=_QUALITY))
    return Made("still", "image/jpeg", data, picture.time, picture.time, blur)


def make_clip(
    stretch: Stretch, *, blur: bool, max_pixels: int, find: FindFaces | None = None
) -> Made:
    """The pictures of a stretch, each shown at its own time, and its sound if there is any.

    H.264 where this FFmpeg has it, MPEG-4 where not; AAC. Time 0 is the first picture's.
    ``blur`` and ``find``: as in ``make_still``.

    Raises:
        BadFrameError: no picture in it can be used.
    """
    file = io.BytesIO()
    shown: list[float] = []
    looks = stretch.looks
    if blur and find is not None:  # beforehand: who comes in later is hidden before
        seen = ((picture.time, pixels) for picture, pixels in _pixels(stretch, max_pixels))
        looks = looks_at(seen, looks, find, cuts=CUTS_OF_CLIP)
    with av.open(file, "w", format="mp4") as container:
        video: VideoStream | None = None
        audio: AudioStream | None = None
        for picture, came in _pixels(stretch, max_pixels):
            pixels = hide_bystanders(came, picture.time, looks) if blur else came
            if video is None:
                height, width = _size(pixels)
                video = _video_stream(container, width, height)
                if stretch.sounds:  # streams must all be there before the first is written
                    audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
                    audio.bit_rate = 48_000
            frame = av.VideoFrame.from_ndarray(_fitted(pixels, video.width, video.height), "rgb24")
            frame.pts = round((picture.time - (shown or [picture.time])[0]) * _TICKS)
            frame.time_base = Fraction(1, _TICKS)
            container.mux(video.encode(frame))
            shown.append(picture.time)
        if video is None:
            raise BadFrameError("no picture was at hand")
        container.mux(video.encode(None))
        if audio is not None:
            _write_sound(container, audio, _sound(stretch, shown[0], shown[-1]))
    return Made("clip", "video/mp4", file.getvalue(), shown[0], shown[-1], blur)


def _pixels(stretch: Stretch, max_pixels: int) -> Iterator[tuple[Picture, Pixels]]:
    """One picture after another, so that no more than one is held decoded."""
    last = -1.0
    for picture in stretch.pictures:
        try:
            pixels = decode_jpeg(picture.data, max_pixels=max_pixels)
        except BadFrameError:
            continue  # its sender has heard of it
        if picture.time - last < 1 / _TICKS:
            continue
        last = picture.time
        yield picture, pixels


def _size(pixels: Pixels) -> tuple[int, int]:
    """Height and width in the clip: even, since video is stored in blocks of 2 x 2."""
    height, width = pixels.shape[:2]
    scale = min(1.0, _LONGEST_SIDE / max(height, width))
    return max(2, int(height * scale) // 2 * 2), max(2, int(width * scale) // 2 * 2)


def _fitted(pixels: Pixels, width: int, height: int) -> Pixels:
    """The picture in the clip's size, whole: what is shaped otherwise gets black edges."""
    if pixels.shape[:2] == (height, width):
        return np.ascontiguousarray(pixels)
    scale = min(width / pixels.shape[1], height / pixels.shape[0])
    size = (
        min(width, max(1, round(pixels.shape[1] * scale))),
        min(height, max(1, round(pixels.shape[0] * scale))),
    )
    small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    if small.shape[:2] == (height, width):
        return small
    fitted = np.zeros((height, width, 3), np.uint8)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    fitted[top : top + size[1], left : left + size[0]] = small
    return fitted


def _video_stream(container: av.container.OutputContainer, width: int, height: int) -> VideoStream:
    name = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    options = {"preset": "veryfast", "crf": "24"} if name == "libx264" else {"qscale": "4"}
    stream = container.add_stream(name, rate=_TICKS, options=options)
    assert isinstance(stream, VideoStream)  # noqa: S101
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.time_base = Fraction(1, _TICKS)
    stream.codec_context.thread_count = 1  # the other cores are the analysers'
    return stream


def _sound(stretch: Stretch, start: float, end: float) -> Pcm:
    """Samples from ``start`` to ``end``; silence where none came."""
    samples = np.zeros(max(1, round((end - start) * SAMPLE_RATE)), np.int16)
    for sound in stretch.sounds:
        at = round((sound.time - start) * SAMPLE_RATE)
        piece = sound.samples[max(0, -at) :][: max(0, len(samples) - max(0, at))]
        samples[max(0, at) : max(0, at) + len(piece)] = piece
    return samples


def _write_sound(container: av.container.OutputContainer, audio: AudioStream, samples: Pcm) -> None:
    frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    frame.pts = 0
    frame.time_base = Fraction(1, SAMPLE_RATE)
    container.mux(audio.encode(frame))
    container.mux(audio.encode(None))
