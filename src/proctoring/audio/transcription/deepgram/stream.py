"""One session's audio to words, through Deepgram."""

from __future__ import annotations

import logging
import threading

from proctoring.audio.pcm import SAMPLE_RATE, Pcm
from proctoring.audio.transcription.deepgram.connection import Connection
from proctoring.audio.transcription.deepgram.queue import FINALIZE, AudioPiece, TranscriptionQueue
from proctoring.audio.transcription.deepgram.sdk import (
    NO_KEY,
    REFUSED,
    connector,
    http_status,
    refusal,
)
from proctoring.audio.transcription.deepgram.settings import DeepgramSettings
from proctoring.errors import TranscriberUnavailableError
from proctoring.observations import TranscriptObservation

_log = logging.getLogger(__name__)
_JOIN_MARGIN = 1.0
"""Seconds beyond ``close_timeout`` after which the connection's thread is no longer waited for."""


class DeepgramStream:
    """A :class:`~proctoring.audio.transcription.stream.TranscriptionStream` over the network.

    Args:
        key: the API key.
        start: media time of the first sample, in seconds.
        settings: options and timeouts.

    Raises:
        TranscriberUnavailableError: the SDK is not installed, or there is no key.
    """

    def __init__(
        self, key: str, *, start: float = 0.0, settings: DeepgramSettings | None = None
    ) -> None:
        if not key:
            raise TranscriberUnavailableError(NO_KEY)
        self._settings = settings or DeepgramSettings()
        self._connect = connector(key, self._settings)
        self._time = start
        self._queue = TranscriptionQueue(self._settings)
        self._trouble = ""
        self.connections = 0
        """Connections opened so far."""
        self._thread = threading.Thread(target=self._run, name="deepgram", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        """Why no transcripts arrive, in one sentence; empty while all is well."""
        return self._trouble

    @property
    def lost_seconds(self) -> float:
        """Audio that was dropped because the network was too slow, or down for too long."""
        return self._queue.lost / SAMPLE_RATE

    def push(self, samples: Pcm) -> tuple[TranscriptObservation, ...]:
        """Queue audio; returns the transcripts that have arrived. Never blocks."""
        piece = AudioPiece(self._time, samples.astype("<i2", copy=False).tobytes())
        self._time = piece.end
        if piece.data:
            self._queue.put(piece)
        return self._queue.take()

    def gap(self, seconds: float) -> tuple[TranscriptObservation, ...]:
        """Audio is missing: requests transcripts of what came before."""
        self._time += max(0.0, seconds)
        return self.flush()

    def flush(self) -> tuple[TranscriptObservation, ...]:
        """Request transcripts of all that was sent; they arrive with a later ``push``."""
        self._queue.put(FINALIZE)
        return self._queue.take()

    def close(self) -> tuple[TranscriptObservation, ...]:
        """End the stream without waiting; ``drain`` waits."""
        self._queue.close()
        return self._queue.take()

    def drain(self) -> tuple[TranscriptObservation, ...]:
        """After ``close``: wait for the last transcripts, about ``close_timeout`` seconds at most."""
        self._thread.join(self._settings.close_timeout + _JOIN_MARGIN)
        return self._queue.take()

    def _run(self) -> None:
        """The thread: one connection after another until the session is over."""
        queue, pause = self._queue, self._settings.first_retry
        while True:
            before = self.connections
            status = self._attempt()
            if status in REFUSED:
                self._trouble = refusal(status)
                _log.error("transcription is off: Deepgram refuses the key (status %d)", status)
                queue.close(forget=True)
                return
            if queue.closing:
                return
            self._trouble = "Deepgram cannot be reached; trying again"
            if self.connections > before:
                pause = self._settings.first_retry
            _log.warning("transcription: no connection, trying again in %.1f s", pause)
            with queue.changed:
                queue.changed.wait_for(lambda: queue.closing, timeout=pause)
            pause = min(2 * pause, self._settings.max_retry)

    def _attempt(self) -> int | None:
        """One connection from its beginning to its end.

        Returns:
            The HTTP status with which it was refused, if it was.
        """
        try:
            with self._connect() as socket:
                self.connections += 1
                self._trouble = ""
                Connection(self._queue, socket).talk()
        except Exception as error:  # noqa: BLE001 (the SDK lets all through: sockets, TLS, HTTP)
            return http_status(error)
        return None
