"""What arrives in a recording and when: its audio in step with its frames, and what is missing."""

from __future__ import annotations

import math
from collections.abc import Iterator

from proctoring.incidents import IncidentChange
from proctoring.observations import AudioObservation
from proctoring.recording.audio_track import AudioTrack
from proctoring.session.counters import FrameCounts
from proctoring.session.media_monitor import MediaMonitor
from proctoring.session.pipeline import Pipeline


class RecordedArrivals:
    """Judges the audio of a recording, and which of its media stops, as in a live session. All times
    are media time; each call's are not before those of the call before.

    Args:
        pipeline: judges.
        track: the audio; empty for a recording without.
    """

    def __init__(self, pipeline: Pipeline, track: AudioTrack) -> None:
        self._pipeline = pipeline
        self._track = track
        self._monitor = MediaMonitor()
        self._changes: list[IncidentChange] = []
        self.time = 0.0
        """Of the last frame, audio or report, in seconds."""

    def take(self) -> tuple[IncidentChange, ...]:
        """The changes of incidents since the last call."""
        taken, self._changes = tuple(self._changes), []
        return taken

    def frame_arrived(self, time: float) -> None:
        """The next frame is at ``time``: judge what was missing before it."""
        while (due := self._monitor.due_at(self.time)) is not None and due < time:
            self.audio_until(due)
            self._report_if_due(due)
        self._monitor.frame_arrived(time)
        self._monitor.frame_analysed()  # at once: a recording does not wait
        self._report_if_due(time)

    def audio_until(self, time: float) -> None:
        """Judge the audio up to ``time``, and what is missing before it."""
        for _ in self._judge_audio(time):
            pass

    def rest(self) -> Iterator[float]:
        """Judge the rest of the audio; yields the media time of each observation."""
        return self._judge_audio(math.inf)

    def _judge_audio(self, until: float) -> Iterator[float]:
        for observation in self._track.until(until):
            while (due := self._monitor.due_at(self.time)) is not None and due < observation.time:
                self._report_if_due(due)
            self._changes += self._pipeline.apply(observation)
            if isinstance(observation, AudioObservation) and observation.level is not None:
                self._monitor.sound_arrived(observation.time)
            self._report_if_due(observation.time)
            yield observation.time

    def _report_if_due(self, time: float) -> None:
        self.time = max(self.time, time)
        if self._monitor.is_due(time):
            report = self._monitor.report(time, time, FrameCounts())
            self._changes += self._pipeline.apply(report)
