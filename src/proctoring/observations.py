"""What perception reports: the words that every floor shares.

Conventions, everywhere:

* time is *media time*: seconds since the session's first media, never wall clock;
* boxes are in pixels of the upright frame (EXIF and stream rotation applied), origin top left;
* angles are in degrees. Left and right are the candidate's own: ``yaw`` is positive towards the
  candidate's left (the right of a picture that is not mirrored), ``pitch`` is positive upwards,
  ``roll`` is positive when the head tilts towards the candidate's left shoulder.

A field that is ``None`` was *not looked at* in this frame, which is different from "looked at and
found nothing" (an empty tuple). ``not_read`` says why something expected could not be read.
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
    """One object that a detector found."""

    label: str
    """The detector's class, in COCO's words (``person``, ``cell phone``)."""
    score: float
    """The detector's own score, 0 to 1; not a probability."""
    box: Box


@dataclass(frozen=True, slots=True)
class Face:
    """One face in one frame, followed from frame to frame."""

    track: int
    """The same number as long as the face is followed without a break; never reused in a session."""
    box: Box
    """The hull of the landmarks."""
    presence: float
    """How sure the landmark network is that this is a face, 0 to 1."""
    since: float = 0.0
    """Media time at which this track was first seen."""
    picture: bool | None = False
    """``True``: it stays still as a poster does while others move, or lies within a screen.
    ``None``: not watched long enough to tell. Never told of the candidate's face."""


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Turn of the candidate's head against the session's own neutral pose, in degrees."""

    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True, slots=True)
class Gaze:
    """Where the candidate looks against the session's own baseline, eyes and head together."""

    yaw: float
    """Degrees, positive towards the candidate's left."""
    pitch: float | None
    """Degrees, positive upwards; ``None`` where only left and right could be read."""
    confidence: float
    """0 to 1: lower for small faces, strong head turns and eyes half shut."""


@dataclass(frozen=True, slots=True)
class NotRead:
    """Something that was expected in this frame and could not be read, and why."""

    what: str
    """``gaze``, ``head``, ...: the field that stayed empty."""
    reason: str
    """In words a reviewer understands: "eyes shut", "face smaller than 80 pixels"."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What was read of the followed face, the candidate's."""

    track: int
    head: HeadPose | None
    gaze: Gaze | None
    eyes_open: bool | None
    """``None`` when the eyes could not be judged."""
    mouth_opening: float | None = None
    """Distance of the inner lips in mouth widths; ``None`` when the mouth could not be read."""
    learned: bool = True
    """Whether there is something to judge head and gaze by: a neutral pose and a baseline of the eyes."""
    blinks: int | None = None
    """Blinks counted since the face has been followed without a break. ``None``: eyes not watched."""


@dataclass(frozen=True, slots=True)
class ObjectDetections:
    """One look of the object detector."""

    phones: tuple[Detection, ...]
    persons: tuple[Detection, ...]
    detector: str
    """The catalogue name of the model that looked."""
    screens: tuple[Detection, ...] = ()
    """Televisions, monitors and laptops."""
    pictured: tuple[Detection, ...] = ()
    """What the detector takes for persons and is but the face of a picture; not among ``persons``."""
    face_seen: bool = False
    """Whether the candidate's face was seen in the very frame that was looked at."""
    closer: str = ""
    """The model that looked closer where the first suspected a phone: only phones that both saw are
    reported. Empty: the first decided alone."""
    suspects: int = 0
    """Places that were looked at closer, or would have been."""


@dataclass(frozen=True, slots=True)
class ImageQuality:
    """What the camera gives, whoever is before it: measured on the whole picture."""

    brightness: float
    """Mean grey level, 0 to 255."""
    burnt: float
    """Share of the picture that is white without any drawing, 0 to 1."""
    structure: float
    """Spread of grey levels between neighbouring parts of the picture; near 0 on a covered lens."""
    detail: float
    """Strength of the finest edges; low out of focus."""


@dataclass(frozen=True, slots=True)
class CameraMovement:
    """The background against what it was."""

    likeness: float | None
    """Correlation, -1 to 1, with the background as it was; ``None``: too little of it is seen."""
    moved: bool
    """It has become another, has stayed so for three seconds and rests: the camera was moved."""


@dataclass(frozen=True, slots=True)
class Liveness:
    """Signs of life of the candidate's face, of this look and of those before it."""

    track: int
    score: float | None
    """How likely the face is living, 0 to 1: the networks' mean over the last looks. ``None``:
    too few looks, or no network judges."""
    judge: str
    """Which networks judge; empty when movement and surroundings alone do."""
    looks: int
    """How many looks ``score`` is the mean of."""
    depth: float | None
    """How much the parts of the face move apart when it turns, in eye distances per degree: about
    .0005 for a flat sheet, .003 for a head. ``None``: it did not turn far enough lately."""
    sway: float | None
    """How far the head travelled in the last 10 s, in eye distances. ``None``: not watched so long."""
    framed: float | None
    """Share of the last looks in which the face lies within a phone or screen. ``None``: no looks."""
    blinks: float | None
    """Blinks a minute over the last 20 to 30 s. ``None``: not watched so long."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The candidate's face compared with the session's reference. No embedding, only how far."""

    track: int
    distance: float
    """Between the mean embedding of the last looks and the reference's: about .3 for one person
    on two days, .2 within a sitting, .6 for two persons."""
    looks: int
    """How many looks the mean is of: one alone errs four times as often as three."""
    why: str
    """Why it was compared: "after the camera was covered", "now and then"."""
    from_photo: bool
    """``True``: the reference is a photo that was given; ``False``: the session's first seconds."""


@dataclass(frozen=True, slots=True)
class InjectionIndicators:
    """Signs in time that a stream does not come from a camera."""

    unchanged_for: float
    """Seconds for which the very same picture has been coming, sensor noise included; encoded anew
    each time or not."""
    ever_changed: bool
    """``False``: nothing else has come since the session began."""
    repeats_after: float | None
    """The last seconds are those of so many seconds earlier, again. ``None``: they are not."""


@dataclass(frozen=True, slots=True)
class FrameObservation:
    """Everything that was seen in one analysed frame. No pixels, no landmarks, no rules."""

    time: float
    """Media time in seconds."""
    width: int
    height: int
    faces: tuple[Face, ...] | None
    """``None``: faces were not looked for. Empty: looked for, and nobody is there."""
    candidate: Candidate | None
    """``None``: the candidate's face is not in this frame."""
    objects: ObjectDetections | None
    not_read: tuple[NotRead, ...] = ()
    camera: ImageQuality | None = None
    """``None``: not looked at in this frame."""
    liveness: Liveness | None = None
    """``None``: not looked at in this frame, or not readable (then ``not_read`` says why)."""
    stream: InjectionIndicators | None = None
    """``None``: not looked at in this frame."""
    scene: CameraMovement | None = None
    """``None``: not looked at in this frame."""
    identity: Identity | None = None
    """``None``: not compared in this frame, or not readable (then ``not_read`` says why)."""


@dataclass(frozen=True, slots=True)
class ConnectionObservation:
    """Whether media is arriving. Sent when that changes and, while it does not arrive, once a second."""

    time: float
    """Media time in seconds, extrapolated by the session's clock while nothing arrives."""
    connected: bool
    """``False``: the session is open, yet no media arrives."""


@dataclass(frozen=True, slots=True)
class SpeakerActivity:
    """A voice that spoke since the look before."""

    number: int
    """Counts the session's voices from 1; never reused. 1 is the candidate's."""
    similarity: float | None
    """Cosine of its speaker embedding to the candidate's, -1 to 1; ``None`` for the candidate's own voice
    and while that is not known yet."""
    confidence: float
    """How sure it is that this is somebody other than the candidate, 0 to 1; 0 for the candidate."""
    seconds: float
    """How long it has spoken alone within the last ten seconds."""


@dataclass(frozen=True, slots=True)
class DiarizationResult:
    """One look at who speaks, about once a second while there is speech."""

    voices: tuple[SpeakerActivity, ...]
    """The voices heard since the look before, told by their speaker embeddings."""
    enrolment: float
    """How much of the candidate's voice is known, 0 to 1. Below 1 a new voice is only reported when
    two clearly different ones are heard within ten seconds."""
    overlap: float
    """Seconds since the look before during which two or more spoke at once."""
    unplaced: float
    """Seconds of speech since the look before that were too short or too unclear to place."""


@dataclass(frozen=True, slots=True)
class AudioObservation:
    """What was heard in one stretch of sound. No samples, no words, no speaker embeddings, no rules."""

    time: float
    """Media time in seconds at the end of the stretch."""
    span: float
    """Length of the stretch in seconds."""
    speech: float | None
    """Share of the stretch with speech in it, 0 to 1; ``None``: not looked at."""
    level: float | None
    """Root mean square level in decibels below full scale, -100 to 0; ``None``: nothing arrived."""
    speakers: DiarizationResult | None
    """``None``: not looked at in this stretch."""
    not_read: tuple[NotRead, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """One word that was said."""

    text: str = field(repr=False)
    """Never part of a log message."""
    start: float
    """Media time in seconds."""
    end: float
    confidence: float | None = None
    """0 to 1; ``None`` where the transcriber gives none."""
    speaker: int | None = None
    """The transcriber's own numbering of speakers, from 0; ``None`` where it tells none apart."""


@dataclass(frozen=True, slots=True)
class TranscriptObservation:
    """What was said, in words. Only where transcription is switched on."""

    time: float
    """Media time in seconds at the end of the words."""
    start: float
    """Media time at which they begin."""
    text: str = field(repr=False)
    """With capitals and punctuation. Never part of a log message."""
    words: tuple[Word, ...] = field(repr=False)
    final: bool
    """``False``: may still change; the next one of the same start replaces it."""
    transcriber: str
    """``moonshine_tiny_en``, ``deepgram``."""
    times_estimated: bool
    """``True``: the transcriber gives no times of words; they are spread over the speech."""
    carried: str = field(default="", repr=False)
    """The last words before these, where speech went on without a pause: transcribers cut it up."""


@dataclass(frozen=True, slots=True)
class BrowserObservation:
    """How the candidate's browser stands, as its page reports it: about once a second and whenever
    something changes. A page can be forged; silence and contradiction are a reviewer's to weigh."""

    time: float
    """Media time in seconds."""
    visible: bool | None
    """Whether the page's tab is shown. ``None``, here and below: the browser does not tell."""
    focused: bool | None
    """Whether the page's window has the keyboard."""
    fullscreen: bool | None
    """``None`` also as long as the page never was in full screen."""
    second_screen: bool | None
    """Whether the desktop reaches over more than one screen."""
    virtual_camera: bool | None
    """Whether the chosen camera bears the name of a program that makes pictures."""
    pasted: int
    """Characters pasted into the page since the report before."""
    offline: float
    """Seconds for which the browser had no network before this report; 0 if it had."""


Observation = (
    FrameObservation
    | ConnectionObservation
    | AudioObservation
    | TranscriptObservation
    | BrowserObservation
)
