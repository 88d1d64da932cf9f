"""Reading video files: upright frames in presentation order, with their presentation times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from proctoring.errors import BadFrameError
from proctoring.vision.frame import Frame

MAX_PIXELS = 7680 * 4320
"""Largest picture of a video: 8K, 100 MB once converted to RGB."""
_DEFAULT_RATE = Fraction(25)
"""Frames per second assumed where the file does not state its rate."""
_MAX_MISSING_END = 1.0
"""Seconds by which the last frame may end before the declared duration."""


@dataclass(frozen=True, slots=True)
class RecordedPicture:
    """A decoded picture that is not yet converted to RGB: most are never analysed."""

    time: float
    """Media time in seconds, rounded to microseconds as capture times in the video protocol are."""
    _picture: av.VideoFrame
    _converter: VideoReformatter
    """Shared by the pictures of a file: it prepares the conversion once."""

    def frame(self) -> Frame:
        """Convert to RGB and turn upright."""
        # By default as many threads as cores are started for every picture: 8 ms of CPU on 64, 0.2 on this one.
        converted = self._converter.reformat(self._picture, format="rgb24", threads=1)
        pixels = np.asarray(converted.to_ndarray(), np.uint8)
        turns = round(self._picture.rotation / 90) % 4  # Counter-clockwise, in degrees.
        return Frame(self.time, np.ascontiguousarray(np.rot90(pixels, turns)))


def declared_duration(path: Path) -> float | None:
    """The duration of video in seconds that a file declares; ``None``: it declares none.

    Raises:
        BadFrameError: the file cannot be read as video.
    """
    with _opened(path) as (container, stream):
        return _declared_duration(container, stream)


def read_pictures(path: Path, threads: int | None = None) -> Iterator[RecordedPicture]:
    """The pictures of a file's first video stream, in presentation order.

    Times are seconds since the stream's first picture, by the file's presentation timestamps, so
    variable frame rates are respected. Damaged packets are skipped.

    Args:
        path: the file.
        threads: that decode; by default one per core, as FFmpeg sees fit. The pictures are the same.

    Raises:
        BadFrameError: the file cannot be read as video or holds no pictures. After the last
            picture: packets were damaged, or the video ends before its declared duration.
    """
    with _opened(path) as (container, stream):
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = threads or 0
        period = float(1 / (stream.average_rate or _DEFAULT_RATE))
        converter = VideoReformatter()
        first: float | None = None
        last = end = 0.0
        damage = _Damage()
        for picture in _decoded(container, stream, damage):
            if picture.pts is not None:
                shown = picture.time
            else:
                shown = 0.0 if first is None else first + last + period
            if first is None:
                first = shown
            last = max(last, round(shown - first, 6))
            end = shown + (float(picture.duration * (picture.time_base or 0)) or period)
            yield RecordedPicture(last, picture, converter)
        if first is None:
            raise BadFrameError(f"{path.name} holds no pictures")
        if damage.detail:
            parts = f"{damage.packets} damaged parts" if damage.packets > 1 else "a damaged part"
            raise BadFrameError(f"{path.name} has {parts}, left out: {damage.detail}")
        declared = _declared_duration(container, stream)
        if declared is not None and declared - end > _MAX_MISSING_END:
            raise BadFrameError(f"{path.name} ends after {last:.1f} of its {declared:.1f} s")


def first_presentation_time(path: Path) -> float:
    """The file's timestamp of its first picture, in seconds: media time 0 of picture and audio.

    Raises:
        BadFrameError: the file cannot be read as video or holds no pictures.
    """
    with _opened(path) as (container, stream):
        for picture in _decoded(container, stream, _Damage()):
            return 0.0 if picture.pts is None else float(picture.time or 0.0)
        raise BadFrameError(f"{path.name} holds no pictures")


def read_frames(path: Path, *, wanted: Callable[[float], bool] | None = None) -> Iterator[Frame]:
    """The frames of ``read_pictures`` whose time satisfies ``wanted``; all where it is ``None``."""
    for picture in read_pictures(path):
        if wanted is None or wanted(picture.time):
            yield picture.frame()


@dataclass(slots=True)
class _Damage:
    packets: int = 0
    detail: str = ""


def _decoded(
    container: InputContainer, stream: VideoStream, damage: _Damage
) -> Iterator[av.VideoFrame]:
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            pictures = packet.decode() if packet is not None else []
        except av.FFmpegError as error:
            damage.packets += 1
            damage.detail = _plain(error)
            continue
        if packet is None:
            return
        yield from (picture for picture in pictures if isinstance(picture, av.VideoFrame))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    try:
        # Playlists refer to other inputs: only local files may be opened, no network.
        container = av.open(str(path), options={"protocol_whitelist": "file"})
    except (av.FFmpegError, OSError, ValueError) as error:
        raise BadFrameError(f"{path.name} cannot be read as video: {_plain(error)}") from error
    with container:
        if container.format.name.endswith(("image2", "_pipe")):
            raise BadFrameError(f"{path.name} is a picture, not a video")
        cover = Disposition.attached_pic  # the cover of an audio file
        streams = [s for s in container.streams.video if not s.disposition & cover]
        if not streams:
            raise BadFrameError(f"{path.name} holds no video")
        width, height = streams[0].width, streams[0].height
        if width * height > MAX_PIXELS:
            raise BadFrameError(f"{path.name} has {width} x {height} pixels, too many to analyse")
        streams[0].codec_context.options |= {"max_pixels": str(MAX_PIXELS)}  # also if they grow
        yield container, streams[0]


def _declared_duration(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration and len(container.streams) == 1:
        return container.duration / av.time_base
    return None  # the container's duration may be that of the audio


def _plain(error: Exception) -> str:
    """FFmpeg's message without its error number and the path."""
    return str(getattr(error, "strerror", None) or error)
