"""One session's words, beside its hearing: neither waits for the other."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Thread

import numpy as np

from proctoring.audio.analyser import STRETCH
from proctoring.audio.pcm import SAMPLE_RATE, Pcm
from proctoring.audio.transcription.stream import TranscriptionStream
from proctoring.audio.transcription.transcribers import Transcribers
from proctoring.errors import ProctoringError
from proctoring.observations import TranscriptObservation
from proctoring.session.audio_buffer import AudioBuffer, Gap
from proctoring.session.worker_pool import WorkerPool

_log = logging.getLogger(__name__)

WITHOUT_PAUSE = 1.5
"""Seconds between two transcripts within which a phrase may have been cut in two."""
CARRIED = 12
"""Words before that are remembered for that."""

_NOTHING: Pcm = np.zeros(0, np.int16)


@dataclass(frozen=True, slots=True)
class TranscriptionService:
    """What all sessions of a process turn words into text with."""

    transcribers: Transcribers
    pool: WorkerPool
    """Not the one that analyses: an utterance takes its time, and nothing else may wait for it."""


class Transcribing:
    """Takes the sound that hearing takes, on threads of its own.

    Args:
        service: shared by all sessions.
        engine: ``moonshine``, ``deepgram``.
        interim: whether unfinished words are wanted too.
        tell: takes each transcript, in order, from other threads.
        changed: told ``trouble`` each time it changed, from other threads.
    """

    def __init__(
        self,
        service: TranscriptionService,
        engine: str,
        *,
        interim: bool,
        tell: Callable[[TranscriptObservation], None],
        changed: Callable[[str], None],
    ) -> None:
        self.engine = engine
        self.trouble = ""
        """Why no words come, in one sentence; empty while all is well."""
        self._transcribers = service.transcribers
        self._interim = interim
        self._tell = tell
        self._changed = changed
        self._buffer = AudioBuffer()
        self._start: float | None = None
        self._missing = 0.0
        self._stream: TranscriptionStream | None = None
        self._off = False
        self._last: TranscriptObservation | None = None
        self._ended: Callable[[], None] | None = None
        """Called after the last transcript; ``None`` while more audio may come."""
        self._queue = service.pool.serial_queue(self._step)

    @property
    def missing(self) -> float:
        """Seconds of sound that never arrived, or were too much for the transcriber."""
        return self._missing + (self._stream.lost_seconds if self._stream else 0.0)

    def receive(self, samples: Pcm, start: float, gap: float) -> None:
        """Leave sound.

        Args:
            samples: 16 kHz.
            start: media time of the first sample.
            gap: seconds missing before it.
        """
        if self._off or self._ended is not None:
            return
        if self._start is None:
            self._start = start
        elif gap:
            self._buffer.put_gap(gap)
            self._missing += gap
        self._missing += self._buffer.put(samples)
        self._queue.schedule()

    def poll(self) -> None:
        """Look whether words have arrived, or trouble: sound may have stopped for now."""
        if self._stream is not None:
            self._queue.schedule()

    def end(self, ended: Callable[[], None]) -> None:
        """Nothing more comes. ``ended`` is called once, from another thread, when what waits has
        been transcribed, as far as that does not take long."""
        self._ended = ended
        self._queue.schedule()

    # On the pool's threads, one step at a time.

    def _step(self) -> None:
        item = self._buffer.pop(STRETCH)
        if item is not None:
            self._listen(item)
            self._queue.schedule()  # one stretch a turn: others wait too
        elif self._ended is None:
            if self._stream is not None:
                self._listen(_NOTHING)
        else:
            self._queue.close()
            # The last words of a remote transcriber are waited for: not on a thread of the pool.
            Thread(target=self._finish, args=(self._ended,), name="last-words", daemon=True).start()

    def _listen(self, item: Pcm | Gap) -> None:
        if self._off:
            return
        try:
            if self._stream is None:
                start = self._start or 0.0
                self._stream = self._transcribers.begin(self.engine, start, interim=self._interim)
            if isinstance(item, Gap):
                self._report(self._stream.gap(item.seconds))
            else:
                self._report(self._stream.push(item))
            self._watch(self._stream.trouble)
        except ProctoringError as error:
            self._off = True
            self._watch(error.detail)
        except Exception as error:  # noqa: BLE001  # costs this stretch; the next may do better
            self._missing += STRETCH / SAMPLE_RATE
            # Never the error itself: it may hold words.
            _log.error("a stretch of sound could not be transcribed: %s", type(error).__name__)

    def _finish(self, ended: Callable[[], None]) -> None:
        try:
            if self._stream is not None:
                self._report(self._stream.close())
                self._report(self._stream.drain())
        except Exception as error:  # noqa: BLE001  # the session must end all the same
            _log.error("the last words could not be transcribed: %s", type(error).__name__)
        ended()

    def _report(self, transcripts: tuple[TranscriptObservation, ...]) -> None:
        for transcript in transcripts:
            self._tell(self._joined(transcript))

    def _joined(self, transcript: TranscriptObservation) -> TranscriptObservation:
        """With the end of what was said just before it."""
        last = self._last
        if transcript.final:
            self._last = transcript
        if last is None or transcript.start - last.time > WITHOUT_PAUSE:
            return transcript
        return replace(transcript, carried=" ".join(last.text.split()[-CARRIED:]))

    def _watch(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._transcribers.note(self.engine, trouble)
            self._changed(trouble)
