"""Remote transcription: Deepgram Nova-3 live, through the official SDK.

Needs ``pip install 'proctoring-ai[deepgram]'`` and a key. Everything that waits for the network runs
in a thread of its own: ``push`` only puts sound into a bounded queue and takes out what has arrived.
Words that were sent and not confirmed when a connection broke are sent again over the next one.

No message and no error of the SDK is ever logged: they may hold words, and its errors hold the key.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from proctoring.audio.pcm import SAMPLE_RATE, Pcm
from proctoring.audio.transcription.timeline import Timeline
from proctoring.errors import ProctoringError
from proctoring.observations import TranscriptObservation, Word

NAME = "deepgram"

_log = logging.getLogger(__name__)
_NO_KEY = "Deepgram needs a key: set DEEPGRAM_API_KEY"
_REFUSED = (401, 402, 403)  # a wrong key, no credit, no right: trying again changes nothing


class TranscriberUnavailableError(ProctoringError):
    """Transcription was asked for and cannot be had."""

    code = "transcriber_unavailable"


@dataclass(frozen=True, slots=True)
class DeepgramSettings:
    """What is asked of Deepgram, and how long anything may take."""

    model: str = "nova-3"
    language: str = "en"
    diarize: bool = True
    interim: bool = True
    """Whether unfinished words are wanted."""
    url: str | None = None
    """Another server that speaks the protocol (``ws://127.0.0.1:1234``); by default Deepgram's."""
    keep_alive: float = 4.0
    """Seconds without sound after which it is told that more may come (at 10 it hangs up)."""
    most_waiting: float = 30.0
    """Seconds of sound kept while the network is slow or gone; beyond, the oldest is left out."""
    first_retry: float = 0.5
    longest_retry: float = 30.0
    """Seconds between attempts to connect: doubled each time up to the longest."""
    closing: float = 5.0
    """Seconds that the last words may take to arrive after the session is closed."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Sound to send."""

    time: float
    data: bytes

    @property
    def samples(self) -> int:
        return len(self.data) // 2

    @property
    def end(self) -> float:
        return self.time + self.samples / SAMPLE_RATE


_FINALIZE = "finalize"


@dataclass(slots=True, eq=False)
class _Line:
    """What the session's thread and the connection's threads share, under one lock."""

    settings: DeepgramSettings
    changed: threading.Condition = field(default_factory=threading.Condition)
    waiting: deque[_Piece | str] = field(default_factory=deque)
    """Sound to send, and ``_FINALIZE`` where words are asked for."""
    unconfirmed: deque[_Piece] = field(default_factory=deque)
    """Sound that was sent and for which no final words have come."""
    arrived: deque[TranscriptObservation] = field(default_factory=deque)
    closing: bool = False
    lost: int = 0
    """Samples that were left out."""

    def put(self, item: _Piece | str) -> None:
        """Something to send; the oldest sound goes when there is too much."""
        with self.changed:
            if self.closing:
                return
            self.waiting.append(item)
            kept = sum(piece.samples for piece in self.waiting if isinstance(piece, _Piece))
            while kept > self.settings.most_waiting * SAMPLE_RATE:
                oldest = self.waiting.popleft()
                if isinstance(oldest, _Piece):
                    kept -= oldest.samples
                    self.lost += oldest.samples
            self.changed.notify_all()

    def next(self, ended: Callable[[], bool]) -> _Piece | str | None:
        """What to send next; nothing when it is time to keep alive, or to stop."""
        with self.changed:
            self.changed.wait_for(
                lambda: self.waiting or self.closing or ended(), timeout=self.settings.keep_alive
            )
            if not self.waiting or ended():
                return None
            item = self.waiting.popleft()
            if isinstance(item, _Piece):
                self.unconfirmed.append(item)
                oldest = item.end - self.settings.most_waiting
                while self.unconfirmed[0].end < oldest:
                    self.unconfirmed.popleft()
            return item

    def confirm(self, time: float) -> None:
        """The words up to this media time are final."""
        with self.changed:
            while self.unconfirmed and self.unconfirmed[0].end <= time + 1e-3:
                self.unconfirmed.popleft()

    def close(self, *, forget: bool = False) -> None:
        """Nothing more is taken in."""
        with self.changed:
            self.closing = True
            if forget:
                self.waiting.clear()
            self.changed.notify_all()

    def take(self) -> tuple[TranscriptObservation, ...]:
        """The words that have arrived since the last time."""
        with self.changed:
            found = tuple(self.arrived)
            self.arrived.clear()
        return found


class DeepgramStream:
    """One session's sound to words.

    Args:
        key: the API key.
        start: media time of the first sample.
        settings: tunables.

    Raises:
        TranscriberUnavailableError: the SDK is not installed, or there is no key.
    """

    def __init__(
        self, key: str, *, start: float = 0.0, settings: DeepgramSettings | None = None
    ) -> None:
        if not key:
            raise TranscriberUnavailableError(_NO_KEY)
        self._settings = settings or DeepgramSettings()
        self._connect = _connector(key, self._settings)
        self._time = start
        self._line = _Line(self._settings)
        self._trouble = ""
        self.connections = 0
        """Connections made so far."""
        self._thread = threading.Thread(target=self._run, name="deepgram", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        """Why no words come, in one sentence; empty while all is well."""
        return self._trouble

    @property
    def lost_seconds(self) -> float:
        """Sound that was left out because the network was too slow or gone for too long."""
        return self._line.lost / SAMPLE_RATE

    def push(self, samples: Pcm) -> tuple[TranscriptObservation, ...]:
        """Take in sound, give the words that have arrived. Never waits."""
        piece = _Piece(self._time, samples.astype("<i2", copy=False).tobytes())
        self._time = piece.end
        if piece.data:
            self._line.put(piece)
        return self._line.take()

    def gap(self, seconds: float) -> tuple[TranscriptObservation, ...]:
        """Sound is missing: the words before it are asked for."""
        self._time += max(0.0, seconds)
        return self.flush()

    def flush(self) -> tuple[TranscriptObservation, ...]:
        """Ask for the words of all that was sent; they arrive with a later ``push``."""
        self._line.put(_FINALIZE)
        return self._line.take()

    def close(self) -> tuple[TranscriptObservation, ...]:
        """The session is over. Does not wait; ``drain`` does."""
        self._line.close()
        return self._line.take()

    def drain(self) -> tuple[TranscriptObservation, ...]:
        """After ``close``: wait for the last words, a little longer than ``closing`` at most."""
        self._thread.join(self._settings.closing + 1.0)
        return self._line.take()

    def _run(self) -> None:
        """The thread: connections one after another until the session is over."""
        line, pause = self._line, self._settings.first_retry
        while True:
            before = self.connections
            status = self._attempt()
            if status in _REFUSED:
                self._trouble = _refusal(status)
                _log.error("transcription is off: Deepgram refuses the key (status %d)", status)
                line.close(forget=True)
                return
            if line.closing:
                return
            self._trouble = "Deepgram cannot be reached; trying again"
            if self.connections > before:
                pause = self._settings.first_retry
            _log.warning("transcription: no connection, trying again in %.1f s", pause)
            with line.changed:
                line.changed.wait_for(lambda: line.closing, timeout=pause)
            pause = min(2 * pause, self._settings.longest_retry)

    def _attempt(self) -> int | None:
        """One connection from its beginning to its end.

        Returns:
            The HTTP status with which it was refused, if it was.
        """
        try:
            with self._connect() as socket:
                self.connections += 1
                self._trouble = ""
                _Connection(self._line, socket).talk()
        except Exception as error:  # noqa: BLE001 (the SDK lets all through: sockets, TLS, HTTP)
            return _status(error)
        return None


class _Connection:
    """One connection: this thread sends, another reads."""

    def __init__(self, line: _Line, socket: Any) -> None:
        self._line = line
        self._socket = socket
        self._timeline = Timeline()
        self._ended = False

    def talk(self) -> None:
        """Send until the session or the connection ends."""
        reader = threading.Thread(target=self._read, name="deepgram-reader", daemon=True)
        reader.start()
        with self._line.changed:
            again = tuple(self._line.unconfirmed)
        for piece in again:
            self._send(piece)
        while not self._ended:
            item = self._line.next(lambda: self._ended)
            if isinstance(item, _Piece):
                self._send(item)
            elif item is not None:
                self._socket.send_finalize()
            elif self._line.closing:
                self._socket.send_close_stream()
                reader.join(self._line.settings.closing)
                return
            elif not self._ended:
                self._socket.send_keep_alive()

    def _send(self, piece: _Piece) -> None:
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
            with self._line.changed:
                self._line.changed.notify_all()

    def _arrive(self, message: Any) -> None:
        transcript = read_results(message, self._timeline.media_time)
        if message.is_final:
            self._line.confirm(self._timeline.media_time(message.start + message.duration))
        if transcript is not None:
            with self._line.changed:
                self._line.arrived.append(transcript)


def check_key(key: str, settings: DeepgramSettings | None = None) -> str:
    """Open a connection and close it again: nothing is transcribed and nothing is charged.

    Returns:
        Why no words can be had, in one sentence without the key; empty when it was accepted.
    """
    if not key:
        return _NO_KEY
    settings = settings or DeepgramSettings()
    try:
        with _connector(key, settings)() as socket:
            socket.send_close_stream()
    except TranscriberUnavailableError as error:
        return error.detail
    except Exception as error:  # noqa: BLE001 (the SDK lets all through: sockets, TLS, HTTP)
        status = _status(error)
        return _refusal(status) if status in _REFUSED else "Deepgram cannot be reached"
    return ""


def _refusal(status: int | None) -> str:
    return f"Deepgram refuses the key (status {status})"


def _status(error: Exception) -> int | None:
    """The HTTP status in an error of the SDK or of its socket library."""
    status = getattr(error, "status_code", None)
    if status is None:
        status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def read_results(
    message: Any, media_time: Callable[[float], float]
) -> TranscriptObservation | None:
    """One ``Results`` message as an observation; nothing when nothing was said."""
    alternatives = message.channel.alternatives
    if not alternatives or not alternatives[0].transcript:
        return None
    best = alternatives[0]
    words = tuple(
        Word(
            text=word.punctuated_word or word.word,
            start=media_time(word.start),
            end=media_time(word.end),
            confidence=word.confidence,
            speaker=None if getattr(word, "speaker", None) is None else int(word.speaker),
        )
        for word in best.words or ()
    )
    start = words[0].start if words else media_time(message.start)
    end = words[-1].end if words else media_time(message.start + message.duration)
    return TranscriptObservation(
        time=end,
        start=start,
        text=best.transcript,
        words=words,
        final=bool(message.is_final),
        transcriber=NAME,
        times_estimated=False,
    )


def _connector(key: str, settings: DeepgramSettings) -> Callable[[], Any]:
    """How to open one connection.

    Raises:
        TranscriberUnavailableError: the SDK is not installed.
    """
    try:
        with warnings.catch_warnings():
            # The SDK still imports a part of websockets that is going; ours is the other part.
            warnings.simplefilter("ignore", DeprecationWarning)
            from deepgram import DeepgramClient
            from deepgram.environment import DeepgramClientEnvironment
    except ModuleNotFoundError as error:
        raise TranscriberUnavailableError(
            "Deepgram's SDK is not installed; this needs: pip install 'proctoring-ai[deepgram]'"
        ) from error
    # The library below it shows headers and messages at this level: the key and the words.
    logging.getLogger("websockets.client").setLevel(logging.INFO)
    arguments: dict[str, Any] = {"api_key": key}
    if settings.url is not None:
        http = settings.url.replace("ws", "http", 1)
        arguments["environment"] = DeepgramClientEnvironment(
            base=http, production=settings.url, agent=settings.url, agent_rest=http
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        listen = DeepgramClient(**arguments).listen.v1  # imports the rest of it
    options: dict[str, Any] = {
        "model": settings.model,
        "language": settings.language,
        "encoding": "linear16",
        "sample_rate": SAMPLE_RATE,
        "channels": 1,
        "interim_results": "true" if settings.interim else "false",
        "smart_format": "true",
        "vad_events": "true",
        "utterance_end_ms": 1000,
        "endpointing": 300,
    }
    if settings.diarize:
        options["diarize_model"] = "latest"
    return lambda: listen.connect(**options)
