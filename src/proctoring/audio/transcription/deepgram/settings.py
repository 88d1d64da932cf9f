"""Options of Deepgram's live API, and timeouts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeepgramSettings:
    """Options sent to Deepgram, and how long anything may take."""

    model: str = "nova-3"
    language: str = "en"
    interim: bool = True
    """Whether interim transcripts, which may still change, are requested."""
    url: str | None = None
    """Another server with the same protocol (``ws://127.0.0.1:1234``); ``None``: Deepgram's own."""
    keep_alive: float = 4.0
    """Seconds without audio after which a ``KeepAlive`` is sent: Deepgram closes the connection after
    10 and asks for one every 3 to 5 (its documentation of the live API)."""
    max_buffered: float = 30.0
    """Seconds of audio buffered while the network is slow or down; beyond that, the oldest is dropped."""
    first_retry: float = 0.5
    """Seconds before the first attempt to reconnect; doubled for each further one."""
    max_retry: float = 30.0
    """Upper bound of the seconds between attempts."""
    close_timeout: float = 5.0
    """Seconds to wait for the last transcripts after the session was closed."""
