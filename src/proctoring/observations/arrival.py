"""Observations of what arrives: media that stops, frames that are not analysed, sockets replaced."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UnanalysedFrames:
    """Frames that have arrived since the last one that was analysed, by what became of them."""

    seconds: float
    """Since the first of them arrived."""
    refused: int
    """Not a JPEG, or not decodable."""
    failed: int
    """Their analysis failed."""
    replaced: int
    """A newer one arrived while they waited."""
    skipped: int
    """No analysis was due, or too much time had gone into refused ones."""
    waiting: int
    """Still waiting, or being analysed."""


@dataclass(frozen=True, slots=True)
class ConnectionObservation:
    """Which media arrives and is analysed: on changes, and once a second while any is missing."""

    time: float
    """Media time in seconds, extrapolated by the session's clock while no frames arrive."""
    connected: bool
    """``False``: the session is open, but no media arrives."""
    pictures: bool | None = None
    """Whether frames arrive; ``None``: none has arrived yet."""
    sound: bool | None = None
    """Whether audio arrives; ``None``: none has arrived yet."""
    unanalysed: UnanalysedFrames | None = None
    """``None``: frames that arrive are analysed."""
    outage: float = 0.0
    """Seconds just before it in which no server process ran the session, which goes on now."""


@dataclass(frozen=True, slots=True)
class SocketReplaced:
    """A newer socket has taken the place of an open one of the same session."""

    time: float
    """Media time in seconds."""
    media: str
    """``video`` or ``audio``."""
    origin: str
    """The kind of address that it comes from, in words for reviewers; never the address itself."""
