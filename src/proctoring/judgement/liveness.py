"""Readings about presentation attacks: a picture, screen or replay instead of a live face.

An indication at its limit accuses nobody: light, a soft camera or a still sitter bring each of them to
its limit. An attack is what two independent indications show together, or one that is far beyond what was
ever measured of living people.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from proctoring.judgement.camera import why_unusable
from proctoring.judgement.policy import Policy
from proctoring.judgement.policy.video import LivenessLimits
from proctoring.judgement.reading import Reading, not_held
from proctoring.judgement.unread import unread_reason, why_unread
from proctoring.observations import FrameObservation, InjectionIndicators, Liveness

MOTION_CONFIDENCE = 0.8
"""Confidence of an attack by parallax or motion alone. Set by judgement, not measured."""
STREAM_CONFIDENCE = 0.9
"""Confidence of an attack by a repeated or constant picture. Set by judgement, not measured."""
INERT_CONFIDENCE = 0.6
"""Confidence of a face in which nothing moves. Set by judgement, not measured."""
PARALLAX_FACTOR_IF_TRUSTED = 0.5
"""Factor on ``min_parallax`` if the networks reach ``trusted_score``, or the face is lively."""
FULL_SAMPLES = 5
"""Scores in a mean by which the networks alone may show an attack: some five seconds."""
FROZEN_TIME = 1.0
"""Seconds of identical pictures from which a face without motion or blinks is the camera's fault."""


@dataclass(frozen=True, slots=True)
class _Indication:
    """One sign of an attack, independent of the others."""

    confidence: float
    """0 to 1."""
    text: str
    suffices: bool
    """Whether it shows an attack by itself."""


def spoof_readings(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """Whether the face is a presentation attack."""
    life, stream = observation.liveness, observation.stream
    if life is None and stream is None:
        return
    limits, unusable = policy.liveness, why_unusable(policy, observation)
    indications = [] if unusable else list(_of_face(limits, life, stream))
    indications += _of_stream(limits, stream)
    if any(sign.suffices for sign in indications) or len(indications) > 1:
        text = "; ".join(sign.text for sign in indications)
        confidence = max(sign.confidence for sign in indications)
        yield Reading("face.spoof", True, confidence, len(indications), text)
    elif unusable or life is None or unread_reason(observation, "liveness"):
        unread = unusable or why_unread(observation, "liveness")
        yield Reading("face.spoof", None, text=unread)
    else:
        yield not_held("face.spoof")


def motionless_readings(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """Whether nothing moves within a face whose eyes are seen to be open: no blink, glance or word.

    A photo that a hand moves about is such a face. A person may be too, but not for long.
    """
    life, candidate = observation.liveness, observation.candidate
    if life is None:
        return
    if _stands_still(observation.stream):
        yield Reading("face.motionless", None, text="the picture stands still")
    elif life.inner_motion is None or life.blinks is None:
        yield Reading("face.motionless", None, text="not seen for long enough")
    elif candidate is None or candidate.gaze is None or not candidate.eyes_open:
        # Shut, or hidden by glare: a blink would not be seen.
        yield Reading("face.motionless", None, text=why_unread(observation, "gaze"))
    else:
        inert = life.blinks == 0 and life.inner_motion < policy.liveness.min_inner_motion
        text = "no blink in 20 s, and no movement of eyes, lips or of the head in itself"
        yield Reading("face.motionless", inert, INERT_CONFIDENCE, 1.0, text)


def unread_readings(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """Whether liveness could not be measured, and why: reviewers see that an attack may be missed."""
    unread, unusable = unread_reason(observation, "liveness"), why_unusable(policy, observation)
    if unusable:
        yield Reading("liveness.unread", None, text=unusable)  # reported as ``camera.*``
    elif observation.liveness is not None or unread:
        text = f"liveness is not measured: {unread}"
        yield Reading("liveness.unread", bool(unread), 1.0, 1.0, text)


def _stands_still(stream: InjectionIndicators | None) -> bool:
    """Whether the same picture arrives again and again: a face that does not move in it shows nothing."""
    return stream is not None and stream.unchanged_for >= FROZEN_TIME


def _of_face(
    limits: LivenessLimits, life: Liveness | None, stream: InjectionIndicators | None
) -> Iterator[_Indication]:
    """The indications in the face; without any other, one that does not blink is none."""
    if life is None:
        return
    still = _stands_still(stream)
    unblinking = life.blinks == 0 and not still
    signs = [
        *_of_networks(limits, life, unblinking=unblinking),
        *_of_movement(limits, life, stream),
    ]
    yield from signs
    inert = life.inner_motion is not None and life.inner_motion < limits.min_inner_motion
    if signs and not still and (unblinking or inert):
        text = "no blink in 20 s" if unblinking else "nothing moves within the face"
        yield _Indication(INERT_CONFIDENCE, text, suffices=False)


def _of_networks(
    limits: LivenessLimits, life: Liveness, *, unblinking: bool
) -> Iterator[_Indication]:
    limit = limits.min_score_without_blinks if unblinking else limits.min_score
    if life.score is not None and life.score < limit:
        needed = limits.min_score_alone_lively if _lively(limits, life) else limits.min_score_alone
        alone = life.score < needed and life.samples >= FULL_SAMPLES
        text = f"liveness {life.score:.2f} by {life.networks} (limit {limit:.2f})"
        yield _Indication(1 - life.score, text, suffices=alone)


def _lively(limits: LivenessLimits, life: Liveness) -> bool:
    """Whether so much moves within the face that no print does: evidence against an attack."""
    return life.inner_motion is not None and life.inner_motion >= limits.lively_inner_motion


def _of_movement(
    limits: LivenessLimits, life: Liveness, stream: InjectionIndicators | None
) -> Iterator[_Indication]:
    """The indications in how the face moves and what surrounds it."""
    trusted = life.score is not None and life.score >= limits.trusted_score
    factor = PARALLAX_FACTOR_IF_TRUSTED if trusted or _lively(limits, life) else 1.0
    if life.parallax is not None and life.parallax < limits.min_parallax * factor:
        text = f"the face turns as a flat sheet does (parallax {life.parallax:.4f})"
        alone = life.parallax < limits.min_parallax_alone * factor
        yield _Indication(MOTION_CONFIDENCE, text, suffices=alone)
    frozen = stream is not None and stream.ever_changed and _stands_still(stream)
    if life.motion is not None and life.motion < limits.min_motion and not frozen:
        text = f"the head moved less than {limits.min_motion:.2g} eye distances in 10 s"
        yield _Indication(MOTION_CONFIDENCE, text, suffices=False)
    share = life.framed_share
    if share is not None and share >= limits.max_framed_share and not trusted:
        alone = share >= limits.max_framed_share_alone
        yield _Indication(share, "a phone or screen surrounds the face", suffices=alone)


def _of_stream(limits: LivenessLimits, stream: InjectionIndicators | None) -> Iterator[_Indication]:
    """The indications in the stream as a whole; each is certain."""
    if stream is None:
        return
    if stream.repeats_after is not None and not stream.exact:  # exact: ``camera.looped``
        text = f"the picture repeats that of {stream.repeats_after:.1f} s before"
        yield _Indication(STREAM_CONFIDENCE, text, suffices=True)
    if not stream.ever_changed and stream.unchanged_for >= limits.max_unchanged_at_start:
        text = "one and the same picture since the session began"
        yield _Indication(STREAM_CONFIDENCE, text, suffices=True)
