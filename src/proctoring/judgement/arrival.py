"""Readings about what arrives: media that stops, and frames that nobody analyses.

A ``ConnectionObservation`` describes what arrived, not what was seen in it. Its media time is
extrapolated while nothing arrives, so that time limits pass then, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from proctoring.judgement.policy import Policy
from proctoring.judgement.reading import Reading, not_held
from proctoring.observations import (
    ConnectionObservation,
    Observation,
    SocketReplaced,
    UnanalysedFrames,
)

NOT_ANALYSED = "session.not_analysed"
"""Also read from frames: each one that was analysed ends it."""


def connection_reading(*, connected: bool, text: str = "no media arrived") -> Reading:
    """Whether no media arrives at all."""
    return Reading("session.connection_lost", not connected, 1.0, 1.0, text)


def takeover_reading(replaced: SocketReplaced) -> Reading:
    """That a newer socket took over. Clients that reconnect do that too, so it only informs."""
    text = f"a newer {replaced.media} socket took over, from {replaced.origin}"
    return Reading("session.taken_over", True, 1.0, 1.0, text)


def arrival_readings(policy: Policy, observation: ConnectionObservation) -> Iterator[Reading]:
    """Whether all media, pictures or sound stopped, and whether frames are analysed."""
    pictures, sound = observation.pictures, observation.sound
    text = f"no media arrived{_before(observation)}"
    yield connection_reading(connected=observation.connected, text=text)
    if pictures is not None or policy.camera.required:
        text = f"no pictures arrive (sound does){_before(observation)}"
        yield _lost("camera.lost", this=pictures, other=sound, text=text)
    if sound is not None or policy.audio.required:
        text = "no sound arrives (pictures do)"
        yield _lost("audio.lost", this=sound, other=pictures, text=text)
    if pictures is not None:
        yield _analysis_reading(observation)


def reports_no_frames(observation: Observation) -> bool:
    """Whether this observation says that no frames arrive: time limits are then judged by it.

    While frames arrive, limits are judged by them alone: the observation may be ahead of a frame that is
    still being analysed.
    """
    return isinstance(observation, ConnectionObservation) and not observation.pictures


def are_unreadable(frames: UnanalysedFrames | None) -> bool:
    """Whether frames are not analysed because the client's pictures cannot be decoded, rather than
    because of the service."""
    return frames is not None and frames.refused > frames.failed


def _before(observation: ConnectionObservation) -> str:
    """What was wrong with the frames before they stopped: the socket of a client that sends only
    undecodable ones is closed."""
    frames = observation.unanalysed
    if frames is None or not are_unreadable(frames):
        return ""
    return f" after {frames.refused} pictures that could not be decoded"


def _lost(kind: str, *, this: bool | None, other: bool | None, text: str) -> Reading:
    """Whether one medium is missing while the other arrives."""
    if this:
        return not_held(kind)
    if not other:  # that is a lost connection
        return Reading(kind, None, text="no media arrived")
    return Reading(kind, True, 1.0, 1.0, text)


def _analysis_reading(observation: ConnectionObservation) -> Reading:
    kind, unanalysed = NOT_ANALYSED, observation.unanalysed
    if unanalysed is None:
        return not_held(kind)
    if not observation.pictures:
        return Reading(kind, None, text="no pictures arrived")
    text = f"pictures arrived and none was analysed ({_outcomes(unanalysed)})"
    return Reading(kind, True, 1.0, unanalysed.seconds, text)


def _outcomes(frames: UnanalysedFrames) -> str:
    """ "12 not decodable, 1 still in work": what became of the frames, in words for reviewers."""
    counts = {
        "not decodable": frames.refused,
        "whose analysis failed": frames.failed,
        "replaced by newer ones": frames.replaced,
        "skipped": frames.skipped,
        "still in work": frames.waiting,
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)
