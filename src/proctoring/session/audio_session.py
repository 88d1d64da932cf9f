"""The audio of a session: from PCM messages to observations."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Protocol

from proctoring.audio.analyser import STEP, AudioAnalyser
from proctoring.audio.networks import AudioModels
from proctoring.audio.pcm import SAMPLE_RATE, Pcm, decode_pcm
from proctoring.audio.speaker_reference import SpeakerReference
from proctoring.observations import AudioObservation
from proctoring.session.audio_buffer import AudioBuffer, Gap
from proctoring.session.audio_position import AudioPosition
from proctoring.session.outcomes import AudioFailed, AudioReceived
from proctoring.session.sinks import Sinks
from proctoring.session.transcription import TranscriptionSession
from proctoring.session.worker_pool import WorkerPool

_log = logging.getLogger(__name__)


class AudioReply(Protocol):
    """Reports observations to the sender of the audio. Called from pool threads."""

    def segment_analysed(self, observation: AudioObservation) -> None:
        """A segment was analysed."""


class AudioSession:
    """Buffers audio on the event loop and analyses it on pool threads.

    Analysis has a background queue of its own, so frames do not wait for it. It is woken when a step
    (``STEP``) is complete, not for every message. Audio that does not fit into the buffer is analysed as a
    gap.

    Args:
        models: shared by all sessions.
        publish: called with each observation, in order, from pool threads.
        sinks: receive the outcomes of audio.
        transcription: gets the same audio.
    """

    def __init__(
        self,
        models: AudioModels,
        pool: WorkerPool,
        publish: Callable[[AudioObservation], None],
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
        self._start = 0.0
        self._analyser: AudioAnalyser | None = None
        self._references: deque[SpeakerReference] = deque(maxlen=1)
        """Set, but not yet applied to the analyser."""
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
        if first and self._position.end is not None:
            self._start = self._position.end - len(samples) / SAMPLE_RATE
        if place.gap:
            self._buffer.put_gap(place.gap)
        fresh = samples[place.skip :]
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
        self._references.append(reference)

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
                    self._emit(self._analyser.flush())
            except Exception:  # noqa: BLE001  # the session must still end
                _log.exception("the last audio could not be analysed")
            ended()

    def _analyse(self, item: Pcm | Gap) -> None:
        try:
            if self._analyser is None:
                self._analyser = AudioAnalyser(self._models, start=self._start)
            while self._references:
                reference = self._references.popleft()
                self._analyser.set_reference(reference.embeddings, reference.seconds)
            if isinstance(item, Gap):
                self._emit(self._analyser.gap(item.seconds))
            else:
                self._emit(self._analyser.push(item))
        except Exception:  # noqa: BLE001  # affects this segment only
            self._sinks.emit(AudioFailed(STEP / SAMPLE_RATE))
            _log.exception("a segment of audio could not be analysed")

    def _emit(self, observations: tuple[AudioObservation, ...]) -> None:
        for observation in observations:
            self._publish(observation)
            if self._reply is not None:
                self._reply.segment_analysed(observation)
