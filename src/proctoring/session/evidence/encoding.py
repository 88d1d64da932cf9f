"""Encodes a segment of media as evidence: a JPEG still or an MP4 clip."""

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
from proctoring.session.evidence.face_search import (
    TILES_OF_CLIP,
    TILES_OF_STILL,
    FindFaces,
    search_faces,
)
from proctoring.session.evidence.media_buffer import EncodedFrame, MediaSegment
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.frame import Pixels

_TICKS = 1000
"""Ticks of presentation time per second."""
_LONGEST_SIDE = 960
"""Pixels. Larger frames are scaled down in a clip; a still keeps its size."""
_STILL_QUALITY = 90
"""JPEG quality of a still that is encoded again."""
_AUDIO_BIT_RATE = 48_000


@dataclass(frozen=True, slots=True, eq=False)
class EncodedEvidence:
    """A still or a clip, ready to be stored."""

    kind: str
    """``still`` or ``clip``."""
    media_type: str
    data: bytes
    start: float
    """Media time of the first frame, in seconds."""
    end: float
    """Media time of the last frame, in seconds."""
    blurred: bool
    """Whether bystanders are hidden."""


def encode_still(
    segment: MediaSegment, *, blur: bool, max_pixels: int, find: FindFaces | None = None
) -> EncodedEvidence:
    """The first frame of a segment: unchanged, or with bystanders hidden.

    Args:
        blur: hide bystanders.
        find: searches the frame for faces; without it, only those that the session found are hidden.

    Raises:
        BadFrameError: there is no frame, or it cannot be decoded.
    """
    if not segment.frames:
        raise BadFrameError("there is no frame")
    frame = segment.frames[0]
    data = frame.data
    pixels = decode_jpeg(data, max_pixels=max_pixels)  # even unblurred: only images are stored
    if blur:
        people = segment.people
        if find is not None:
            people = search_faces([(frame.time, pixels)], people, find, tiles=TILES_OF_STILL)
        hidden = hide_bystanders(pixels, frame.time, people)
        data = bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(hidden), quality=_STILL_QUALITY))
    return EncodedEvidence("still", "image/jpeg", data, frame.time, frame.time, blur)


def encode_clip(
    segment: MediaSegment, *, blur: bool, max_pixels: int, find: FindFaces | None = None
) -> EncodedEvidence:
    """The frames of a segment, each at its own time, with its audio if there is any.

    H.264 if this build of FFmpeg has it, otherwise MPEG-4; AAC. Time 0 is the first frame's. Frames
    that cannot be decoded are left out. ``blur`` and ``find``: as in ``encode_still``.

    Raises:
        BadFrameError: no frame can be decoded.
    """
    file = io.BytesIO()
    times: list[float] = []
    people = segment.people
    if blur and find is not None:  # in a pass of its own: newcomers are hidden in earlier frames
        decoded = ((frame.time, pixels) for frame, pixels in _decode(segment, max_pixels))
        people = search_faces(decoded, people, find, tiles=TILES_OF_CLIP)
    with av.open(file, "w", format="mp4") as container:
        video: VideoStream | None = None
        audio: AudioStream | None = None
        for frame, original in _decode(segment, max_pixels):
            pixels = hide_bystanders(original, frame.time, people) if blur else original
            if video is None:
                height, width = _size(pixels)
                video = _video_stream(container, width, height)
                if segment.audio:  # all streams must be added before the first packet
                    audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
                    audio.bit_rate = _AUDIO_BIT_RATE
            shown = av.VideoFrame.from_ndarray(_fitted(pixels, video.width, video.height), "rgb24")
            shown.pts = round((frame.time - (times or [frame.time])[0]) * _TICKS)
            shown.time_base = Fraction(1, _TICKS)
            container.mux(video.encode(shown))
            times.append(frame.time)
        if video is None:
            raise BadFrameError("there is no frame")
        container.mux(video.encode(None))
        if audio is not None:
            _write_audio(container, audio, _samples(segment, times[0], times[-1]))
    return EncodedEvidence("clip", "video/mp4", file.getvalue(), times[0], times[-1], blur)


def _decode(segment: MediaSegment, max_pixels: int) -> Iterator[tuple[EncodedFrame, Pixels]]:
    """The frames that can be decoded, one at a time to limit memory."""
    last = -1.0
    for frame in segment.frames:
        try:
            pixels = decode_jpeg(frame.data, max_pixels=max_pixels)
        except BadFrameError:
            continue  # already reported to its sender
        if frame.time - last < 1 / _TICKS:
            continue
        last = frame.time
        yield frame, pixels


def _size(pixels: Pixels) -> tuple[int, int]:
    """Height and width in the clip: even, as chroma subsampling needs."""
    height, width = pixels.shape[:2]
    scale = min(1.0, _LONGEST_SIDE / max(height, width))
    return max(2, int(height * scale) // 2 * 2), max(2, int(width * scale) // 2 * 2)


def _fitted(pixels: Pixels, width: int, height: int) -> Pixels:
    """The whole frame in the clip's size, with black bars if its aspect ratio differs."""
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
    stream.codec_context.thread_count = 1  # leaves the other cores to analysis
    return stream


def _samples(segment: MediaSegment, start: float, end: float) -> Pcm:
    """The samples from ``start`` to ``end``; silence where audio is missing."""
    samples = np.zeros(max(1, round((end - start) * SAMPLE_RATE)), np.int16)
    for chunk in segment.audio:
        at = round((chunk.time - start) * SAMPLE_RATE)
        part = chunk.samples[max(0, -at) :][: max(0, len(samples) - max(0, at))]
        samples[max(0, at) : max(0, at) + len(part)] = part
    return samples


def _write_audio(container: av.container.OutputContainer, audio: AudioStream, samples: Pcm) -> None:
    frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    frame.pts = 0
    frame.time_base = Fraction(1, SAMPLE_RATE)
    container.mux(audio.encode(frame))
    container.mux(audio.encode(None))
