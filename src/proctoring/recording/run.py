"""Runs the analysis of one recording from start to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from proctoring.errors import BadFrameError, BadRecordingError
from proctoring.incidents import IncidentChange
from proctoring.recording.annotation import FrameAnnotator
from proctoring.recording.arrivals import RecordedArrivals
from proctoring.recording.audio_track import AudioTrack
from proctoring.recording.media import RecordingInfo
from proctoring.recording.report import Speed
from proctoring.recording.video_track import analyse_video
from proctoring.recording.writer import VideoWriter
from proctoring.session.pipeline import Pipeline

AnalysisProgress = Callable[[float, float | None], None]
"""Called with the seconds of media analysed so far and in all (``None``: the file does not say)."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """Result of a run."""

    changes: tuple[IncidentChange, ...]
    speed: Speed
    problem: str = ""
    """Why the video could not be read to its end; empty when it could."""


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Wall and CPU time of this process since it was made."""

    _wall: float = field(default_factory=time.perf_counter)
    _cpu: float = field(default_factory=time.process_time)

    def speed(self, duration: float, frames: int = 0, analysed: int = 0) -> Speed:
        """The cost of so much media."""
        elapsed, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return Speed(duration, elapsed, cpu, frames, analysed)


def run_video(
    recording: RecordingInfo,
    pipeline: Pipeline,
    track: AudioTrack,
    progress: AnalysisProgress,
    *,
    annotated: Path | None = None,
    mirrored: bool = False,
    decoding_threads: int | None = None,
) -> RunResult:
    """Analyse a recording's frames, its audio in step with them.

    Raises:
        BadRecordingError: not a single frame can be read.
        SettingsError: ``annotated`` cannot be written.
    """
    stopwatch, annotator = Stopwatch(), FrameAnnotator(mirrored=mirrored)
    arrivals = RecordedArrivals(pipeline, track)
    changes: list[IncidentChange] = []
    last, frames, count, problem = 0.0, 0, 0, ""
    progress(0.0, recording.duration)
    with VideoWriter(annotated) if annotated else nullcontext() as writer:
        try:
            for analysed in analyse_video(recording.path, pipeline, arrivals, decoding_threads):
                last, frames = analysed.frame.time, analysed.frames_read
                found = analysed.changes
                changes += found
                count += 1
                if writer is not None:
                    writer.write(last, annotator.annotate(analysed.frame, analysed.analysis, found))
                progress(last, recording.duration)
        except BadFrameError as error:
            if not count:
                raise BadRecordingError(error.detail) from error
            problem = error.detail
        for _ in arrivals.rest():
            pass
    changes += arrivals.take()
    changes += pipeline.finish(arrivals.time)
    end = recording.duration or last
    progress(end, end)
    return RunResult(tuple(changes), stopwatch.speed(last, frames, count), problem)


def run_audio(
    recording: RecordingInfo, pipeline: Pipeline, track: AudioTrack, progress: AnalysisProgress
) -> RunResult:
    """Analyse a recording without video."""
    stopwatch = Stopwatch()
    arrivals = RecordedArrivals(pipeline, track)
    last = 0.0
    progress(0.0, recording.duration)
    for time_judged in arrivals.rest():
        last = max(last, time_judged)
        progress(last, recording.duration)
    changes = list(arrivals.take())
    changes += pipeline.finish(last)
    end = recording.duration or last
    progress(end, end)
    return RunResult(tuple(changes), stopwatch.speed(last))
