"""What a session keeps of its event loop's half and of its sound, so that another process can continue it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from proctoring.session.audio_session import AudioSession
from proctoring.session.clock import ClockState, MediaClock
from proctoring.session.counters import AudioCounts, FrameCounts, IncidentsShown, SessionCounters
from proctoring.session.lifetime import IdleTimer
from proctoring.session.media_monitor import MediaMonitor, MonitorState
from proctoring.session.remote_speakers import RemoteSpeakers
from proctoring.session.sound_state import SoundState, SoundVoices
from proctoring.session.transcription import TranscriptionSession


@dataclass(frozen=True, slots=True)
class ArrivalState:
    """Clocks, counters and positions: half a kilobyte, neither media nor words."""

    taken_at: float
    """Wall clock, seconds since 1970."""
    clock: ClockState
    monitor: MonitorState
    idle: float
    """Seconds without activity."""
    awaited: bool
    """As in ``SessionConfig``."""
    frames: FrameCounts
    audio: AudioCounts
    sound_end: float | None
    """Media time of the end of the last sample received; ``None`` before the first."""
    untranscribed: float = 0.0
    """Seconds of audio that were not transcribed; 0 where nothing is."""
    transcription_trouble: str = ""
    """Why there are no transcripts, as told last."""


@dataclass(frozen=True, slots=True, eq=False)
class Continuation:
    """Takes and restores the state of one session. Each method copies little and takes microseconds.

    ``docs/internals/sessions.md`` says what is left out.
    """

    clock: MediaClock
    monitor: MediaMonitor
    idle: IdleTimer
    counters: SessionCounters
    sound: AudioSession
    transcription: TranscriptionSession | None
    remote_speakers: RemoteSpeakers | None

    def arrival_state(self, now: float, wall: float) -> ArrivalState:
        """For the event loop, at any time.

        Args:
            now: seconds of the session's clock.
            wall: seconds since 1970.
        """
        transcription = self.transcription
        return ArrivalState(
            taken_at=wall,
            clock=self.clock.snapshot(now),
            monitor=self.monitor.snapshot(now),
            idle=self.idle.idle_for(now),
            awaited=self.idle.awaited,
            frames=self.counters.frames.copied(),
            audio=self.counters.audio.copied(),
            sound_end=self.sound.end_time,
            untranscribed=0.0 if transcription is None else transcription.missing,
            transcription_trouble="" if transcription is None else transcription.trouble,
        )

    def sound_state(self) -> tuple[SoundState, SoundVoices]:
        """For the worker's turn: that of the analyser after the last observation that was judged."""
        state, voices = self.sound.snapshot()
        if self.remote_speakers is not None:
            state = replace(state, words_awaited_from=self.remote_speakers.transcribed_until)
        return state, voices

    def incidents(self) -> IncidentsShown:
        """For the worker's turn: what judgement has published."""
        return self.counters.incidents

    def restore(
        self,
        arrivals: ArrivalState,
        incidents: IncidentsShown,
        sound: SoundState,
        voices: SoundVoices,
        *,
        now: float,
        passed: float,
        judged_until: float = 0.0,
        transcribed_until: float = 0.0,
    ) -> None:
        """Have a new session go on. For the event loop, before anything arrives. The four states may
        be of different moments.

        The time that passed counts as media time, since the exam went on; neither as missing media
        nor as inactivity, since nobody could have received anything. Frames and sound that were not
        judged were lost with the process. They count as never received: sound is reported as missing
        once more arrives.

        Args:
            now: seconds of this session's clock.
            passed: seconds since ``arrivals`` was taken, 0 if that is negative.
            judged_until: media time up to which sound was judged (``JudgementState.heard_until``).
            transcribed_until: end of the last final transcript, likewise.
        """
        self.sound.restore(sound, voices, judged_until)
        reached = max(judged_until, transcribed_until)
        self.clock.restore(arrivals.clock, now - max(0.0, passed), reached)
        self.idle.restore(arrivals.idle, now, awaited=arrivals.awaited)
        frames = _without_waiting(arrivals.frames)
        self.monitor.restore(replace(arrivals.monitor, at_last=frames), now)
        audio = replace(arrivals.audio)
        received_until = sound.start if arrivals.sound_end is None else arrivals.sound_end
        if received_until is not None and self.sound.end_time is not None:
            audio.received = max(0.0, audio.received + self.sound.end_time - received_until)
        self.counters.restore(frames, audio, incidents)
        if self.transcription is not None:
            trouble = arrivals.transcription_trouble
            self.transcription.restore(arrivals.untranscribed, trouble, transcribed_until)
            if self.remote_speakers is not None:
                self.remote_speakers.transcribed_until = sound.words_awaited_from
                self.remote_speakers.trouble = trouble


def _without_waiting(frames: FrameCounts) -> FrameCounts:
    """Only the frames whose outcome is known."""
    ended = frames.replaced + frames.skipped + frames.analysed + frames.refused + frames.failed
    return replace(frames, received=min(frames.received, ended))
