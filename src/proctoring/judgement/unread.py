"""Why something could not be read from a frame."""

from __future__ import annotations

from proctoring.observations import FrameObservation


def why_unread(observation: FrameObservation, what: str) -> str:
    """Why ``what`` (``gaze``, ``head``, ...) could not be read from the frame, in words."""
    if observation.candidate is None:
        return (
            "no face in the frame" if not observation.faces else "the candidate is not in the frame"
        )
    return next((n.reason for n in observation.not_read if n.what.startswith(what)), "not readable")
