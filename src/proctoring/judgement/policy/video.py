"""Sections of a policy about video: screen, head, objects, camera, liveness, identity."""

from __future__ import annotations

from pydantic import Field

from proctoring.judgement.policy.section import Degrees, Score, Section


class ScreenLimits(Section):
    """Extent of the screen from the centre of the candidate's gaze, in degrees.

    Gaze beyond it is looking away. Raising a side reports less and misses more.
    """

    left: Degrees = 14.0
    """14 degrees separated every labelled sideways glance from the centre."""
    right: Degrees = 14.0
    """As ``left``."""
    up: Degrees = 12.0
    """For up and down, 12 degrees is where the eyelid rule (``vision/gaze.py``) was measured to hold."""
    down: Degrees = 12.0
    """As ``up``."""


class HeadLimits(Section):
    """How far the head may turn from its neutral pose, in degrees."""

    left: Degrees = 15.0
    """Raising a side reports less and misses more."""
    right: Degrees = 15.0
    """As ``left``."""
    up: Degrees = 15.0
    """As ``left``."""
    down: Degrees = 18.0
    """As ``left``."""


class DetectorScores(Section):
    """Minimum scores for one object detector: scores of two networks are not comparable."""

    min_phone_score: Score | None = None
    min_person_score: Score | None = None


class ObjectLimits(Section):
    """Which detections of the object detector count. Raising a score reports less and misses more.

    A detector only reports what reaches its own measured threshold; 0 means that threshold. A policy
    can demand more, not less.
    """

    min_phone_score: Score = 0.0
    """Raising it reports fewer wallets and remote controls, and misses more phones."""
    min_person_score: Score = 0.0
    """Raising it reports fewer posters and chairs, and misses people in the background."""
    detectors: dict[str, DetectorScores] = Field(default_factory=dict)
    """Catalogue name of a detector to its own minimum scores."""
    max_background_size: Score = 0.5
    """A person whose face height or body width is below this share of the largest person's is in
    the background. Raising it treats more people as passers-by."""
    max_background_time: float = Field(default=5.0, ge=0, le=600, allow_inf_nan=False)
    """Seconds that a person may stay in the background; one who stays longer counts like anyone
    else. Raising it reports less, and helpers far behind later. 0: everyone counts at once."""
    max_count_age: float = Field(default=5.0, ge=0, le=60)
    """Seconds for which the object detector's last count of persons stays valid."""

    def min_phone_score_of(self, detector: str) -> float:
        """The score from which a phone found by this detector counts."""
        own = self.detectors.get(detector)
        if own is None or own.min_phone_score is None:
            return self.min_phone_score
        return own.min_phone_score

    def min_person_score_of(self, detector: str) -> float:
        """The score from which a person found by this detector counts."""
        own = self.detectors.get(detector)
        if own is None or own.min_person_score is None:
            return self.min_person_score
        return own.min_person_score


class CameraLimits(Section):
    """When a picture is too bad to judge by; ``vision/camera.py`` has measured levels."""

    required: bool = False
    """``True``: a session with sound and without a camera is an incident (``camera.lost``).
    ``False``: only pictures that stop are."""
    min_brightness: float = Field(default=25.0, ge=0, le=255)
    """Mean grey level (0 to 255) below which the picture is too dark. Raising it reports dim rooms
    too."""
    max_overexposed: Score = 0.6
    """Share of overexposed (white, without detail) picture from which it is too bright."""
    min_structure: float = Field(default=2.5, ge=0, le=20)
    """Structure below which a picture that lacks detail shows a covered lens. Raising it reports
    pictures that are far out of focus as covered."""
    min_detail: float = Field(default=1.1, ge=0, le=20)
    """Detail below which the picture is out of focus. Raising it reports soft cameras too."""
    max_unchanged: float = Field(default=0.6, ge=0.4, le=60, allow_inf_nan=False)
    """Seconds of identical pictures from which the camera counts as frozen. Raising it tolerates
    cameras that stutter in bad light."""


class LivenessLimits(Section):
    """When a face counts as a presentation attack: two independent indications beyond their limits, or
    one beyond its limit ``_alone``. Raising a ``min_`` limit reports more and misses less."""

    min_score: Score = 0.3
    """Mean score of the networks below which it indicates an attack: living people in bad light fall
    below it too."""
    min_score_without_blinks: Score = 0.5
    """The same for a face that did not blink for 20 s or more."""
    min_score_alone: Score = 0.1
    """``min_score`` where nothing else indicates an attack: printed photos measured .00 to .07 in 4
    recordings. 0: never alone."""
    min_score_alone_lively: Score = 0.02
    """The same for a face in which much moves: a living man against a window measured .05."""
    min_parallax: float = Field(default=0.001, ge=0, le=1)
    """Parallax of a turning face, in eye distances per degree, below which it indicates a flat sheet:
    sheets measured .0003 to .0012, heads .0007 and more. 0: never."""
    min_parallax_alone: float = Field(default=0.0005, ge=0, le=1)
    """The same where nothing else indicates an attack. 0: never alone."""
    min_motion: float = Field(default=0.01, ge=0, le=1)
    """Travel of the head within 10 s, in eye distances, below which it indicates a still picture: a
    man holding his head still measured .045, a still picture with camera noise .007. 0: never."""
    min_inner_motion: float = Field(default=0.05, ge=0, le=1)
    """Movement of eyes, lids, lips and nose within 10 s, in eye widths, below which nothing moves within
    the face: photos moved about measured up to .04. 0: never."""
    lively_inner_motion: float = Field(default=0.2, ge=0, le=10)
    """The same from which much moves within the face, which speaks against a print: prints in the hand
    measured up to .09. Lowering it reports fewer attacks. 10: never."""
    max_framed_share: float = Field(default=0.6, gt=0, le=1)
    """Share of detections with the face inside a phone or screen from which it indicates an attack."""
    max_framed_share_alone: float = Field(default=0.9, gt=0, le=1)
    """The same where nothing else indicates an attack."""
    trusted_score: Score = 0.7
    """From this mean score on, a frame around the face is ignored and ``min_parallax`` is halved. It is
    also halved for a lively face."""
    max_unchanged_at_start: float = Field(default=10.0, ge=1, le=3600)
    """Seconds for which a session may start with identical pictures. If they become identical
    later, the camera is frozen."""


class IdentityLimits(Section):
    """When a face counts as another person's."""

    max_distance: float = Field(default=0.42, gt=0, le=2, allow_inf_nan=False)
    """Distance of the probe from the reference from which they differ. Raising it reports less and
    misses people who look alike. At the network's usual 0.6, two thirds of impostors matched."""
    min_covered_evidence: float = Field(default=1.5, ge=-20, le=20, allow_inf_nan=False)
    """Evidence (log odds) from which a face that differs is taken for a face covered in part, whose
    visible half is like the reference. Raising it reports covered faces, lowering it misses people who
    look alike."""
    min_ambiguous_comparisons: int = Field(default=5, ge=1, le=100)
    """Number of comparisons for which a face that differs, and may be a covered one, is not reported.
    Raising it reports such faces later: there are one or two comparisons a second."""
    min_comparisons: int = Field(default=3, ge=1, le=5)
    """Number of probes that must be averaged before a mismatch counts. Raising it reports less, and
    later."""
    store_reference: bool = False
    """Whether the reference embedding, biometric data, is stored with the session's records."""
