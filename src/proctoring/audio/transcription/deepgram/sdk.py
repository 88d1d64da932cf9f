"""The official SDK: how to connect, and what its errors mean."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import Any

from proctoring.audio.pcm import SAMPLE_RATE
from proctoring.audio.transcription.deepgram.settings import DeepgramSettings
from proctoring.errors import TranscriberUnavailableError

NO_KEY = "Deepgram needs a key: set DEEPGRAM_API_KEY"
REFUSED = (401, 402, 403)
"""HTTP statuses that a retry does not change: wrong key, no credit, no permission."""
_UTTERANCE_END_MS = 1000
"""Gap between words that ends an utterance. This and the next: as in Deepgram's examples of live audio."""
_ENDPOINTING_MS = 300
"""Silence after which a transcript is made final."""


def check_key(key: str, settings: DeepgramSettings | None = None) -> str:
    """Open a connection and close it again. Nothing is transcribed and nothing is charged.

    Returns:
        Why transcription is unavailable, in one sentence without the key; empty if it was accepted.
    """
    if not key:
        return NO_KEY
    settings = settings or DeepgramSettings()
    try:
        with connector(key, settings)() as socket:
            socket.send_close_stream()
    except TranscriberUnavailableError as error:
        return error.detail
    except Exception as error:  # noqa: BLE001 (the SDK lets all through: sockets, TLS, HTTP)
        status = http_status(error)
        return refusal(status) if status in REFUSED else "Deepgram cannot be reached"
    return ""


def refusal(status: int | None) -> str:
    """The sentence for a refused key."""
    return f"Deepgram refuses the key (status {status})"


def http_status(error: Exception) -> int | None:
    """The HTTP status in an exception of the SDK or of its socket library."""
    status = getattr(error, "status_code", None)
    if status is None:
        status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def connector(key: str, settings: DeepgramSettings) -> Callable[[], Any]:
    """A function that opens one connection, as a context manager.

    Raises:
        TranscriberUnavailableError: the SDK is not installed.
    """
    try:
        with warnings.catch_warnings():
            # The SDK imports websockets' legacy module, which warns; we use the new one.
            warnings.simplefilter("ignore", DeprecationWarning)
            from deepgram import DeepgramClient
            from deepgram.environment import DeepgramClientEnvironment
    except ModuleNotFoundError as error:
        raise TranscriberUnavailableError(
            "Deepgram's SDK is not installed; this needs: pip install 'proctoring-ai[deepgram]'"
        ) from error
    # At DEBUG, the socket library logs headers and messages: the key and the words.
    logging.getLogger("websockets.client").setLevel(logging.INFO)
    arguments: dict[str, Any] = {"api_key": key}
    if settings.url is not None:
        http = settings.url.replace("ws", "http", 1)
        arguments["environment"] = DeepgramClientEnvironment(
            base=http, production=settings.url, agent=settings.url, agent_rest=http
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        listen = DeepgramClient(**arguments).listen.v1  # imports the rest of the SDK
    options: dict[str, Any] = {
        "model": settings.model,
        "language": settings.language,
        "encoding": "linear16",
        "sample_rate": SAMPLE_RATE,
        "channels": 1,
        "interim_results": "true" if settings.interim else "false",
        "smart_format": "true",
        "vad_events": "true",
        "utterance_end_ms": _UTTERANCE_END_MS,
        "endpointing": _ENDPOINTING_MS,
        "diarize_model": "latest",
    }
    return lambda: listen.connect(**options)
