"""Observations of one frame, and what they consist of."""

from __future__ import annotations

from dataclasses import dataclass

from proctoring.observations.not_read import NotRead


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the upright frame."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Detection:
    """An object found by a detector."""

    label: str
    """COCO class (``person``, ``cell phone``)."""
    score: float
    """The detector's score, 0 to 1; not a probability."""
    box: Box


@dataclass(frozen=True, slots=True)
class Face:
    """A face in a frame, tracked from frame to frame."""

    track: int
    """Number of the track: constant while the face is tracked without a break, never reused within a
    session."""
    box: Box
    """Bounding box of the landmarks."""
    presence: float
    """Confidence of the landmark network that this is a face, 0 to 1."""
    since: float = 0.0
    """Media time at which the track started."""
    depicted: bool | None = False
    """``True``: a picture of a face: it stays still while others move, or lies within a screen.
    ``None``: not decided yet. Always ``False`` for the candidate's face."""


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Rotation of the candidate's head from the session's neutral pose, in degrees."""

    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True, slots=True)
class Gaze:
    """Gaze of the candidate, eyes and head together, relative to the session's baseline."""

    yaw: float
    """Degrees, positive towards the candidate's left."""
    pitch: float | None
    """Degrees, positive upwards; ``None`` if only yaw could be read."""
    confidence: float
    """0 to 1: lower for small faces, strong head turns and half-closed eyes."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Measurements of the candidate's face."""

    track: int
    """Track of the face (see ``Face``)."""
    head: HeadPose | None
    gaze: Gaze | None
    eyes_open: bool | None
    """``None`` if the eyes could not be read."""
    mouth_opening: float | None = None
    """Distance of the inner lips in mouth widths; ``None`` if the mouth could not be read."""
    baseline_ready: bool = True
    """Whether the neutral head pose and the baseline of the gaze have been learned."""
    blinks: int | None = None
    """Blinks since the track started. ``None``: eyes are not analysed."""


@dataclass(frozen=True, slots=True)
class ObjectDetections:
    """Result of the object detector for one frame."""

    phones: tuple[Detection, ...]
    persons: tuple[Detection, ...]
    detector: str
    """Catalogue name of the detection model."""
    screens: tuple[Detection, ...] = ()
    """Televisions, monitors and laptops."""
    depicted_persons: tuple[Detection, ...] = ()
    """Detections of persons that are only pictures of a face; not among ``persons``."""
    face_seen: bool = False
    """Whether the candidate's face was found in the same frame."""
    verifier: str = ""
    """Catalogue name of the second model, which verifies phones in crops: only phones that both
    models found are reported. Empty: the first model alone decided."""
    suspects: int = 0
    """Number of crops that the verifier analysed, or would have."""
    doubtful: bool = False
    """Whether something below the detector's thresholds may be a phone, another person or a screen."""
    carried_since: float | None = None
    """Media time of the frame in which objects were detected, where that result is carried over because
    nothing but the candidate's face has changed since; ``None``: they were detected in this frame."""


@dataclass(frozen=True, slots=True)
class ImageQuality:
    """Quality of the picture as a whole."""

    brightness: float
    """Mean grey level, 0 to 255."""
    overexposed: float
    """Share of the picture that is white without detail, 0 to 1."""
    structure: float
    """Spread of grey levels between neighbouring parts of the picture; near 0 for a covered lens."""
    detail: float
    """Strength of the finest edges; low if out of focus."""


@dataclass(frozen=True, slots=True)
class CameraMovement:
    """Comparison of the background with the reference background."""

    similarity: float | None
    """Correlation with the reference, -1 to 1; ``None``: too little background is visible."""
    moved: bool
    """Whether the camera was moved: the background differs, has done so for three seconds, and rests."""


@dataclass(frozen=True, slots=True)
class TurnedPicture:
    """No face is upright in the picture, and one is if the picture is turned."""

    degrees: int
    """Clockwise turn that makes the face upright: 90, 180 or 270."""
    certain: bool
    """Whether the face was found so several times in a row; otherwise it is only suspected."""


@dataclass(frozen=True, slots=True)
class Liveness:
    """Indications of a bona fide face, from this detection and those before it."""

    track: int
    """Track of the face (see ``Face``)."""
    score: float | None
    """Mean score of the networks over the last detections, 0 (attack) to 1 (bona fide). ``None``: too
    few detections, a face or light that they cannot score, or no network is available."""
    networks: str
    """Names of the networks; empty if only motion and surroundings are analysed."""
    samples: int
    """Number of detections in the mean ``score``."""
    parallax: float | None
    """How much the parts of the face move relative to each other when it turns, in eye distances per
    degree: about .0005 for a flat sheet, .003 for a head. ``None``: not turned far enough recently."""
    motion: float | None
    """Travel of the head within the last 10 s, in eye distances. ``None``: not tracked for so long."""
    framed_share: float | None
    """Share of the last detections in which the face lies within a phone or screen. ``None``: none."""
    blinks: float | None
    """Blinks per minute over the last 20 to 30 s. ``None``: not tracked for so long, or in too few
    frames."""
    inner_motion: float | None = None
    """Movement within the face over the last 4 to 10 s, in eye widths: up to .04 in a photo that is moved
    about, .1 and more in a face that looks about or speaks. ``None``: not tracked for so long."""


@dataclass(frozen=True, slots=True)
class VisibleHalf:
    """The half of the candidate's face that is most like that half of the reference."""

    name: str
    """``upper half``, ``lower half``, ``left half``, ``right half``; left is the candidate's own."""
    distance: float
    """Distance of the halves' embeddings: about .25 for one person."""
    evidence: float
    """Log odds that this is the right person, covered in part, rather than another: the greatest of the
    last 15 s."""
    looks: int
    """Comparisons since the whole face has differed."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Comparison of the candidate's face (probe) with the session's reference. Holds no embedding."""

    track: int
    """Track of the face (see ``Face``)."""
    distance: float
    """Distance between the mean embedding of the last probes and the reference: about .2 within a
    session, .3 for one person on two days, .6 for two persons."""
    comparisons: int
    """Number of probes in the mean: one alone errs four times as often as three."""
    trigger: str
    """Why it was compared: "after the camera was covered", "now and then"."""
    from_photo: bool
    """Whether the reference is a given photo; otherwise it is from the session's first seconds."""
    visible: VisibleHalf | None = None
    """``None``: not compared by halves, since the whole face is alike."""


@dataclass(frozen=True, slots=True)
class InjectionIndicators:
    """Indications over time that a stream does not come from a live camera."""

    unchanged_for: float
    """Seconds of identical pictures, sensor noise included, whether or not they were re-encoded."""
    ever_changed: bool
    """``False``: all pictures since the start of the session are identical."""
    repeats_after: float | None
    """The last seconds repeat those of so many seconds before. ``None``: they do not."""
    exact: bool = False
    """Whether they repeat pixel for pixel, which no camera does."""
    backwards: bool = False
    """Whether they repeat exactly and in reverse order."""


@dataclass(frozen=True, slots=True)
class FrameObservation:
    """Everything that was found in one analysed frame. Holds no pixels and no landmarks."""

    time: float
    """Media time in seconds."""
    width: int
    height: int
    faces: tuple[Face, ...] | None
    """``None``: face detection did not run. Empty: it found no face."""
    candidate: Candidate | None
    """``None``: the candidate's face is not in this frame."""
    objects: ObjectDetections | None
    not_read: tuple[NotRead, ...] = ()
    camera: ImageQuality | None = None
    liveness: Liveness | None = None
    """``None``: not analysed in this frame, or not readable (then ``not_read`` has the reason)."""
    stream: InjectionIndicators | None = None
    scene: CameraMovement | None = None
    identity: Identity | None = None
    """``None``: not compared in this frame, or not readable (then ``not_read`` has the reason)."""
    turned: TurnedPicture | None = None
    """``None``: upright, or no face says that it is not."""
    carried_since: float | None = None
    """Media time of the frame in which faces and candidate were measured, where they are carried over
    because the picture of the faces has not changed since; ``None``: they were measured in this frame."""
