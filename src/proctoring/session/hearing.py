"""One session's sound, from messages in any pieces to observations."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Protocol

from proctoring.audio.analyser import STRETCH, AudioAnalyser, AudioModels
from proctoring.audio.pcm import SAMPLE_RATE, Pcm, decode_pcm
from proctoring.audio.voice_reference import VoiceReference
from proctoring.observations import SoundObservation
from proctoring.session.outcomes import AudioFailed, AudioReceived
from proctoring.session.sinks import Sinks
from proctoring.session.sound_buffer import Gap, SoundBuffer
from proctoring.session.sound_position import SoundPosition
from proctoring.session.transcribing import Transcribing
from proctoring.session.worker_pool import WorkerPool

_log = logging.getLogger(__name__)


class SoundReply(Protocol):
    """Whoever sends sound and hears what became of it. Called from worker threads."""

    def heard(self, observation: SoundObservation) -> None:
        """A stretch of sound was listened to."""


class Hearing:
    """Sound is left here at once and never dropped unsaid; a pool's thread listens to it.

    It has a background queue of its own, so that no picture waits for sound.

    Args:
        models: shared by all sessions.
        pool: does the work.
        tell: takes each observation, in order, from the pool's threads.
        sinks: receive the outcomes of audio.
        words: takes the same sound.
    """

    def __init__(
        self,
        models: AudioModels,
        pool: WorkerPool,
        tell: Callable[[SoundObservation], None],
        sinks: Sinks,
        words: Transcribing | None = None,
    ) -> None:
        self._models = models
        self._tell = tell
        self._sinks = sinks
        self._words = words
        self._position = SoundPosition()
        self._buffer = SoundBuffer()
        self._carry = b""
        self._start = 0.0
        self._analyser: AudioAnalyser | None = None
        self._references: deque[VoiceReference] = deque(maxlen=1)
        """Given, and not yet known to the analyser."""
        self._reply: SoundReply | None = None
        self._ended: Callable[[], None] | None = None
        """Called after the last observation; ``None`` while more audio may come."""
        self._queue = pool.serial_queue(self._step, background=True)

    @property
    def end_time(self) -> float | None:
        """Media time in seconds after the last sample that arrived; ``None`` before the first."""
        return self._position.end

    def begin(self, start: float | None, reply: SoundReply) -> None:
        """A connection begins; its first sample belongs at media time ``start``, if it says so."""
        self._carry = b""
        self._reply = reply
        if start is not None:
            self._position.announce(start)

    def receive(self, data: bytes, now: float) -> None:
        """Leave one message: 16 bit little-endian samples at 16 kHz, an odd byte carried over.

        Args:
            now: media time of its arrival, in seconds.

        Raises:
            WrongRateError: see ``SoundPosition.place``.
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
        self._queue.schedule()
        if self._words is not None:
            self._words.receive(fresh, start, place.gap)

    def know(self, reference: VoiceReference) -> None:
        """The candidate's voice is given; it counts from the next stretch of sound."""
        self._references.append(reference)

    def end(self, ended: Callable[[], None]) -> None:
        """Nothing more comes. ``ended`` is called once, from a pool thread, when what waits has
        been analysed."""
        self._ended = ended
        self._queue.schedule()

    # On the pool's threads, one step at a time.

    def _step(self) -> None:
        item = self._buffer.take(STRETCH)
        if item is not None:
            self._listen(item)
            self._queue.reschedule()  # one stretch a turn: others wait too, and what waits keeps its place
        elif self._ended is not None:
            self._queue.close()
            try:
                if self._analyser is not None:
                    self._report(self._analyser.flush())
            except Exception:  # noqa: BLE001  # the session must end all the same
                _log.exception("the last of the sound could not be listened to")
            self._ended()

    def _listen(self, item: Pcm | Gap) -> None:
        try:
            if self._analyser is None:
                self._analyser = AudioAnalyser(self._models, start=self._start)
            while self._references:
                reference = self._references.popleft()
                self._analyser.know(reference.embeddings, reference.seconds)
            if isinstance(item, Gap):
                self._report(self._analyser.gap(item.seconds))
            else:
                self._report(self._analyser.push(item))
        except Exception:  # noqa: BLE001  # costs this stretch; the next may do better
            self._sinks.emit(AudioFailed(STRETCH / SAMPLE_RATE))
            _log.exception("a stretch of sound could not be listened to")

    def _report(self, observations: tuple[SoundObservation, ...]) -> None:
        for observation in observations:
            self._tell(observation)
            if self._reply is not None:
                self._reply.heard(observation)
