"""Why something could not be read from a frame."""

from __future__ import annotations

from proctoring.observations import FrameObservation


def unread_reason(observation: FrameObservation, what: str) -> str:
    """Why exactly ``what`` was analysed in this frame and could not be read; empty: it was read, or not
    due."""
    return next((item.reason for item in observation.not_read if item.what == what), "")


def why_unread(observation: FrameObservation, what: str) -> str:
    """Why ``what`` (``gaze``, ``head``, ...) could not be read from the frame, in words."""
    if observation.candidate is None:
        return (
            "no face in the frame" if not observation.faces else "the candidate is not in the frame"
        )
    return next((n.reason for n in observation.not_read if n.what.startswith(what)), "not readable")
