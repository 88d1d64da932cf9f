"""One connection to Deepgram."""

from __future__ import annotations

import threading
from typing import Any

from proctoring.audio.transcription.deepgram.queue import AudioPiece, TranscriptionQueue
from proctoring.audio.transcription.deepgram.results import read_results
from proctoring.audio.transcription.timeline import Timeline


class Connection:
    """One connection: the calling thread sends, a second thread reads.

    Args:
        queue: audio to send, and where transcripts go.
        socket: the SDK's open connection.
    """

    def __init__(self, queue: TranscriptionQueue, socket: Any) -> None:
        self._queue = queue
        self._socket = socket
        self._timeline = Timeline()
        self._ended = False

    def talk(self) -> None:
        """Send until the session or the connection ends; unconfirmed audio is sent again first."""
        reader = threading.Thread(target=self._read, name="deepgram-reader", daemon=True)
        reader.start()
        with self._queue.changed:
            again = tuple(self._queue.unconfirmed)
        for piece in again:
            self._send(piece)
        while not self._ended:
            item = self._queue.next(lambda: self._ended)
            if isinstance(item, AudioPiece):
                self._send(item)
            elif item is not None:
                self._socket.send_finalize()
            elif self._queue.closing:
                self._socket.send_close_stream()
                reader.join(self._queue.settings.close_timeout)
                return
            elif not self._ended:
                self._socket.send_keep_alive()

    def _send(self, piece: AudioPiece) -> None:
        self._timeline.add(piece.time, piece.samples)
        self._socket.send_media(piece.data)

    def _read(self) -> None:
        try:
            for message in self._socket:
                if getattr(message, "type", None) == "Results":
                    self._arrive(message)
        except Exception:  # noqa: BLE001, S110 (broken or closed: the connection is over)
            pass
        finally:
            self._ended = True
            with self._queue.changed:
                self._queue.changed.notify_all()

    def _arrive(self, message: Any) -> None:
        transcript = read_results(message, self._timeline.media_time)
        if message.is_final:
            self._queue.confirm(self._timeline.media_time(message.start + message.duration))
        if transcript is not None:
            with self._queue.changed:
                self._queue.arrived.append(transcript)
