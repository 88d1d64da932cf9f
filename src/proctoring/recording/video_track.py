"""The video of a recording, analysed and judged frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from proctoring.incidents import IncidentChange
from proctoring.session.missing_media import missing_media
from proctoring.session.pipeline import Pipeline
from proctoring.vision.analyser import FrameAnalysis
from proctoring.vision.frame import Frame
from proctoring.vision.video_file import read_pictures


@dataclass(frozen=True, slots=True, eq=False)
class AnalysedFrame:
    """One analysed frame and the changes of incidents up to it."""

    frame: Frame
    analysis: FrameAnalysis
    changes: tuple[IncidentChange, ...]
    """Since the previous analysed frame."""
    frames_read: int
    """Frames of the recording so far, analysed or not."""


def analyse_video(path: Path, pipeline: Pipeline) -> Iterator[AnalysedFrame]:
    """Analyse the frames that are due, in order. Does not call ``pipeline.finish``.

    A long stretch without frames counts as missing media, as on a socket.

    Raises:
        BadFrameError: as ``read_pictures``.
    """
    frames_read = 0
    last = 0.0
    before: tuple[IncidentChange, ...] = ()
    for picture in read_pictures(path):
        frames_read += 1
        for missing in missing_media(last, picture.time):
            before += pipeline.apply(missing)
        last = picture.time
        if not pipeline.is_due(picture.time):
            continue  # a frame after missing media is always due, so ``before`` is not lost
        frame = picture.frame()
        analysis, changes = pipeline.analyse(frame)
        yield AnalysedFrame(frame, analysis, before + changes, frames_read)
        before = ()
