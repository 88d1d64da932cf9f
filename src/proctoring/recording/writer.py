"""Writes frames to an MP4 file, each at its own presentation time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.video.stream import VideoStream

from proctoring.errors import SettingsError
from proctoring.vision.frame import Pixels

_TICKS = 1000
"""Ticks of presentation time per second."""


class VideoWriter:
    """A context manager that writes H.264, or MPEG-4 where FFmpeg has no encoder for it.

    The file appears under its name once it is complete; after an error there is none.

    Raises:
        SettingsError: the file cannot be written; from every method.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unfinished = path.with_name(path.name + ".unfinished")
        self._stream: VideoStream | None = None
        self._last = -1

    def __enter__(self) -> Self:
        with self._named_errors():
            self._unfinished.touch()
            self._container = av.open(str(self._unfinished), "w", format="mp4")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with self._named_errors():
                if kind is None and self._stream is not None:
                    self._container.mux(self._stream.encode(None))
                self._container.close()
                if kind is None and self._stream is not None:
                    self._unfinished.replace(self._path)
        finally:
            self._unfinished.unlink(missing_ok=True)

    def write(self, time: float, pixels: Pixels) -> None:
        """Add a frame that is shown from ``time`` (seconds) until the next one.

        A frame of another size than the first is left out, and so is an odd row or column: video
        with subsampled colour has even sides.
        """
        height, width = (side // 2 * 2 for side in pixels.shape[:2])
        if self._stream is None:
            self._stream = self._new_stream(width, height)
        if (self._stream.height, self._stream.width) != (height, width):
            return
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels[:height, :width]), "rgb24")
        self._last = max(self._last + 1, round(time * _TICKS))
        picture.pts = self._last
        picture.time_base = Fraction(1, _TICKS)
        with self._named_errors():
            self._container.mux(self._stream.encode(picture))

    def _new_stream(self, width: int, height: int) -> VideoStream:
        name = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        options = {"preset": "veryfast", "crf": "23"} if name == "libx264" else {"qscale": "4"}
        stream = self._container.add_stream(name, rate=_TICKS, options=options)
        assert isinstance(stream, VideoStream)  # noqa: S101
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, _TICKS)
        return stream

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            raise SettingsError(f"{self._path}: {error.strerror or error}") from error
