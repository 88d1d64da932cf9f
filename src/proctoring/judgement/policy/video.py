"""Sections of a policy about the picture: screen, head, objects, camera, liveness, identity."""

from __future__ import annotations

from pydantic import Field

from proctoring.judgement.policy.section import Degrees, Score, Section


class Screen(Section):
    """How far the screen reaches from the middle of the candidate's gaze, in degrees.

    Looking further than this is looking away. Raising a side alarms less and misses more.
    """

    left: Degrees = 14.0
    """14 degrees separated every labelled glance to the side from the centre."""
    right: Degrees = 14.0
    up: Degrees = 12.0
    """Up and down, 12 is where the rule of the lids (``vision/gaze.py``) holds as measured."""
    down: Degrees = 12.0


class Head(Section):
    """How far the head may turn from its neutral pose, in degrees, on each side."""

    left: Degrees = 15.0
    right: Degrees = 15.0
    up: Degrees = 15.0
    down: Degrees = 18.0


class DetectorScores(Section):
    """Minimum scores for one named object detector: scores of two networks do not compare."""

    phone_score: Score | None = None
    person_score: Score | None = None


class Objects(Section):
    """From which score on a detection counts. Raising one alarms less and misses more.

    A detector reports only what reaches its own measured threshold, so 0 means just that; a policy
    can ask for more, not for less.
    """

    phone_score: Score = 0.0
    person_score: Score = 0.0
    detectors: dict[str, DetectorScores] = Field(default_factory=dict)
    """Catalogue name of a detector to its own minimum scores."""
    background: Score = 0.5
    """Somebody whose face, or whole width, is below this share of the largest person's is in the
    background. Raising it takes more people for passers-by."""
    passing: float = Field(default=5.0, ge=0, le=600, allow_inf_nan=False)
    """Seconds that somebody in the background may take to pass; who stays longer counts like anybody
    else. Raising it alarms less, and later on helpers far behind. 0: everybody counts at once."""
    look_valid: float = Field(default=5.0, ge=0, le=60)
    """Seconds for which the number of persons seen in one look stands between two looks."""

    def minimum_phone_score(self, detector: str) -> float:
        """The score from which on a phone of this detector counts."""
        own = self.detectors.get(detector)
        return self.phone_score if own is None or own.phone_score is None else own.phone_score

    def minimum_person_score(self, detector: str) -> float:
        """The score from which on a person of this detector counts."""
        own = self.detectors.get(detector)
        return self.person_score if own is None or own.person_score is None else own.person_score


class Camera(Section):
    """From where on a picture cannot be judged by; measured levels are in ``vision/camera.py``."""

    dark: float = Field(default=25.0, ge=0, le=255)
    """Mean grey level below which it is too dark. Raising it reports dim rooms too."""
    burnt: Score = 0.6
    """Share of the picture that is burnt white, from which on it is too bright."""
    covered_structure: float = Field(default=2.5, ge=0, le=20)
    """Structure below which a picture without fine detail shows nothing at all. Raising it calls
    what is far out of focus covered."""
    blurred_detail: float = Field(default=1.1, ge=0, le=20)
    """Detail below which the picture is out of focus. Raising it reports soft cameras too."""
    frozen: float = Field(default=0.6, ge=0.4, le=60, allow_inf_nan=False)
    """Seconds of one and the same picture from which the camera counts as frozen. Raising it passes
    over cameras that stutter in bad light."""


class LivenessLimits(Section):
    """From where on the signs of life are too few. Raising one alarms more and misses less."""

    score: Score = 0.3
    """The networks' mean below which a face is an attack: 1 of 56 living clips was ever below."""
    unblinking_score: Score = 0.5
    """The same for eyes that did not blink in 20 s or more."""
    depth: float = Field(default=0.001, ge=0, le=1)
    """Parallax of a turning face, in eye distances per degree, below which it is a flat sheet:
    sheets measured .0003 to .0012, heads .0012 and more. 0: never."""
    sway: float = Field(default=0.01, ge=0, le=1)
    """Travel of the head within 10 s, in eye distances, below which it is a still picture: a man
    told to hold his head still measured .045, a still picture with a camera's noise .007. 0: never."""
    framed: float = Field(default=0.6, gt=0, le=1)
    """Share of the looks in which a phone or screen surrounds the face."""
    sure_score: Score = 0.7
    """Networks that are at least so sure of a living face outweigh a frame around it, and halve the
    limit of ``depth``."""
    unchanged: float = Field(default=10.0, ge=1, le=3600)
    """Seconds for which a session may begin with one and the same picture. One that stops later is
    a frozen camera."""


class IdentityLimits(Section):
    """From where on a face is another person's."""

    distance: float = Field(default=0.42, gt=0, le=2, allow_inf_nan=False)
    """Between the candidate's face and the reference. Raising it alarms less and misses people who
    look alike. The network's usual 0.6 took two thirds of impostors for the candidate."""
    looks: int = Field(default=3, ge=1, le=5)
    """Looks that must be averaged before anything is said. Raising it alarms less, and later."""
    store_reference: bool = False
    """Whether the reference's embedding, biometric data, may be kept with the session's records."""
