"""Observations: what perception reports and judgement consumes.

* Times are *media time*: seconds since the session's first media, never wall clock.
* Boxes are in pixels of the upright frame (EXIF and stream rotation applied), origin top left.
* Angles are in degrees. Left and right are the candidate's own: ``yaw`` is positive towards the
  candidate's left (the right of an unmirrored picture), ``pitch`` is positive upwards, ``roll`` is
  positive when the head tilts towards the candidate's left shoulder.
* ``None`` means *not analysed*, an empty tuple "analysed and found nothing"; ``not_read`` says why.
"""

from __future__ import annotations

from dataclasses import dataclass, field


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
    """Number of the track: constant while the face is tracked without a break, never reused."""
    box: Box
    """Bounding box of the landmarks."""
    presence: float
    """Confidence of the landmark network that this is a face, 0 to 1."""
    since: float = 0.0
    """Media time at which the track started."""
    depicted: bool | None = False
    """``True``: a picture of a face. ``None``: not decided yet. ``False`` for the candidate's face."""


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
class NotRead:
    """Something that was analysed and could not be read."""

    what: str
    """``gaze``, ``head``, ...: the field that is empty."""
    reason: str
    """In words for reviewers: "eyes shut", "face smaller than 80 pixels"."""


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
    """Second model, which must find phones too; empty: the first model alone decided."""
    suspects: int = 0
    """Number of crops that the verifier analysed, or would have."""


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
class Liveness:
    """Indications of a bona fide face, from this detection and those before it."""

    track: int
    """Track of the face (see ``Face``)."""
    score: float | None
    """Mean score of the networks, 0 (attack) to 1 (bona fide); ``None``: too few, or no network."""
    networks: str
    """Names of the networks; empty if only motion and surroundings are analysed."""
    samples: int
    """Number of detections in the mean ``score``."""
    parallax: float | None
    """Relative movement in eye distances per degree of turn: .0005 a sheet, .003 a head, or none."""
    motion: float | None
    """Travel of the head within the last 10 s, in eye distances. ``None``: not tracked for so long."""
    framed_share: float | None
    """Share of the last detections in which the face lies within a phone or screen. ``None``: none."""
    blinks: float | None
    """Blinks per minute over the last 20 to 30 s. ``None``: not tracked for so long."""
    inner_motion: float | None = None
    """Movement within the face in 4 to 10 s, in eye widths: to .04 in a photo, from .1 in a face."""


@dataclass(frozen=True, slots=True)
class VisibleHalf:
    """The half of the face most like the reference's: name ("upper half"; left is the candidate's own),
    distance (.25 for one person), log odds of the right person covered in part against another (best of
    15 s), comparisons since the whole face has differed."""

    name: str
    distance: float
    evidence: float
    looks: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Comparison of the candidate's face (probe) with the session's reference. Holds no embedding."""

    track: int
    """Track of the face (see ``Face``)."""
    distance: float
    """Distance of the mean probe from the reference: about .3 for one person, .6 for two."""
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
    backwards: bool = False
    """``exact``: pixel for pixel, which no camera does. ``backwards``: exact, in reverse order."""


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


@dataclass(frozen=True, slots=True)
class SocketReplaced:
    """A newer socket for ``media`` (video, audio) took over, ``origin``: from what kind of address."""

    time: float
    media: str
    origin: str


@dataclass(frozen=True, slots=True)
class SpeakerActivity:
    """A speaker who spoke since the last diarization result."""

    number: int
    """Number of the speaker within the session, from 1; never reused. 1 is the candidate."""
    similarity: float | None
    """Cosine similarity of the voice's embedding to the candidate's; ``None`` for the candidate or if not known."""
    confidence: float
    """Confidence that this is not the candidate, 0 to 1; 0 for the candidate."""
    seconds: float
    """Seconds that the speaker spoke alone within the last ten seconds."""


@dataclass(frozen=True, slots=True)
class DiarizationResult:
    """Result of the diarization, about once a second while there is speech."""

    speakers: tuple[SpeakerActivity, ...]
    """The speakers since the last result."""
    enrolment: float
    """Share of the candidate's voice that is known; below 1, new speakers must differ clearly."""
    overlap: float
    """Seconds since the last result in which two or more spoke at once."""
    unassigned: float
    """Seconds of speech since the last result that were too short or unclear to assign."""


@dataclass(frozen=True, slots=True)
class AudioObservation:
    """Everything found in one segment of audio. Holds no samples, words or embeddings."""

    time: float
    """Media time in seconds at the end of the segment."""
    duration: float
    """Duration of the segment in seconds."""
    speech: float | None
    """Share of the segment with speech, 0 to 1; ``None``: not analysed."""
    level: float | None
    """Root mean square level in decibels relative to full scale, -100 to 0; ``None``: no audio."""
    diarization: DiarizationResult | None
    not_read: tuple[NotRead, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """One transcribed word."""

    text: str = field(repr=False)
    """Must not be logged."""
    start: float
    """Media time in seconds."""
    end: float
    confidence: float | None = None
    """0 to 1; ``None`` if the transcriber gives none."""
    speaker: int | None = None
    """The transcriber's number of the speaker, from 0; ``None`` if it does not diarize."""


@dataclass(frozen=True, slots=True)
class TranscriptObservation:
    """A transcribed utterance. Only if transcription is enabled."""

    time: float
    """Media time in seconds at the end of the words."""
    start: float
    """Media time in seconds at their start."""
    text: str = field(repr=False)
    """With capitals and punctuation. Must not be logged."""
    words: tuple[Word, ...] = field(repr=False)
    final: bool
    """``False``: an interim result, replaced by the next one with the same start."""
    transcriber: str
    """``moonshine_tiny_en``, ``deepgram``."""
    times_estimated: bool
    """``True``: the transcriber gives no word times; they are spread evenly over the speech."""
    preceding: str = field(default="", repr=False)
    """The last words before these, if speech continued without a pause: transcribers split it."""


@dataclass(frozen=True, slots=True)
class BrowserObservation:
    """State of the browser as reported by its page, once a second and on changes; can be forged."""

    time: float
    """Media time in seconds."""
    visible: bool | None
    """Whether the page's tab is visible. ``None``, here and below: the browser does not report it."""
    focused: bool | None
    """Whether the page's window has the keyboard focus."""
    fullscreen: bool | None
    """``None`` also until the page has been in full screen once."""
    second_screen: bool | None
    """Whether the desktop extends over more than one screen."""
    virtual_camera: bool | None
    """Whether the selected camera has the name of a known virtual camera."""
    pasted: int
    """Characters pasted into the page since the last report."""
    offline: float
    """Seconds without network before this report; 0 if there were none."""


Observation = (
    FrameObservation
    | ConnectionObservation
    | AudioObservation
    | TranscriptObservation
    | BrowserObservation
    | SocketReplaced
)
