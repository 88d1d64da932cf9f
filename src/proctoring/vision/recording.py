"""Recorded video to frames: upright, in order, each with the time at which it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from proctoring.errors import BadFrameError
from proctoring.vision.frame import Frame

_DEFAULT_PERIOD = Fraction(1, 25)


def read_frames(path: Path, *, wanted: Callable[[float], bool] | None = None) -> Iterator[Frame]:
    """The frames of a file's first video stream.

    Times are seconds since the stream's first frame, by the file's own presentation times, so that
    a variable frame rate is honoured. Rotation that the file declares is applied. Frames whose
    time ``wanted`` refuses are decoded but neither converted nor given.

    Raises ``BadFrameError`` for a file that cannot be read as video, when iteration reaches the
    damage.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise BadFrameError(f"{path.name} holds no video")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            period = 1 / (stream.average_rate or 1 / _DEFAULT_PERIOD)
            first: float | None = None
            last = 0.0
            for picture in container.decode(stream):
                shown = picture.time if picture.time is not None else last + float(period)
                if first is None:
                    first = shown
                time = max(last, shown - first)
                last = time
                if wanted is not None and not wanted(time):
                    continue
                pixels = np.asarray(picture.to_ndarray(format="rgb24"), np.uint8)
                turns = round(picture.rotation / 90) % 4  # Counter-clockwise, in degrees.
                yield Frame(time, np.ascontiguousarray(np.rot90(pixels, turns)))
    except (av.FFmpegError, OSError) as error:
        raise BadFrameError(f"{path.name} cannot be read as video: {error}") from error
