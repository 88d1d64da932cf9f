"""Whether objects must be detected again, or the last result still holds.

Detection costs more than everything else that runs once a second, and most of an exam is one person before a
room in which nothing changes. There the last result is carried over at the times at which a detection would
have been made, so that judgement sees the same readings as before. Wherever something is or may be found,
or something but the candidate's face has changed, it is detected as often as ever.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from proctoring.observations import ObjectDetections
from proctoring.vision.objects import LAP
from proctoring.vision.scene_change import Blocks, Scene

MAX_AGE = 8.0
"""Seconds after which objects are detected though nothing has changed."""
MAX_CLOSE_AGE = 16.0
"""Seconds after which they are also detected in the close view."""
MIN_CLOSE_AGE = 1.9
"""Seconds for which the close view is left out though something moves there, unless the whole picture holds
anything like a phone: every other detection while the candidate moves."""
_DOUBT_LASTS = 5.0
"""Seconds after a result that was not clear for which they are detected as often as before: the score of an
object that lies still differs from detection to detection."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectedScene:
    """A scene in which objects were detected."""

    scene: Scene
    candidate: int | None
    """The candidate's track; ``None``: not seen."""


@dataclass(frozen=True, slots=True)
class ObjectGateState:
    """What is known of the last results, apart from pictures."""

    applied_at: float = float("-inf")
    """Media time of the frame of the last result."""
    doubt_at: float = float("-inf")
    """Likewise of the last one that was not clear."""
    clear: bool = False
    """Whether the last one was."""


@dataclass(frozen=True, slots=True, eq=False)
class ObjectGatePictures:
    """Scenes of the last detections. Without them, objects are detected at the next time that is due."""

    requested: DetectedScene | None
    close: Scene | None
    """Of the last detection in the close view."""


class ObjectGate:
    """Remembers the scenes in which one session's objects were detected."""

    def __init__(
        self, state: ObjectGateState | None = None, pictures: ObjectGatePictures | None = None
    ) -> None:
        state = state or ObjectGateState()
        self._requested = None if pictures is None else pictures.requested
        self._close = None if pictures is None else pictures.close
        self._applied_at = state.applied_at
        self._doubt_at = state.doubt_at
        self._clear = state.clear

    @property
    def state(self) -> ObjectGateState:
        """For a snapshot."""
        return ObjectGateState(self._applied_at, self._doubt_at, self._clear)

    @property
    def pictures(self) -> ObjectGatePictures:
        """For a snapshot."""
        return ObjectGatePictures(self._requested, self._close)

    def is_same(self, scene: Scene, candidate: int | None) -> bool:
        """Whether the last result holds for this scene, too.

        Args:
            scene: of a frame later than the last one.
            candidate: the candidate's track; ``None``: not seen.
        """
        last = self._requested
        if last is None or candidate is None or candidate != last.candidate:
            return False
        age = scene.time - last.scene.time
        return (
            self._applied_at == last.scene.time  # otherwise it failed
            and self._is_quiet(scene.time)
            and 0 < age < MAX_AGE
            and not last.scene.changed(scene).any()
        )

    def needs_close_view(self, scene: Scene) -> bool:
        """Whether small objects near the hands are to be looked for in a view of their own."""
        if self._close is None or not self._is_quiet(scene.time):
            return True
        age = scene.time - self._close.time
        if 0 < age < MIN_CLOSE_AGE:
            return False
        if not 0 < age < MAX_CLOSE_AGE:
            return True
        return bool((self._close.changed(scene) & _within_close_view(scene.faces)).any())

    def requested(self, scene: Scene, candidate: int | None, *, close: bool) -> None:
        """Objects will be detected in this scene."""
        self._requested = DetectedScene(scene, candidate)
        if close:
            self._close = scene

    def applied(self, time: float, objects: ObjectDetections) -> None:
        """The result for the scene of this media time."""
        self._applied_at = time
        self._clear = is_clear(objects)
        if not self._clear:
            self._doubt_at = time

    def _is_quiet(self, time: float) -> bool:
        return self._clear and time - self._doubt_at >= _DOUBT_LASTS


def is_clear(objects: ObjectDetections) -> bool:
    """Whether there is one person, and neither is nor may be anything else."""
    nothing = not (
        objects.phones or objects.suspects or objects.screens or objects.depicted_persons
    )
    return nothing and len(objects.persons) == 1 and not objects.doubtful


def _within_close_view(blocks: Blocks) -> Blocks:
    """The blocks of a picture's close view."""
    rows, columns = blocks.shape
    left, top, right, bottom = LAP
    within = np.zeros_like(blocks)
    within[int(top * rows) : round(bottom * rows), int(left * columns) : round(right * columns)] = (
        True
    )
    return within
