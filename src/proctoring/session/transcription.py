"""The transcription of a session, independent of the analysis of its audio."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Thread

import numpy as np

from proctoring.audio.analyser import STEP
from proctoring.audio.pcm import SAMPLE_RATE, Pcm
from proctoring.audio.transcription.stream import TranscriptionStream
from proctoring.audio.transcription.transcribers import Transcribers
from proctoring.errors import ProctoringError
from proctoring.observations import TranscriptObservation
from proctoring.session.audio_buffer import AudioBuffer, Gap
from proctoring.session.worker_pool import WorkerPool

_log = logging.getLogger(__name__)

MAX_PAUSE = 1.5
"""Seconds between two transcripts up to which a phrase may have been cut in two between them."""
PRECEDING_WORDS = 12
"""Words at the end of a transcript attached to the next one, so that such a phrase is found."""

_NO_SAMPLES: Pcm = np.zeros(0, np.int16)


@dataclass(frozen=True, slots=True)
class TranscriptionService:
    """What the sessions of a process share for transcription."""

    transcribers: Transcribers
    pool: WorkerPool
    """Separate from the pool for analysis, since an utterance takes Moonshine up to half a second."""


class TranscriptionSession:
    """Buffers audio on the event loop and transcribes it on threads of the transcription pool.

    Args:
        service: shared by all sessions.
        engine: ``moonshine`` or ``deepgram``.
        interim: whether to publish interim transcripts too.
        publish: called with each transcript, in order, from other threads.
        status_changed: called with ``trouble`` whenever it changes, from other threads.
    """

    def __init__(
        self,
        service: TranscriptionService,
        engine: str,
        *,
        interim: bool,
        publish: Callable[[TranscriptObservation], None],
        status_changed: Callable[[str], None],
    ) -> None:
        self.engine = engine
        self.trouble = ""
        """Why there are no transcripts, in one sentence; empty while transcription works."""
        self._transcribers = service.transcribers
        self._interim = interim
        self._publish = publish
        self._status_changed = status_changed
        self._buffer = AudioBuffer()
        self._start: float | None = None
        self._missing = 0.0
        self._until = 0.0
        self._stream: TranscriptionStream | None = None
        self._off = False
        self._last: TranscriptObservation | None = None
        self._ended: Callable[[], None] | None = None
        """Called after the last transcript; ``None`` while more audio may come."""
        self._queue = service.pool.serial_queue(self._step)

    def restore(self, missing: float, trouble: str, until: float = 0.0) -> None:
        """Go on, with a new transcriber, for a session that another process left.

        Args:
            missing: seconds, as it was.
            trouble: as it was told last.
            until: media time up to which transcripts were published: what is sent again of the sound
                before is left out.
        """
        self._missing, self.trouble, self._until = missing, trouble, until

    @property
    def missing(self) -> float:
        """Seconds of audio that never arrived or could not be transcribed in time."""
        return self._missing + (self._stream.lost_seconds if self._stream else 0.0)

    def receive(self, samples: Pcm, start: float, gap: float) -> None:
        """Buffer audio.

        Args:
            samples: 16 kHz.
            start: media time of the first sample.
            gap: seconds missing before it.
        """
        if self._off or self._ended is not None:
            return
        self._missing += gap
        if self._start is None:
            known = max(0, round((self._until - start) * SAMPLE_RATE))
            samples, start = samples[known:], start + known / SAMPLE_RATE
            if not len(samples):
                return
            self._start = start
        elif gap:
            self._buffer.put_gap(gap)
        self._missing += self._buffer.put(samples)
        self._queue.schedule()

    def poll(self) -> None:
        """Fetch transcripts and status that arrived meanwhile. To be called often: ``receive`` is not
        called while no audio arrives."""
        if self._stream is not None:
            self._queue.schedule()

    def end(self, ended: Callable[[], None]) -> None:
        """No more audio comes. ``ended`` is called once, from another thread, after the last
        transcript; a remote engine has limited time for it."""
        self._ended = ended
        self._queue.schedule()

    # On pool threads, one step at a time.

    def _step(self) -> None:
        item = self._buffer.pop(STEP)
        if item is not None:
            self._transcribe(item)
            self._queue.schedule()  # one segment per turn
        elif self._ended is None:
            if self._stream is not None:
                self._transcribe(_NO_SAMPLES)
        else:
            self._queue.close()
            # Waits for a remote engine's last transcript, so not on a pool thread.
            Thread(
                target=self._finish, args=(self._ended,), name="last-transcript", daemon=True
            ).start()

    def _transcribe(self, item: Pcm | Gap) -> None:
        if self._off:
            return
        try:
            if self._stream is None:
                start = self._start or 0.0
                self._stream = self._transcribers.begin(self.engine, start, interim=self._interim)
            if isinstance(item, Gap):
                self._emit(self._stream.gap(item.seconds))
            else:
                self._emit(self._stream.push(item))
            self._set_trouble(self._stream.trouble)
        except ProctoringError as error:
            self._off = True
            self._set_trouble(error.detail)
        except Exception as error:  # noqa: BLE001  # affects this segment only
            self._missing += STEP / SAMPLE_RATE
            # Not the error itself, which may contain transcribed words.
            _log.error("a segment of audio could not be transcribed: %s", type(error).__name__)

    def _finish(self, ended: Callable[[], None]) -> None:
        try:
            if self._stream is not None:
                self._emit(self._stream.close())
                self._emit(self._stream.drain())
        except Exception as error:  # noqa: BLE001  # the session must still end
            _log.error("the last audio could not be transcribed: %s", type(error).__name__)
        ended()

    def _emit(self, transcripts: tuple[TranscriptObservation, ...]) -> None:
        for transcript in transcripts:
            self._publish(self._with_preceding(transcript))

    def _with_preceding(self, transcript: TranscriptObservation) -> TranscriptObservation:
        """The transcript with the last words of the one just before it."""
        last = self._last
        if transcript.final:
            self._last = transcript
        if last is None or transcript.start - last.time > MAX_PAUSE:
            return transcript
        return replace(transcript, preceding=" ".join(last.text.split()[-PRECEDING_WORDS:]))

    def _set_trouble(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._transcribers.note(self.engine, trouble)
            self._status_changed(trouble)
