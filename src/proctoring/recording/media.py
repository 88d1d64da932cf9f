"""What a recording contains, read from its headers and its first frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from proctoring.audio.recording import declared_seconds, has_audio_track
from proctoring.errors import BadFrameError, BadRecordingError
from proctoring.vision.video_file import declared_duration, first_presentation_time


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """The streams of a recording."""

    path: Path
    duration: float | None
    """Declared length of the video stream, or of the audio where there is none, in seconds;
    ``None``: not declared."""
    origin: float | None
    """The file's own time stamp of the first frame, in seconds. Media times count from it.
    ``None``: there is no video."""
    has_audio: bool

    @property
    def has_video(self) -> bool:
        """Whether there is a video stream with at least one frame."""
        return self.origin is not None


def probe(path: Path) -> RecordingInfo:
    """Read what a file contains.

    Raises:
        BadRecordingError: it cannot be opened, or has neither video nor audio.
    """
    has_audio = has_audio_track(path)
    try:
        return RecordingInfo(
            path, declared_duration(path), first_presentation_time(path), has_audio
        )
    except BadFrameError as error:
        if not has_audio:
            raise BadRecordingError(error.detail) from error
        return RecordingInfo(path, declared_seconds(path), None, has_audio)
