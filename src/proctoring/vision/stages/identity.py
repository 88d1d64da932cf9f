"""Whether the candidate is still the same person."""

from __future__ import annotations

from proctoring.vision.identity.verifier import IdentityVerifier
from proctoring.vision.stages.context import Context, ObservationPart
from proctoring.vision.stages.stage import Stage


class IdentityStage(Stage):
    """Gives ``identity`` when a comparison is due, which the verifier decides from frame to frame.

    Args:
        verifier: holds the session's reference.
    """

    name = "identity"

    def __init__(self, verifier: IdentityVerifier) -> None:
        self._verifier = verifier

    def needs_faces(self, time: float) -> bool:
        """When a comparison is due."""
        return self._verifier.is_due(time)

    def run(self, context: Context) -> ObservationPart:
        """Follow interruptions, and compare the candidate's face with the reference."""
        face, frame = context.candidate, context.frame
        self._verifier.update(
            frame.time,
            None if face is None else face.track,
            context.found.get("camera"),
            context.latest.stream,
        )
        if context.swapped:
            self._verifier.look_again(frame.time)
        if face is None or not self._verifier.is_due(frame.time):
            return {}
        identity, unread = self._verifier.verify(
            frame.time,
            frame.pixels,
            face.mesh,
            alone=len(context.faces) == 1,
            slowness=context.slowdown,
        )
        return {"identity": identity, "not_read": () if unread is None else (unread,)}
