"""A recorded video played to a pipeline, as a candidate's client would send it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from proctoring.incidents import IncidentChange
from proctoring.session.pipeline import Pipeline
from proctoring.session.silence import silences
from proctoring.vision.analyser import FrameAnalysis
from proctoring.vision.frame import Frame
from proctoring.vision.recording import read_pictures


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """One frame that was looked at, and what it changed."""

    frame: Frame
    analysis: FrameAnalysis
    changes: tuple[IncidentChange, ...]
    """Including those of the time since the moment before."""
    pictures: int
    """Pictures of the recording up to here, looked at or not."""


def play(path: Path, pipeline: Pipeline) -> Iterator[Moment]:
    """Analyse the frames of a recording that are due, in order. Does not finish the pipeline.

    Where the recording holds no picture for long, media is missing, as it would be on a socket.

    Raises:
        BadFrameError: as ``read_pictures``.
    """
    pictures = 0
    last = 0.0
    before: tuple[IncidentChange, ...] = ()
    for picture in read_pictures(path):
        pictures += 1
        for silence in silences(last, picture.time):
            before += pipeline.apply(silence)
        last = picture.time
        if not pipeline.is_due(picture.time):
            continue  # never so after a silence, so ``before`` is not lost
        frame = picture.frame()
        analysis, changes = pipeline.analyse(frame)
        yield Moment(frame, analysis, before + changes, pictures)
        before = ()
