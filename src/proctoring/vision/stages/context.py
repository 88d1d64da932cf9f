"""What stages read and return: the context of one frame, and parts of its observation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypedDict

from proctoring.observations import (
    CameraMovement,
    Candidate,
    Face,
    FrameObservation,
    Gaze,
    HeadPose,
    Identity,
    ImageQuality,
    InjectionIndicators,
    Liveness,
    NotRead,
    ObjectDetections,
    TurnedPicture,
)
from proctoring.vision.face_tracking import TrackedFace
from proctoring.vision.frame import Frame


class CandidatePart(TypedDict, total=False):
    """Some fields of ``Candidate``. One that no stage gives stays ``None``."""

    track: int
    head: HeadPose | None
    gaze: Gaze | None
    eyes_open: bool | None
    mouth_opening: float | None
    baseline_ready: bool
    blinks: int | None


class ObservationPart(TypedDict, total=False):
    """Some fields of ``FrameObservation``: the result of one stage.

    ``candidate`` and ``not_read`` may come from several stages, in pieces; every other field comes
    from one.
    """

    faces: tuple[Face, ...]
    candidate: CandidatePart
    objects: ObjectDetections
    not_read: tuple[NotRead, ...]
    camera: ImageQuality
    liveness: Liveness | None
    stream: InjectionIndicators
    scene: CameraMovement
    identity: Identity | None
    turned: TurnedPicture | None
    carried_since: float | None


@dataclass(frozen=True, slots=True)
class HeadEstimate:
    """The candidate's head in one frame, left and right as in the picture."""

    pose: HeadPose | None
    """Against the line from the camera to the head; ``None``: no face, or no pose fits it."""
    turn: HeadPose | None
    """Against the session's neutral pose; ``None`` also before there is one."""
    neutral_known: bool
    """Whether there is a neutral pose."""
    neutral_learned: bool
    """Whether it is the candidate's own, not the frontal pose that stands in for it."""


NO_HEAD = HeadEstimate(None, None, neutral_known=False, neutral_learned=False)


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredFaces:
    """What was measured of the faces in one frame, to be carried over to later ones."""

    time: float
    """Media time of the frame."""
    faces: tuple[TrackedFace, ...]
    head: HeadEstimate
    found: ObservationPart
    """The results of the stages that measure faces."""


@dataclass(slots=True)
class Latest:
    """Results of one session that are needed in later frames than their own."""

    candidate_generation: int = 0
    """How often another person has become the candidate."""
    stream: InjectionIndicators | None = None
    objects: ObjectDetections | None = None


@dataclass(slots=True, eq=False)
class Context:
    """One frame and what earlier stages found in it. Stages write to it, in the order of the list."""

    frame: Frame
    slowdown: float
    """Factor, 1 or more, by which scaled periods are longer at the session's present rate."""
    latest: Latest
    carried: MeasuredFaces | None = None
    """Of an earlier frame, where the faces are carried over; ``None``: they are measured in this one."""
    calm: bool = False
    """Whether nothing is pending for which everything must be measured as often as it can be."""
    swapped: bool = False
    """Whether the face, which rested, is another picture than in the frame before (``face_swap``)."""
    found: ObservationPart = field(default_factory=ObservationPart)
    """The parts of the observation so far."""
    of_faces: ObservationPart = field(default_factory=ObservationPart)
    """Those of them that come from stages that measure faces."""
    faces: tuple[TrackedFace, ...] = ()
    """All tracked faces, the oldest track first."""
    candidate: TrackedFace | None = None
    """The candidate's face; ``None``: not in this frame."""
    candidate_track: int | None = None
    """The candidate's track, also while the face is lost; ``None``: nobody was seen yet."""
    person_changed: bool = False
    """Whether another person has become the candidate in this frame."""
    head: HeadEstimate = NO_HEAD
    learning: bool = False
    """Whether the neutral pose or the baseline of the eyes is still being learned."""

    def __post_init__(self) -> None:
        """Take over what is carried."""
        if self.carried is not None:
            self.faces, self.head = self.carried.faces, self.carried.head
            self.found = {**self.carried.found, "carried_since": self.carried.time}

    @property
    def measured(self) -> MeasuredFaces:
        """What was measured of the faces in this frame, or carried over to it."""
        return self.carried or MeasuredFaces(self.frame.time, self.faces, self.head, self.of_faces)

    @property
    def baselines_void(self) -> bool:
        """Whether head and eyes are to be learned anew: another candidate, or the camera was moved."""
        scene = self.found.get("scene")
        return self.person_changed or (scene is not None and scene.moved)

    def add(self, part: ObservationPart, *, measures_faces: bool = False) -> None:
        """Merge the result of a stage."""
        _merge(self.found, part)
        if measures_faces:
            _merge(self.of_faces, part)

    def observation(self) -> FrameObservation:
        """All parts as one observation."""
        frame = self.frame
        return observation_of(frame.time, frame.width, frame.height, self.found)


def observation_of(
    time: float, width: int, height: int, found: ObservationPart
) -> FrameObservation:
    """The observation of a frame of this media time and size; what was not found is ``None``."""
    return FrameObservation(
        time=time,
        width=width,
        height=height,
        faces=found.get("faces"),
        candidate=_candidate(found["candidate"]) if "candidate" in found else None,
        objects=found.get("objects"),
        not_read=found.get("not_read", ()),
        camera=found.get("camera"),
        liveness=found.get("liveness"),
        stream=found.get("stream"),
        scene=found.get("scene"),
        identity=found.get("identity"),
        turned=found.get("turned"),
        carried_since=found.get("carried_since"),
    )


def _merge(found: ObservationPart, part: ObservationPart) -> None:
    if not part:
        return
    before, unread = found.get("candidate"), found.get("not_read")
    found.update(part)
    if before and "candidate" in part:
        found["candidate"] = {**before, **part["candidate"]}
    if unread and "not_read" in part:
        found["not_read"] = unread + part["not_read"]


def _candidate(part: CandidatePart) -> Candidate:
    return Candidate(
        part["track"],
        part.get("head"),
        part.get("gaze"),
        part.get("eyes_open"),
        part.get("mouth_opening"),
        part.get("baseline_ready", True),
        part.get("blinks"),
    )
