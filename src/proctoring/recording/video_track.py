"""The video of a recording, analysed and judged frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from proctoring.incidents import IncidentChange
from proctoring.recording.arrivals import RecordedArrivals
from proctoring.recording.audio_track import AudioTrack
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


def analyse_video(
    path: Path,
    pipeline: Pipeline,
    arrivals: RecordedArrivals | None = None,
    decoding_threads: int | None = None,
) -> Iterator[AnalysedFrame]:
    """Analyse the frames that are due, in order. Does not call ``pipeline.finish``.

    A long stretch without frames counts as missing media, as on a socket.

    Args:
        path: the recording.
        pipeline: judges the frames.
        arrivals: judges the audio in step with them, by the same pipeline; without, there is none.
        decoding_threads: as for ``read_pictures``.

    Raises:
        BadFrameError: as ``read_pictures``.
    """
    if arrivals is None:
        arrivals = RecordedArrivals(pipeline, AudioTrack())
    frames_read = 0
    for picture in read_pictures(path, decoding_threads):
        frames_read += 1
        arrivals.frame_arrived(picture.time)
        if not pipeline.is_due(picture.time):
            continue
        before = arrivals.take()
        frame = picture.frame()
        analysis, changes = pipeline.analyse(frame)
        arrivals.audio_until(picture.time)
        yield AnalysedFrame(frame, analysis, before + changes + arrivals.take(), frames_read)
