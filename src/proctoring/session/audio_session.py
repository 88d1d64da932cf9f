"""The audio of a session: from PCM messages to observations."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from proctoring.audio.analyser import STEP, AudioAnalyser
from proctoring.audio.networks import AudioModels
from proctoring.audio.pcm import SAMPLE_RATE, Pcm, decode_pcm
from proctoring.audio.speaker_reference import SpeakerReference
from proctoring.audio.state import AudioSnapshot
from proctoring.observations import AudioObservation
from proctoring.session.audio_buffer import AudioBuffer, Gap
from proctoring.session.audio_position import AudioPosition
from proctoring.session.messages import SoundAnalysed
from proctoring.session.outcomes import AudioFailed, AudioReceived
from proctoring.session.sinks import Sinks
from proctoring.session.sound_state import SoundState, SoundVoices
from proctoring.session.transcription import TranscriptionSession
from proctoring.session.worker_pool import WorkerPool

_log = logging.getLogger(__name__)

_ROUNDING = 1e-6
"""Seconds by which equal media times may differ."""


class AudioReply(Protocol):
    """Reports observations to the sender of the audio. Called from pool threads."""

    def segment_analysed(self, observation: AudioObservation) -> None:
        """A segment was analysed."""


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """The last observation that was judged."""

    after: AudioSnapshot | None
    """Of the analyser after it; ``None`` before the first."""
    reference: SpeakerReference | None
    """The last that the analyser had been given."""


class AudioSession:
    """Buffers audio on the event loop and analyses it on pool threads.

    Analysis has a background queue of its own, so frames do not wait for it. It is woken when a step
    (``STEP``) is complete, not for every message. Audio that does not fit into the buffer is analysed as a
    gap.

    Args:
        models: shared by all sessions.
        publish: called with each observation to be judged, in order, from pool threads.
        sinks: receive the outcomes of audio.
        transcription: gets the same audio.
    """

    def __init__(
        self,
        models: AudioModels,
        pool: WorkerPool,
        publish: Callable[[SoundAnalysed], None],
        sinks: Sinks,
        transcription: TranscriptionSession | None = None,
    ) -> None:
        self._models = models
        self._publish = publish
        self._sinks = sinks
        self._transcription = transcription
        self._position = AudioPosition()
        self._buffer = AudioBuffer()
        self._carry = b""
        self._start: float | None = None
        self._analyser: AudioAnalyser | None = None
        self._reference: SpeakerReference | None = None
        """The last that was set."""
        self._applied: SpeakerReference | None = None
        """The last that the analyser was given."""
        self._judged = _Judged(None, None)
        self._judged_until = float("-inf")
        """Media time up to which a process before this one had sound judged."""
        self._reply: AudioReply | None = None
        self._ended: Callable[[], None] | None = None
        """Called after the last observation; ``None`` while more audio may come."""
        self._queue = pool.serial_queue(self._step, background=True)

    @property
    def end_time(self) -> float | None:
        """Media time in seconds after the last sample received; ``None`` before the first."""
        return self._position.end

    def connect(self, start: float | None, reply: AudioReply) -> None:
        """A new connection; its first sample is at media time ``start``, if the client gave one."""
        self._carry = b""
        self._reply = reply
        if start is not None:
            self._position.announce(start)

    def receive(self, data: bytes, now: float) -> None:
        """Buffer one message: 16 bit little-endian samples at 16 kHz. The first byte of a sample
        that is split between messages is carried over.

        Args:
            now: media time of its arrival, in seconds.

        Raises:
            WrongRateError: see ``AudioPosition.place``.
        """
        samples, self._carry = decode_pcm(data, self._carry)
        if not len(samples):
            return
        first = self._position.end is None
        place = self._position.place(len(samples), now)
        fresh = samples[place.skip :]
        if first and self._position.end is not None:
            self._start = self._position.end - len(fresh) / SAMPLE_RATE
        if place.gap:
            self._buffer.put_gap(place.gap)
        missing = place.gap + self._buffer.put(fresh)
        assert self._position.end is not None  # noqa: S101
        start = self._position.end - len(fresh) / SAMPLE_RATE
        self._sinks.emit(AudioReceived(start, fresh, len(samples) / SAMPLE_RATE, missing))
        if self._buffer.has(STEP):
            self._queue.schedule()
        if self._transcription is not None:
            self._transcription.receive(fresh, start, place.gap)

    def set_reference(self, reference: SpeakerReference) -> None:
        """Set the candidate's reference voice, effective from the next segment on."""
        self._reference = reference

    @property
    def voices_known(self) -> int:
        """How many voices are told apart, a reference that waits included: differs when one was learned.
        Thread-safe."""
        judged, reference = self._judged, self._reference
        known = 0 if judged.after is None else len(judged.after.voices.speakers)
        return known + (reference is not judged.reference)

    def snapshot(self) -> tuple[SoundState, SoundVoices]:
        """What another process needs to go on. Fits the state of judgement if taken in the worker's
        turn: it is that of the analyser after the last observation judged. Takes microseconds."""
        judged, reference = self._judged, self._reference
        pending = None if reference is judged.reference else reference
        if judged.after is None:
            return SoundState(self._start), SoundVoices(reference=pending)
        return (
            SoundState(self._start, judged.after.state),
            SoundVoices(judged.after.voices, pending),
        )

    def restore(self, state: SoundState, voices: SoundVoices, judged_until: float = 0.0) -> None:
        """Have a new one go on. Sound that comes later than expected follows a gap; sound that was
        analysed before is skipped.

        Args:
            voices: of the state, or older; without any, voices are learned anew.
            judged_until: media time up to which sound was judged. Where that is later than the state's,
                sound up to it is analysed once more, if it is sent again, but not judged again.
        """
        self._reference = voices.reference
        start = state.start
        if state.analysis is None and judged_until:
            start = max(start or 0.0, judged_until)
        if start is None:
            return
        self._start, self._judged_until = start, judged_until
        analyser = AudioAnalyser(self._models, start=start)
        if state.analysis is not None:
            analyser.restore(state.analysis, voices.voices)
        self._analyser = analyser
        self._judged = _Judged(analyser.snapshot(), None)
        self._position = AudioPosition(analyser.time)

    def end(self, ended: Callable[[], None]) -> None:
        """No more audio comes. ``ended`` is called once, from a pool thread, when everything
        buffered has been analysed."""
        self._ended = ended
        self._queue.schedule()

    # On pool threads, one step at a time.

    def _step(self) -> None:
        ended = self._ended  # read first: what arrived before the end is analysed before it
        wanted = ended is not None or self._buffer.has(STEP)
        item = self._buffer.pop(STEP) if wanted else None
        if item is not None:
            self._analyse(item)
            if ended is not None or self._buffer.has(STEP):
                self._queue.reschedule()  # one segment per turn
        elif ended is not None:
            self._queue.close()
            try:
                if self._analyser is not None:
                    self._emit(self._analyser, self._analyser.flush())
            except Exception:  # noqa: BLE001  # the session must still end
                _log.exception("the last audio could not be analysed")
            ended()

    def _analyse(self, item: Pcm | Gap) -> None:
        try:
            if self._analyser is None:
                self._analyser = AudioAnalyser(self._models, start=self._start or 0.0)
            reference = self._reference
            if reference is not None and reference is not self._applied:
                self._analyser.set_reference(reference.embeddings, reference.seconds)
                self._applied = reference
            if isinstance(item, Gap):
                self._emit(self._analyser, self._analyser.gap(item.seconds))
            else:
                self._emit(self._analyser, self._analyser.push(item))
        except Exception:  # noqa: BLE001  # affects this segment only
            self._sinks.emit(AudioFailed(STEP / SAMPLE_RATE))
            _log.exception("a segment of audio could not be analysed")

    def _emit(self, analyser: AudioAnalyser, observations: tuple[AudioObservation, ...]) -> None:
        for observation in observations:
            # Of several, only the last is followed by this state.
            last = observation is observations[-1]
            after = _Judged(analyser.snapshot(), self._applied) if last else None
            if observation.time > self._judged_until + _ROUNDING:
                self._publish(SoundAnalysed(observation, partial(self._was_judged, after)))
            else:
                self._was_judged(after)
            if self._reply is not None:
                self._reply.segment_analysed(observation)

    # In the worker's turn.

    def _was_judged(self, judged: _Judged | None) -> None:
        self._judged = judged or self._judged
