"""Recorded video to frames: upright, in order, each with the time at which it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer

from proctoring.errors import BadFrameError
from proctoring.vision.frame import Frame

_DEFAULT_RATE = Fraction(25)
_TRUNCATED = 1.0
"""Seconds by which the pictures may end before the time that the file declares."""


@dataclass(frozen=True, slots=True)
class RecordedPicture:
    """A decoded picture that is not yet converted: most are never looked at."""

    time: float
    """Media time in seconds, to the microsecond: as exact as a capture time on the wire."""
    _picture: av.VideoFrame

    def frame(self) -> Frame:
        """The picture converted and turned upright."""
        pixels = np.asarray(self._picture.to_ndarray(format="rgb24"), np.uint8)
        turns = round(self._picture.rotation / 90) % 4  # Counter-clockwise, in degrees.
        return Frame(self.time, np.ascontiguousarray(np.rot90(pixels, turns)))


def declared_duration(path: Path) -> float | None:
    """Seconds of video that a file declares to hold; ``None`` where it does not say.

    Raises:
        BadFrameError: the file cannot be read as video.
    """
    with _opened(path) as container:
        return _declared_duration(container)


def read_pictures(path: Path) -> Iterator[RecordedPicture]:
    """The pictures of a file's first video stream, in the order in which they are shown.

    Times are seconds since the stream's first picture, by the file's own presentation times, so
    that a variable frame rate is honoured; rotation that the file declares is applied.

    Raises:
        BadFrameError: the file cannot be read as video, holds no pictures, is damaged or ends
            before it should; raised when iteration reaches that point.
    """
    with _opened(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        period = float(1 / (stream.average_rate or _DEFAULT_RATE))
        first: float | None = None
        last = 0.0
        try:
            for picture in container.decode(stream):
                if picture.pts is not None:
                    shown = picture.time
                else:
                    shown = 0.0 if first is None else first + last + period
                if first is None:
                    first = shown
                last = max(last, round(shown - first, 6))
                yield RecordedPicture(last, picture)
        except (av.FFmpegError, OSError) as error:
            where = "" if first is None else f" after {last:.1f} s"
            raise BadFrameError(f"{path.name} is damaged{where}: {_plain(error)}") from error
        if first is None:
            raise BadFrameError(f"{path.name} holds no pictures")
        declared = _declared_duration(container)
        if declared is not None and declared - last - period > _TRUNCATED:
            raise BadFrameError(f"{path.name} ends after {last:.1f} of its {declared:.1f} s")


def read_frames(path: Path, *, wanted: Callable[[float], bool] | None = None) -> Iterator[Frame]:
    """The frames of ``read_pictures``; those whose time ``wanted`` refuses are left out."""
    for picture in read_pictures(path):
        if wanted is None or wanted(picture.time):
            yield picture.frame()


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise BadFrameError(f"{path.name} cannot be read as video: {_plain(error)}") from error
    with container:
        if not container.streams.video:
            raise BadFrameError(f"{path.name} holds no video")
        yield container


def _declared_duration(container: InputContainer) -> float | None:
    stream = container.streams.video[0]
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None and len(container.streams) == 1:
        return container.duration / av.time_base
    return None  # the container's duration may be the sound's


def _plain(error: Exception) -> str:
    """What FFmpeg says, without its number and the path."""
    return str(getattr(error, "strerror", None) or error)
